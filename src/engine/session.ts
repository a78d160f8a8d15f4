import type { HostAccess } from "../inventory/host-address.js";
import type { InventoryHost } from "../inventory/types.js";
import type { Reboots } from "../modules/types.js";
import { type Become, becomeCommand, becomeFromAnyone, diagnoseSudo, stdinWithPassword } from "../transport/become.js";
import type { Transport, TransportStats } from "../transport/transport.js";
import { boundedAnswer } from "../util/bounded-answer.js";
import { EdgeError, HostKeyError, InterruptedError, TaskError, UnreachableError } from "../util/errors.js";
import { safeText } from "../util/safe-text.js";
import { quote } from "../util/shell.js";
import type { Target } from "./compiled.js";
import { compressed } from "./compress.js";
import { type HostFacts, parseFacts } from "./facts.js";
import { FACTS_LIMIT } from "./facts-answer.js";
import { asksAsUser, completed, type FactGroup, factsProgram } from "./facts-script.js";
import { ALONE_COMMAND, launchCommand } from "./program.js";
import { type TarEntry, tarGzip } from "./tar.js";

/** Time as the engine sees it. */
export interface Clock {
  now(): Date;
  /** @throws InterruptedError when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(new InterruptedError("E_INTERRUPTED", "The run is interrupted."));
      };
      if (signal?.aborted) return reject(new InterruptedError("E_INTERRUPTED", "The run is interrupted."));
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, milliseconds);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

export interface SessionOptions {
  readonly connect: (host: InventoryHost, signal: AbortSignal | undefined, access: HostAccess) => Promise<Transport>;
  readonly connectLocal: () => Promise<Transport>;
  readonly access: HostAccess;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds for the facts of a host; two minutes unless given. */
  readonly factsTimeoutMs?: number;
}

/** Who hears a program. */
export interface ProgramListener {
  hear(chunk: Buffer): void;
  /** Whether it has said anything: if not, sudo or the shell is to blame. */
  readonly spoke: boolean;
  /** Its process id, once it has told. */
  readonly pid: number | undefined;
  /** Ends it after the task at hand. */
  readonly stop: AbortSignal;
  /** The host is about to boot anew: a link that is lost now is no accident. */
  readonly reboots: boolean;
}

/** An emulated ARM board takes two seconds for its facts. */
const FACTS_TIMEOUT_MS = 120_000;
/** A link that broke is opened again after these pauses, in milliseconds. */
const RECONNECT_AFTER = [2000, 5000, 10000];
/** Between two questions to a host that boots, and how long one may take to connect and to answer. */
const BOOT_PAUSE_MS = 1000;
const BOOT_CONNECT_MS = 10_000;
const BOOT_ANSWER_MS = 60_000;
const STDERR_LIMIT = 64 * 1024;

/** Facts, and the groups of them that were asked for. */
export interface GatheredFacts extends HostFacts {
  readonly groups: ReadonlySet<FactGroup>;
}

interface FactsWish {
  /** Whom the play's tasks run as; undefined is the user who logs in. */
  readonly as?: string | undefined;
  /** What is known counts no more. */
  readonly anew?: boolean;
}

/** Programs by their groups: those of all hosts are the same. */
const archives = new Map<string, Uint8Array>();

function factsArchive(groups: readonly FactGroup[]): Uint8Array {
  const key = groups.join(" ");
  const known = archives.get(key) ?? compressed(factsProgram(groups));
  archives.set(key, known);
  return known;
}

/** The beginning of what a host says. */
class BoundedText {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(readonly most: number) {}

