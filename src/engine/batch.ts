import { InterruptedError } from "../util/errors.js";
import type { Semaphore } from "../util/semaphore.js";

/** How far a host is: it looks, it changes things, or its play is over. */
type Stage = "check" | "apply" | "over";

interface Member {
  stage: Stage;
  /** Tasks that it has passed and that others wait for, by stage. */
  readonly passed: Set<string>;
}

const mark = (stage: Stage, task: number) => `${stage} ${task}`;

/** The hosts that go through a play at the same time, for what one of them has to know of the others. */
export class Batch {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #waiting = new Set<() => void>();
  readonly #slots: Semaphore;

  /** @param slots as many hosts are worked on at once; who waits for another gives his up */
  constructor(hosts: readonly string[], slots: Semaphore) {
    this.#members = new Map(hosts.map((host) => [host, { stage: "check", passed: new Set() }]));
    this.#slots = slots;
  }

  /**
   * Runs a host's play in a slot. When it ends, however it ends, nobody waits for that host any more.
   * @param signal ends what the host waits for; one that has not begun does not begin any more
   */
  async run(host: string, signal: AbortSignal | undefined, play: (place: Place) => Promise<void>): Promise<void> {
    const place = new Place(host, this, this.#slots, signal);
    try {
      await place.enter();
      if (signal?.aborted !== true) await play(place);
    } finally {
      place.leave();
      this.move(host, "over");
    }
  }

  move(host: string, stage: Stage): void {
    this.#of(host).stage = stage;
    this.#changed();
  }

  /** Says that a host has passed a task, and gives what tells whether all others have, or never will. */
  pass(host: string, task: number): () => boolean {
    const { stage, passed } = this.#of(host);
    const wanted = mark(stage, task);
    passed.add(wanted);
    this.#changed();
    return () => [...this.#members.values()].every((one) => one.stage === "over" || one.passed.has(wanted));
  }

  /** @throws InterruptedError when the signal aborts */
  async until(ready: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!ready() && signal?.aborted !== true) return;
        this.#waiting.delete(look);
        signal?.removeEventListener("abort", look);
        if (ready()) resolve();
        else reject(new InterruptedError("E_INTERRUPTED", "The run is interrupted."));
      };
      this.#waiting.add(look);
      signal?.addEventListener("abort", look);
      look();
    });
  }

  #of(host: string): Member {
    const member = this.#members.get(host);
    if (member === undefined) throw new Error(`${host} is not of this batch`);
    return member;
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}

/** One host's place in its batch. */
export class Place {
  #release: (() => void) | undefined;

  constructor(
    readonly host: string,
    private readonly batch: Batch,
    private readonly slots: Semaphore,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async enter(signal?: AbortSignal): Promise<void> {
    this.#release = await this.slots.acquire(signal);
  }

  leave(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /** The check is over, and the host is to be changed. */
  applies(): void {
    this.batch.move(this.host, "apply");
  }

  /** Waits until every host of the batch has passed a task, or is through. */
  async meet(task: number): Promise<void> {
    await this.#wait(this.batch.pass(this.host, task));
  }

  async #wait(ready: () => boolean): Promise<void> {
    if (ready()) return;
    this.leave();
    await this.batch.until(ready, this.signal);
    await this.enter(this.signal);
  }
}
