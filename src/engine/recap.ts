import type { HostRecap, TaskStatus } from "../report/events.js";

export function emptyRecap(): HostRecap {
  return { ok: 0, changed: 0, failed: 0, skipped: 0, ignored: 0, unreachable: 0, rescued: 0, pending: 0 };
}

export interface CallCount {
  readonly pending: boolean;
  readonly ignored: boolean;
  readonly rescued: boolean;
  /** It failed, and has changed something all the same. */
  readonly changed: boolean;
  readonly last: boolean;
}

/** Counts as Ansible does: a task once, however many items its loop has; `ok` counts changed tasks too. */
export class RecapCounter {
  readonly recap = emptyRecap();
  #status: TaskStatus | undefined;
  #pending = false;
  #ignored = false;
  #rescued = false;
  #changed = false;

  add(status: TaskStatus, about: CallCount): void {
    const order: readonly (TaskStatus | undefined)[] = [undefined, "skipped", "ok", "changed", "failed"];
    if (order.indexOf(status) > order.indexOf(this.#status)) this.#status = status;
    this.#pending ||= about.pending;
    this.#ignored ||= about.ignored;
    this.#rescued ||= about.rescued;
    this.#changed ||= about.changed;
    if (about.last) this.#settle();
  }

  #settle(): void {
    const { recap } = this;
    if (this.#status === "failed" && this.#ignored) {
      recap.ok++;
      recap.ignored++;
      if (this.#changed) recap.changed++;
    } else if (this.#status === "failed" && this.#rescued) recap.rescued++;
    else if (this.#status === "failed") recap.failed++;
    else if (this.#status === "changed") {
      recap.ok++;
      recap.changed++;
    } else if (this.#pending) recap.pending++;
    else if (this.#status === "ok") recap.ok++;
    else recap.skipped++;
    this.forget();
  }

  /** Items count for nothing where a mistake ended their loop. */
  forget(): void {
    this.#status = undefined;
    this.#pending = false;
    this.#ignored = false;
    this.#rescued = false;
    this.#changed = false;
  }

  /** A loop that ended before its last item. */
  flush(): void {
    if (this.#status !== undefined) this.#settle();
  }
}