  push(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= this.most) this.#chunks.push(chunk);
  }

  get text(): string {
    return safeText(Buffer.concat(this.#chunks).toString("utf8"));
  }
}

/** One host's connection for the length of a run: facts and programs go through it. */
export class HostSession {
  #remote: Transport | undefined;
  #local: Transport | undefined;
  #facts:
    | { readonly groups: readonly FactGroup[]; readonly as?: string; readonly got: Promise<GatheredFacts> }
    | undefined;
  /** What went over links that broke. */
  #lost: TransportStats = { execs: 0, bytesUp: 0, bytesDown: 0 };
  /** The link broke, and is not open again. */
  #broken = false;
  #reconnecting: Promise<void> | undefined;

  constructor(
    readonly host: InventoryHost,
    private readonly options: SessionOptions,
  ) {}

  get isLocal(): boolean {
    return this.options.access.address.connection === "local";
  }

  /** What travelled to and from the host so far. */
  get traffic(): TransportStats {
    const { execs, bytesUp, bytesDown } = this.#remote?.stats ?? { execs: 0, bytesUp: 0, bytesDown: 0 };
    const lost = this.#lost;
    return { execs: lost.execs + execs, bytesUp: lost.bytesUp + bytesUp, bytesDown: lost.bytesDown + bytesDown };
  }

  /** Connects unless connected. @throws UnreachableError, HostKeyError */
  async transport(): Promise<Transport> {
    this.#remote ??= this.isLocal
      ? await this.#localTransport()
      : await this.options.connect(this.host, this.options.signal, this.options.access);
    return this.#remote;
  }

  async #localTransport(): Promise<Transport> {
    this.#local ??= await this.options.connectLocal();
    return this.#local;
  }

  /**
   * Facts: those of every program and of some groups, asked for once a run. Where they depend on who asks, they are asked for as
   * the play's user.
   */
  facts(asked: Iterable<FactGroup> = [], { as, anew = false }: FactsWish = {}): Promise<GatheredFacts> {
    const groups = completed(asked);
    const depends = asksAsUser(groups);
    const user = depends ? as : undefined;
    const known = this.#facts;
    const same = !depends || known?.as === user;
    if (known !== undefined && !anew && same && groups.every((group) => known.groups.includes(group))) return known.got;
    const got = this.#gather(groups, user);
    this.#facts = { groups, ...(user === undefined ? {} : { as: user }), got };
    return got;
  }

  async #gather(groups: readonly FactGroup[], user: string | undefined): Promise<GatheredFacts> {
    const transport = await this.transport();
    const archive = factsArchive(groups);
    const { becomePassword } = this.options.access;
    const become: Become = { method: "sudo", user: user ?? "", needsPassword: becomePassword !== undefined };
    const command = user === undefined ? `sh -c ${quote(ALONE_COMMAND)}` : becomeFromAnyone(become, ALONE_COMMAND);
    const stdin =
      user === undefined || becomePassword === undefined ? archive : stdinWithPassword(becomePassword, archive);
    const stderr = new BoundedText(STDERR_LIMIT);
    let code = 0;
    const host = {
      description: transport.description,
      exec: async (line: string, options: Parameters<Transport["exec"]>[1]) => {
        const result = await transport.exec(line, options);
        code = result.code ?? 1;
      },
    };
    const answering = boundedAnswer(host, command, {
      stdin,
      // A password must not be seen among the host's processes.
      inlined: user === undefined,
      most: FACTS_LIMIT,
      onStderr: (chunk) => stderr.push(chunk),
      timeoutMs: this.options.factsTimeoutMs ?? FACTS_TIMEOUT_MS,
      signal: this.options.signal,
    });
    // For the program that comes next.
    transport.openAhead?.();
    const answer = await answering;
    const refusal = user === undefined || answer.length > 0 ? undefined : diagnoseSudo(code, stderr.text.trim());
    if (refusal !== undefined) throw refusal;
    return { ...parseFacts(answer.toString("utf8"), groups, user !== undefined), groups: new Set(groups) };
  }

  /**
   * Sends a program, and its payloads where it has any, and runs it.
   * @param listener hears what the program says; what it throws ends the program
   * @throws UnreachableError code E_CONNECTION_LOST, or what sudo says.
   */
  async run(target: Target, program: string, payloads: readonly TarEntry[], listener: ProgramListener): Promise<void> {
    const transport = target.local ? await this.#localTransport() : await this.transport();
    const text = Buffer.from(program);
    const bytes = payloads.reduce((total, entry) => total + entry.size, text.length);
    const launch = payloads.length === 0 ? ALONE_COMMAND : launchCommand(bytes);
    const archive =
      payloads.length === 0
        ? compressed(text)
        : tarGzip([{ name: "program", size: text.length, source: text }, ...payloads]);
    const stderr = new BoundedText(STDERR_LIMIT);
    const onStderr = (chunk: Buffer) => stderr.push(chunk);
    const { becomePassword } = this.options.access;
    const become = this.#become(target);
    const command = become.method === "none" ? `sh -c ${quote(launch)}` : becomeCommand(become, launch);
    const stdin =
      become.needsPassword && becomePassword !== undefined ? stdinWithPassword(becomePassword, archive) : archive;
    let asked = false;
    const stop = () => {
      const { pid } = listener;
      if (pid === undefined || asked) return;
      asked = true;
      void this.#stop(target, pid).catch(() => undefined);
    };
    const { signal } = this.options;
    // What the listener throws ends the command; thrown where the bytes arrive it would be taken for a broken link.
    const enough = new AbortController();
    let refusal: { readonly error: unknown } | undefined;
    const hear = (chunk: Buffer) => {
      if (refusal !== undefined) return;
      try {
        listener.hear(chunk);
        if (signal?.aborted || listener.stop.aborted) stop();
      } catch (error) {
        refusal = { error };
        enough.abort();
      }
    };
    signal?.addEventListener("abort", stop, { once: true });
    listener.stop.addEventListener("abort", stop, { once: true });
    try {
      const running = transport.exec(command, { stdin, onStdout: hear, onStderr, signal: enough.signal, plain: true });
      const result = await running.catch((error: unknown) => {
        if (this.#remote === transport) this.#broken = true;
        throw refusal === undefined ? error : refusal.error;
      });
      if (refusal !== undefined) throw refusal.error;
      if (listener.spoke) return;
      const said = stderr.text.trim();
      throw (
        (become.method === "sudo" ? diagnoseSudo(result.code, said) : undefined) ??
        new TaskError(
          "E_PROGRAM",
          `The host does not run the program: ${said.split("\n").slice(-3).join("; ") || `exit status ${result.code}`}`,
          {
            hint: "The host needs sh, tar, gzip and coreutils, and room in /run or /tmp.",
          },
        )
      );
    } finally {
      signal?.removeEventListener("abort", stop);
      listener.stop.removeEventListener("abort", stop);
    }
  }

  /** Asks a program to end after the task at hand. */
  async #stop(target: Target, pid: number): Promise<void> {
    const transport = target.local ? await this.#localTransport() : await this.transport();
    const become = this.#become(target);
    const { becomePassword } = this.options.access;
    const command = `kill -TERM ${pid}`;
    await transport.exec(become.method === "none" ? command : becomeCommand(become, command), {
      stdin:
        become.needsPassword && becomePassword !== undefined
          ? stdinWithPassword(becomePassword, new Uint8Array())
          : new Uint8Array(),
    });
  }

  #become(target: Target): Become {
    return target.user === undefined
      ? { method: "none", user: "", needsPassword: false }
      : { method: "sudo", user: target.user, needsPassword: this.options.access.becomePassword !== undefined };
  }

  /** Opens a broken link again, once for all whose programs it broke. @throws the last attempt's error */
  async reconnect(lost: UnreachableError, onTry: (text: string) => void): Promise<void> {
    if (!this.#broken) return;
    this.#reconnecting ??= this.#reopen(lost, onTry).finally(() => {
      this.#reconnecting = undefined;
    });
    await this.#reconnecting;
  }

  async #reopen(lost: UnreachableError, onTry: (text: string) => void): Promise<void> {
    const { clock, signal, connect } = this.options;
    let failure: unknown = lost;
    this.#lost = this.traffic;
    await this.#remote?.close().catch(() => undefined);
    this.#remote = undefined;
    for (const pause of RECONNECT_AFTER) {
      onTry(`link lost, connecting again in ${pause / 1000} s`);
      await clock.sleep(pause, signal);
      try {
        this.#remote = await connect(this.host, signal, this.options.access);
        this.#broken = false;
        return;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /**
   * Waits until the host has booted anew and can go on.
   * @param before what its boot command said
   * @returns why it did not; undefined when it did
   */
  async comeBack(target: Target, wish: Reboots, before: string): Promise<string | undefined> {
    const { clock, signal } = this.options;
    await clock.sleep(wish.pauseMs, signal);
    let booted = false;
    const until = () => clock.now().getTime() + wish.timeoutMs;
    for (let end = until(); clock.now().getTime() < end; await clock.sleep(BOOT_PAUSE_MS, signal)) {
      try {
        const [boot, up] = await this.#bootState(target, wish);
        if (!booted && boot !== "" && boot !== before) {
          booted = true;
          end = until();
        }
        if (booted && up) return undefined;
      } catch (error) {
        // What a host says while it goes down or comes up, sshd's refusals among it, is not its last word.
        if (!(error instanceof EdgeError) || error instanceof HostKeyError || signal?.aborted) throw error;
      }
    }
    const what = booted ? "post-reboot test command" : "last boot time check";
    return `Timed out waiting for ${what} (timeout=${wish.timeoutMs / 1000})`;
  }

  /** What the boot command says, and whether the test command succeeds, over a new link. */
  async #bootState(target: Target, wish: Reboots): Promise<[boot: string, up: boolean]> {
    const { signal, connect, access } = this.options;
    this.#lost = this.traffic;
    await this.#remote?.close().catch(() => undefined);
    this.#remote = undefined;
    const limit = AbortSignal.timeout(wish.connectTimeoutMs ?? BOOT_CONNECT_MS);
    const transport = await connect(this.host, signal === undefined ? limit : AbortSignal.any([signal, limit]), access);
    this.#remote = transport;
    const become = this.#become(target);
    const asks = `b=$(sh -c ${quote(wish.bootCommand)}) && printf '%s\\036' "$b" && sh -c ${quote(wish.testCommand)} >/dev/null 2>&1 && echo up`;
    const answer = await boundedAnswer(
      transport,
      become.method === "none" ? `sh -c ${quote(asks)}` : becomeCommand(become, asks),
      {
        stdin:
          become.needsPassword && access.becomePassword !== undefined
            ? stdinWithPassword(access.becomePassword, new Uint8Array())
            : new Uint8Array(),
        most: FACTS_LIMIT,
        timeoutMs: BOOT_ANSWER_MS,
        signal,
      },
    );
    this.#broken = false;
    const [boot = "", up = ""] = answer.toString("utf8").split("\x1e");
    return [boot.trim(), up.trim() === "up"];
  }

  async close(): Promise<void> {
    const open = new Set([this.#remote, this.#local]);
    this.#remote = undefined;
    this.#local = undefined;
    for (const transport of open) await transport?.close().catch(() => undefined);
  }
}
