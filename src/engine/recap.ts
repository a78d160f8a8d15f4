import type { HostRecap, TaskStatus } from "../report/events.js";

export function emptyRecap(): HostRecap {
  return { ok: 0, changed: 0, failed: 0, skipped: 0, ignored: 0, unreachable: 0, pending: 0 };
}

/** Counts as Ansible does: a task once, however many items its loop has; `ok` counts changed tasks too. */
export class RecapCounter {
  readonly recap = emptyRecap();
  #status: TaskStatus | undefined;
  #pending = false;
  #ignored = false;

  add(status: TaskStatus, about: { pending: boolean; ignored: boolean; last: boolean }): void {
    const order: readonly (TaskStatus | undefined)[] = [undefined, "skipped", "ok", "changed", "failed"];
    if (order.indexOf(status) > order.indexOf(this.#status)) this.#status = status;
    this.#pending ||= about.pending;
    this.#ignored ||= about.ignored;
    if (about.last) this.#settle();
  }

  #settle(): void {
    const { recap } = this;
    if (this.#status === "failed" && this.#ignored) {
      recap.ok++;
      recap.ignored++;
    } else if (this.#status === "failed") recap.failed++;
    else if (this.#status === "changed") {
      recap.ok++;
      recap.changed++;
    } else if (this.#pending) recap.pending++;
    else if (this.#status === "ok") recap.ok++;
    else recap.skipped++;
    this.#status = undefined;
    this.#pending = false;
    this.#ignored = false;
  }

  /** A loop that ended before its last item. */
  flush(): void {
    if (this.#status !== undefined) this.#settle();
  }
}
