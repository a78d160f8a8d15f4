"""Writes what ansible-playbook tells of a run as JSON, one object a line, into the file that CONFORMANCE_EVENTS names."""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: conformance_events
type: notification
short_description: one JSON object a line for each result
description: [for the comparison of two engines]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "conformance_events"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._out = open(os.environ["CONFORMANCE_EVENTS"], "w", encoding="utf-8")

    def _write(self, **event):
        self._out.write(json.dumps(event, default=str) + "\n")
        self._out.flush()

    def _told(self, result, status, whole, ignored=False):
        values = result._result
        event = {
            "type": "result",
            "host": result._host.get_name(),
            "task": result._task.get_name(),
            "module": result._task.action,
            "status": "changed" if status == "ok" and values.get("changed") else status,
            "ignored": ignored,
            "whole": whole,
            "items": len(values.get("results") or []) if result._task.loop is not None else None,
            "msg": str(values.get("msg", ""))[:2000],
        }
        if not whole:
            label = str(self._get_item_label(values))
            item = values.get(values.get("ansible_loop_var", "item"))
            # What is no text is shown by each engine in its own way.
            as_json = not isinstance(item, str) and str(item) == label
            event["item"] = json.dumps(item, separators=(",", ":"), ensure_ascii=False) if as_json else label
        if values.get("changed") and values.get("diff"):
            event["diff"] = self._diff(values["diff"])
        self._write(**event)

    def _diff(self, found):
        parts = found if isinstance(found, list) else [found]
        is_text = any(isinstance(part.get("before"), str) for part in parts)
        return {"text": is_text, "lines": self._get_diff(parts).splitlines()}

    def v2_playbook_on_play_start(self, play):
        self._write(type="play", play=play.get_name())

    def v2_runner_on_ok(self, result):
        self._told(result, "ok", True)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._told(result, "failed", True, ignore_errors)

    def v2_runner_on_skipped(self, result):
        self._told(result, "skipped", True)

    def v2_runner_on_unreachable(self, result):
        self._told(result, "unreachable", True)

    def v2_runner_item_on_ok(self, result):
        self._told(result, "ok", False)

    def v2_runner_item_on_failed(self, result):
        self._told(result, "failed", False)

    def v2_runner_item_on_skipped(self, result):
        self._told(result, "skipped", False)

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in stats.processed}
        self._write(type="recap", hosts=hosts)
