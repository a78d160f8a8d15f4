import type { HostAccess } from "../inventory/host-address.js";
import type { InventoryHost } from "../inventory/types.js";
import { HostKeyError, UnreachableError } from "../util/errors.js";
import { Semaphore } from "../util/semaphore.js";
import type { Delegate, Target } from "./compiled.js";
import type { HostSession } from "./session.js";

/** A host that tasks may be delegated to, with how it is reached. */
export interface DelegateHost {
  readonly host: InventoryHost;
  readonly access: HostAccess;
}

/** Where a program runs. */
export interface Link {
  readonly session: HostSession;
  readonly target: Target;
}

export interface DelegatesInput {
  readonly names: readonly string[];
  readonly find: (name: string, login: string | undefined) => Promise<DelegateHost>;
  /** Connects, or gives the connection that there is. */
  readonly open: (host: InventoryHost, access: HostAccess) => Promise<HostSession>;
}

interface Known {
  readonly session: HostSession;
  readonly access: HostAccess;
}

/** Hosts that tasks of other hosts are delegated to: each is connected once a run by each user, and works for one of them at a time. */
export class Delegates {
  readonly #input: DelegatesInput;
  readonly #known = new Map<string, Promise<Known>>();
  readonly #turns = new Map<string, Semaphore>();
  readonly #working = new Set<string>();

  constructor(input: DelegatesInput) {
    this.#input = input;
  }

  get names(): readonly string[] {
    return this.#input.names;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /**
   * Runs a program's work on a delegate, when its turn has come. Its own run, if it has one, goes on beside it.
   * @param onWait is told when another host has the turn
   * @throws UnreachableError, HostKeyError that name the delegate
   */
  async work<T>(
    { delegate, user }: { readonly delegate: Delegate; readonly user: string | undefined },
    signal: AbortSignal | undefined,
    onWait: () => void,
    work: (link: Link) => Promise<T>,
  ): Promise<T> {
    const { host: name } = delegate;
    const { session, access } = await this.#reach(delegate);
    const become = delegate.become ?? access.become === true;
    const wanted = user ?? access.becomeUser ?? "root";
    const isRoot = wanted === "root" && (await session.facts()).uid === 0;
    const target: Target = { local: false, user: become && !isRoot ? wanted : undefined };
    const turn = this.#turns.get(name) ?? new Semaphore(1);
    this.#turns.set(name, turn);
    if (this.#working.has(name)) onWait();
    return await turn.run(async () => {
      this.#working.add(name);
      try {
        return await work({ session, target });
      } finally {
        this.#working.delete(name);
      }
    }, signal);
  }

  #reach({ host: name, login }: Delegate): Promise<Known> {
    const key = JSON.stringify([name, login]);
    const known = this.#known.get(key) ?? this.#open(name, login);
    this.#known.set(key, known);
    return known;
  }

  async #open(name: string, login: string | undefined): Promise<Known> {
    try {
      const { host, access } = await this.#input.find(name, login);
      const session = await this.#input.open(host, access);
      await session.facts();
      return { session, access };
    } catch (error) {
      if (!(error instanceof UnreachableError || error instanceof HostKeyError)) throw error;
      const Kind = error instanceof UnreachableError ? UnreachableError : HostKeyError;
      const text = `${name}, to which a task is delegated: ${error.message}`;
      throw new Kind(error.code, text, { hint: error.hint, cause: error });
    }
  }
}
