import { connect } from "../transport/connect.js";
import type { ConnectOptions, Transport } from "../transport/transport.js";
import type { Fleet } from "./fleet.js";

/** Connections begun before the run needs them: as many as the run works on at once. */
export class HeadStart {
  readonly #begun = new Map<string, Promise<Transport>>();

  constructor(fleet: Fleet, forks: number, options: ConnectOptions) {
    for (const { host, access } of fleet.hosts.slice(0, forks)) {
      const connection = connect(access.address, options);
      // Whoever takes it hears of a failure.
      connection.catch(() => undefined);
      this.#begun.set(host.name, connection);
    }
  }

  /** The connection begun for a host, once; a reconnect is a new one. */
  take(host: string): Promise<Transport> | undefined {
    const connection = this.#begun.get(host);
    this.#begun.delete(host);
    return connection;
  }

  /** Closes what nobody took. */
  async close(): Promise<void> {
    const left = [...this.#begun.values()];
    this.#begun.clear();
    await Promise.all(
      left.map((connection) => connection.then((transport) => transport.close()).catch(() => undefined)),
    );
  }
}
