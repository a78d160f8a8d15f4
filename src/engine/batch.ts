import type { Value } from "../playbook/types.js";
import { InterruptedError } from "../util/errors.js";
import type { Semaphore } from "../util/semaphore.js";

/** How far a host is: it looks, it changes things, or its play is over. */
type Stage = "check" | "apply" | "over";
const STAGES: readonly Stage[] = ["check", "apply", "over"];

/** What a host waits for. */
interface Wait {
  readonly ready: () => boolean;
  /** Gives it up, where it is a file that may be nobody's. */
  readonly giveUp?: () => void;
}

interface Member {
  stage: Stage;
  /** Its check is over, and found something to do. */
  applied: boolean;
  /** The task that it has come to, in its stage. */
  reached: number;
  /** Tasks that it has passed and that others wait for, by stage. */
  readonly passed: Set<string>;
  /** Controller files that its tasks bring, or may bring. */
  readonly brings: Set<string>;
  /** Missing files that no host turned out to bring. */
  readonly nobodys: Set<string>;
  /** Results of what it did for all, by the task's place, of its check and of its work. */
  readonly once: Map<string, Once>;
  wait: Wait | undefined;
}

/** `meta: end_host` and its like: how far. */
export type Ends = "host" | "batch" | "play";

/** What a task that one host of the batch does gives the others. */
export interface Once {
  readonly registers: Readonly<Record<string, Value>>;
  readonly facts: Readonly<Record<string, Value>>;
  readonly failed: boolean;
  /** What it ends for all hosts. */
  readonly ends?: Ends;
  /** Apply may give another result. */
  readonly dirty: boolean;
}

/** Whether another host brings a missing file cannot be said yet: some are still being looked at. */
export class UndecidedSource extends Error {
  constructor(readonly path: string) {
    super(`${path} may be brought by another host`);
  }
}

/** Too many other hosts of the batch failed: this one does nothing more. */
export class PlayEnded extends Error {}

/** The hosts that go through a play at the same time, for what one of them has to know of the others. */
export class Batch {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #waiting = new Set<() => void>();
  readonly #arrived = new Set<string>();
  readonly #slots: Semaphore;
  /** No batch comes after it. */
  endsPlay = false;

  readonly #stop = new AbortController();
  #failures = 0;

