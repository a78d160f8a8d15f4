import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What has gone through a proxy. */
export interface Passed {
  /** Bytes from the controller, and to it. */
  readonly up: number;
  readonly down: number;
  /** How often the controller spoke after the host had: each costs a round trip, wherever they do not overlap. */
  readonly turns: number;
}

/** Stands before one host, holds back what passes for half a round-trip time each way, and counts it. */
export class DelayProxy {
  readonly #server: Server;
  #up = 0;
  #down = 0;
  #turns = 0;

  private constructor(
    host: string,
    port: number,
    /** Milliseconds. */
    readonly roundTripTime: number,
  ) {
    this.#server = createServer({ noDelay: true }, (near) => {
      const far = connect({ host, port, noDelay: true });
      let wasUp = false;
      this.#carry(near, far, (bytes) => {
        this.#up += bytes;
        if (!wasUp) this.#turns++;
        wasUp = true;
      });
      this.#carry(far, near, (bytes) => {
        this.#down += bytes;
        wasUp = false;
      });
    });
  }

  static async start(host: string, port: number, roundTripTime: number): Promise<DelayProxy> {
    const proxy = new DelayProxy(host, port, roundTripTime);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What has passed since it was last asked. */
  take(): Passed {
    const passed = { up: this.#up, down: this.#down, turns: this.#turns };
    this.#up = 0;
    this.#down = 0;
    this.#turns = 0;
    return passed;
  }

  close(): void {
    this.#server.close();
  }

  #carry(from: Socket, to: Socket, count: (bytes: number) => void): void {
    const late = (act: () => void) => {
      if (this.roundTripTime === 0) act();
      else setTimeout(act, this.roundTripTime / 2);
    };
    from.on("data", (chunk: Buffer) => {
      count(chunk.length);
      late(() => to.write(chunk));
    });
    from.on("end", () => late(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => late(() => to.destroySoon()));
  }
}
