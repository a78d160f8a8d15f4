import { setTimeout } from "node:timers/promises";
import { connect, prepareConnections } from "../transport/connect.js";
import type { ConnectOptions, Transport } from "../transport/transport.js";
import { interrupted } from "../util/semaphore.js";
import type { Fleet, FleetHost } from "./fleet.js";
import { anySignal } from "./signals.js";

/** Other work waits so long for hosts that are far, in milliseconds. */
const LONGEST_WAIT_MS = 50;

/** Connections begun before the run needs them: as many as the run works on at once. */
export class HeadStart {
  readonly #hosts: readonly FleetHost[];
  readonly #options: ConnectOptions;
  readonly #begun = new Map<string, Promise<Transport>>();
  readonly #end = new AbortController();
  readonly #login: Promise<void>;
  /** Lets all go on to their logins. */
  logIn: () => void = () => {};
  #giveUp: (error: Error) => void = () => {};
  readonly #called: Promise<void>;
  #call: () => void = () => {};
  readonly #answered: Promise<void>;
  #hear: () => void = () => {};

  constructor(fleet: Fleet, forks: number, options: ConnectOptions) {
    this.#hosts = fleet.hosts.slice(0, forks);
    this.#options = options;
    this.#login = new Promise((resolve, reject) => {
      this.logIn = resolve;
      this.#giveUp = reject;
    });
    this.#login.catch(() => undefined);
    this.#called = new Promise((resolve) => {
      this.#call = resolve;
    });
    this.#answered = new Promise((resolve) => {
      this.#hear = resolve;
    });
  }

  /** Calls the hosts, once. Comes back when the processor has nothing more to do for it before they answer. */
  async begin(): Promise<void> {
    if (this.#begun.size > 0) return;
    const { signal } = this.#options;
    const ends = signal === undefined ? this.#end.signal : anySignal(signal, this.#end.signal);
    const options = { ...this.#options, signal: ends, login: this.#login, onCall: this.#call, onAnswer: this.#hear };
    const prepared = prepareConnections(
      this.#hosts.map(({ access }) => access.address),
      options,
    );
    for (const { host, access } of this.#hosts) {
      const connection = connect(access.address, options);
      // Whoever takes it hears of a failure.
      connection
        .catch(() => undefined)
        .then(() => {
          this.#call();
          this.#hear();
        });
      this.#begun.set(host.name, connection);
    }
    await prepared;
    await soon(this.#called);
  }

  /** Comes back when a host is to speak next, which leaves a round trip for other work. */
  async underWay(): Promise<void> {
    await soon(this.#answered);
  }

  /** The connection begun for a host, once; a reconnect is a new one. */
  take(host: string): Promise<Transport> | undefined {
    const connection = this.#begun.get(host);
    this.#begun.delete(host);
    return connection;
  }

  /** Ends what nobody took, in silence. */
  async close(): Promise<void> {
    const left = [...this.#begun.values()];
    this.#begun.clear();
    this.#giveUp(interrupted());
    this.#end.abort();
    await Promise.all(
      left.map((connection) => connection.then((transport) => transport.close()).catch(() => undefined)),
    );
  }
}

async function soon(happened: Promise<void>): Promise<void> {
  const waiting = new AbortController();
  await Promise.race([happened, setTimeout(LONGEST_WAIT_MS, undefined, { signal: waiting.signal })]);
  waiting.abort();
}