  /**
   * @param slots as many hosts are worked on at once; who waits for another gives his up
   * @param bearable more failures end the play for all hosts
   * @param hasFatal there are tasks that need fail on one host alone for that
   */
  constructor(
    hosts: readonly string[],
    slots: Semaphore,
    private readonly bearable = Number.POSITIVE_INFINITY,
    private readonly hasFatal = false,
  ) {
    const member = (): Member => ({
      stage: "check",
      applied: false,
      reached: 0,
      passed: new Set(),
      brings: new Set(),
      nobodys: new Set(),
      once: new Map(),
      wait: undefined,
    });
    this.#members = new Map(hosts.map((host) => [host, member()]));
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

  /** A host failed. */
  fail(): void {
    this.#failures++;
    if (this.#failures > this.bearable) this.#stop.abort();
  }

  /** A host failed by a task that ends the play for all. */
  failAll(): void {
    this.#stop.abort();
  }

  /** Aborts once too many hosts failed. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the hosts begin to change only when all have been looked at. */
  get looksFirst(): boolean {
    return this.hasFatal || Number.isFinite(this.bearable);
  }

  move(host: string, stage: Stage): void {
    const own = this.#of(host);
    own.stage = stage;
    own.applied ||= stage === "apply";
    own.reached = 0;
    this.#changed();
  }

  /** Says that a host has passed a task, and gives what tells whether all others have, or never will. */
  pass(host: string, task: number): Wait {
    const { stage, passed } = this.#of(host);
    const wanted = `${stage} ${task}`;
    passed.add(wanted);
    this.#changed();
    return { ready: () => this.#all((one) => one.stage === "over" || one.passed.has(wanted)) };
  }

  /** Keeps what a host did for all. */
  share(host: string, order: number, once: Once): void {
    this.endsPlay ||= once.ends === "play";
    const { stage } = this.#of(host);
    this.#of(host).once.set(`${stage} ${order}`, once);
    this.#changed();
  }

  /** Whether a host is the first that comes to a task: none before it has done it, and none will. */
  isChosen(host: string, order: number): boolean {
    const { stage } = this.#of(host);
    if (this.#of(host).once.has(`check ${order}`)) return true;
    return this.#before(host).every((one) => one.stage === "over" && this.#shared(one, stage, order) === undefined);
  }

  /** What another host did for all, as far as it is known at this host's stage. */
  shared(host: string, order: number): Once | undefined {
    const { stage } = this.#of(host);
    return [...this.#members.values()].map((one) => this.#shared(one, stage, order)).find((once) => once !== undefined);
  }

  #shared(one: Member, stage: Stage, order: number): Once | undefined {
    const checked = one.once.get(`check ${order}`);
    if (stage === "check") return checked;
    return one.once.get(`apply ${order}`) ?? (one.stage === "over" && !one.applied ? checked : undefined);
  }

  #before(host: string): Member[] {
    const names = [...this.#members.keys()];
    return names.slice(0, names.indexOf(host)).map((name) => this.#of(name));
  }

  decidedOnce(host: string, order: number): Wait {
    return { ready: () => this.shared(host, order) !== undefined || this.isChosen(host, order) };
  }

  /** Says how far a host is. */
  reach(host: string, task: number): void {
    this.#of(host).reached = task;
    this.#changed();
  }

  /** Says that a host has come to a task, and gives what tells whether all others have, or will not come to it. */
  come(host: string, task: number): Wait {
    const own = this.#of(host);
    this.reach(host, task);
    const { stage } = own;
    const isThere = (one: Member) =>
      one.stage === stage ? one.reached >= task : STAGES.indexOf(one.stage) > STAGES.indexOf(stage);
    return { ready: () => this.#all(isThere) };
  }

  foretell(host: string, path: string): void {
    this.#of(host).brings.add(path);
    this.#changed();
  }

  /** Hosts that bring a file, and are not through. */
  bringers(path: string): string[] {
    return [...this.#members].filter(([, one]) => one.brings.has(path)).map(([host]) => host);
  }

  /** Whether it is known who brings a file, or that nobody does. */
  decision(host: string, path: string): Wait {
    const own = this.#of(host);
    return {
      ready: () =>
        this.bringers(path).length > 0 ||
        own.nobodys.has(path) ||
        this.#all((one) => one === own || one.stage !== "check"),
      giveUp: () => own.nobodys.add(path),
    };
  }

  arrive(path: string): void {
    this.#arrived.add(path);
    this.#changed();
  }

  hasArrived(path: string): boolean {
    return this.#arrived.has(path);
  }

  /** Whether a file has come, or never will. */
  arrival(host: string, path: string): Wait {
    const own = this.#of(host);
    const comes = (one: Member) => one !== own && one.stage !== "over" && one.brings.has(path);
    let given = false;
    return {
      ready: () => given || this.hasArrived(path) || !this.#some(comes),
      giveUp: () => {
        given = true;
      },
    };
  }

  /** @throws InterruptedError when the signal aborts */
  async until(host: string, wait: Wait, signal: AbortSignal | undefined): Promise<void> {
    const own = this.#of(host);
    own.wait = wait;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!wait.ready() && signal?.aborted !== true) return;
        own.wait = undefined;
        this.#waiting.delete(look);
        signal?.removeEventListener("abort", look);
        if (wait.ready()) resolve();
        else reject(new InterruptedError("E_INTERRUPTED", "The run is interrupted."));
      };
      this.#waiting.add(look);
      signal?.addEventListener("abort", look);
      this.#changed();
      look();
    });
  }

  #of(host: string): Member {
    const member = this.#members.get(host);
    if (member === undefined) throw new Error(`${host} is not of this batch`);
    return member;
  }

  #all(holds: (member: Member) => boolean): boolean {
    return [...this.#members.values()].every(holds);
  }

  #some(holds: (member: Member) => boolean): boolean {
    return [...this.#members.values()].some(holds);
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
    // All wait for each other: the first that waits for a file does so in vain.
    const stuck = this.#all((one) => one.stage === "over" || one.wait !== undefined);
    const first = stuck ? [...this.#members.values()].find((one) => one.wait?.giveUp !== undefined) : undefined;
    if (first?.wait?.giveUp === undefined) return;
    first.wait.giveUp();
    for (const look of [...this.#waiting]) look();
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

  /** Aborts once too many hosts of the batch failed. */
  get stop(): AbortSignal {
    return this.batch.stop;
  }

  /** The host's failure ends the play for all. */
  failAll(): void {
    this.batch.failAll();
  }

  /** Waits, where a failure of others ends the play, until it is known which hosts fail before anything is changed. */
  async looked(): Promise<void> {
    if (this.batch.looksFirst) await this.#wait(this.batch.pass(this.host, Number.MAX_SAFE_INTEGER));
  }

  /** The check is over, and the host is to be changed. */
  applies(): void {
    this.batch.move(this.host, "apply");
  }

  /** Waits until every host of the batch has passed a task, or is through. */
  async meet(task: number): Promise<void> {
    await this.#wait(this.batch.pass(this.host, task));
  }

  /** This host does what is done once. */
  isChosen(order: number): boolean {
    return this.batch.isChosen(this.host, order);
  }

  share(order: number, once: Once): void {
    this.batch.share(this.host, order, once);
  }

  /** Waits for what another host does for all; undefined when it is this host's turn to do it. */
  async once(order: number): Promise<Once | undefined> {
    await this.#wait(this.batch.decidedOnce(this.host, order));
    return this.batch.shared(this.host, order);
  }

  /** Waits until every host of the batch has come to a task, or will not come to it. */
  async meetBefore(task: number): Promise<void> {
    await this.#wait(this.batch.come(this.host, task));
  }

  /** All tasks before this one are done. */
  reach(task: number): void {
    this.batch.reach(this.host, task);
  }

  /** A task of this host brings a controller file, unless its condition says otherwise. */
  foretell(path: string): void {
    this.batch.foretell(this.host, path);
  }

  /** It is there now. */
  arrive(path: string): void {
    this.batch.arrive(path);
  }

  /** The hosts that bring a file. @throws UndecidedSource */
  whoBrings(path: string): string[] {
    if (!this.batch.decision(this.host, path).ready()) throw new UndecidedSource(path);
    return this.batch.bringers(path);
  }

  async decide(path: string): Promise<void> {
    await this.#wait(this.batch.decision(this.host, path));
  }

  /** Waits for a file of another host; false when none brings it any more. */
  async arrival(path: string): Promise<boolean> {
    await this.#wait(this.batch.arrival(this.host, path));
    return this.batch.hasArrived(path);
  }

  async #wait(wait: Wait): Promise<void> {
    if (wait.ready()) return;
    this.leave();
    await this.batch.until(this.host, wait, this.signal);
    await this.enter(this.signal);
  }
}
