import { interrupted, Semaphore } from "../util/semaphore.js";
import type { SshSession } from "./ssh-session.js";

/** sshd drops connections at random above ten unauthenticated ones (MaxStartups 10:30:100). */
const STARTS_PER_JUMP_HOST = 10;

interface Link {
  readonly session: SshSession;
  release(): void;
}

interface SharedLink {
  readonly opening: Promise<Link>;
  borrowers: number;
}

/** One connection per jump host for all hosts behind it, closed when the last of them is. */
export class JumpHosts {
  readonly #links = new Map<string, SharedLink>();
  readonly #starts = new WeakMap<SshSession, Semaphore>();

  async borrow(name: string, open: () => Promise<Link>, signal: AbortSignal | undefined): Promise<Link> {
    const shared = this.#links.get(name) ?? this.#begin(name, open);
    shared.borrowers += 1;
    const giveBack = () => this.#giveBack(name, shared);
    try {
      const { session } = await unlessAborted(shared.opening, signal);
      let isHeld = true;
      return {
        session,
        release: () => {
          if (isHeld) giveBack();
          isHeld = false;
        },
      };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /** Holds back the eleventh start through the same jump host. */
  limit<T>(session: SshSession, start: () => Promise<T>): Promise<T> {
    const held = this.#starts.get(session) ?? new Semaphore(STARTS_PER_JUMP_HOST);
    this.#starts.set(session, held);
    return held.run(start);
  }

  #begin(name: string, open: () => Promise<Link>): SharedLink {
    const shared: SharedLink = { opening: open(), borrowers: 0 };
    const forget = () => {
      if (this.#links.get(name) === shared) this.#links.delete(name);
    };
    this.#links.set(name, shared);
    // A lost or refused connection must not be handed to the next host, nor to a reconnect.
    shared.opening.then(({ session }) => session.lost.addEventListener("abort", forget, { once: true }), forget);
    return shared;
  }

  #giveBack(name: string, shared: SharedLink): void {
    shared.borrowers -= 1;
    if (shared.borrowers > 0) return;
    if (this.#links.get(name) === shared) this.#links.delete(name);
    shared.opening.then(
      ({ session, release }) => {
        session.close();
        release();
      },
      () => {},
    );
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(interrupted());
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
