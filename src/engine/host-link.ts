import type { EmitEvent } from "../report/events.js";
import { TaskError, UnreachableError } from "../util/errors.js";
import type { CompiledCall, Segment, Target } from "./compiled.js";
import type { Delegates, Link } from "./delegates.js";
import type { Booted } from "./program.js";
import type { ProgramReader } from "./program-reader.js";
import type { Clock, HostSession, ProgramListener } from "./session.js";
import type { TarEntry } from "./tar.js";
import { whenThere } from "./when-there.js";

type Boot = NonNullable<ProgramReader["reboots"]>;

interface LinkInput {
  readonly session: HostSession;
  readonly delegates: Delegates;
  readonly emit: EmitEvent;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** The way of a play's programs to where they run, and what happens on it: a link that breaks, a boot, a host that is not there. */
export class HostLink {
  readonly #input: LinkInput;

  constructor(input: LinkInput) {
    this.#input = input;
  }

  /** Waits until the host is back from a boot. */
  async reboot({ calls, target }: Segment, { call, boot, since }: Boot): Promise<Booted> {
    const { session, delegates, signal, clock } = this.#input;
    const wish = calls[call - 1]?.reboots;
    if (wish === undefined) throw new TaskError("E_PROTOCOL", "The host boots anew, and no task asked for that.");
    const { delegate, user } = target;
    this.say("info", `${delegate === undefined ? "" : `${delegate.host}: `}boots anew; waiting until it is back`);
    const back = (link: Link) => link.session.comeBack(link.target, wish, boot);
    const failure =
      delegate === undefined
        ? await back({ session, target })
        : await delegates.work({ delegate, user }, signal, () => undefined, back);
    return { call, seconds: Math.round((clock.now().getTime() - since) / 1000), failure };
  }

  /** Waits for a host that is lost where its task says so; true when it is there again. @throws the error that it was lost by */
  async awaited(call: CompiledCall | undefined, { delegate }: Target, lost: unknown): Promise<boolean> {
    const { session, clock, signal } = this.#input;
    const wish = call?.waits;
    if (!(lost instanceof UnreachableError) || wish === undefined || delegate !== undefined) throw lost;
    this.say("info", "is not there; waiting until it is");
    await whenThere(wish, { clock, signal }, () => session.transport());
    return true;
  }

  /** Runs a program where it belongs; true when its link broke and is open again. */
  async run(target: Target, text: string, entries: readonly TarEntry[], listener: ProgramListener): Promise<boolean> {
    const { session, delegates, signal } = this.#input;
    const { delegate, user } = target;
    const on = async (link: Link) => {
      try {
        await link.session.run(link.target, text, entries, listener);
        return false;
      } catch (error) {
        if (!(error instanceof UnreachableError) || error.code !== "E_CONNECTION_LOST") throw error;
        if (listener.reboots) return true;
        const where = delegate === undefined ? "" : `${delegate.host}: `;
        await link.session.reconnect(error, (said) => this.say("warning", where + said));
        return true;
      }
    };
    if (delegate === undefined) return await on({ session, target });
    const onWait = () => this.say("info", `waits until ${delegate.host} has done another host's task`);
    return await delegates.work({ delegate, user }, signal, onWait, on);
  }

  /** Tells of the host, whatever is done for it elsewhere. */
  say(level: "info" | "warning", text: string): void {
    const { emit, clock, session } = this.#input;
    emit({ type: "message", time: clock.now().toISOString(), level, host: session.host.name, text });
  }
}
