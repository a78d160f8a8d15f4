/** A timer that stands still while the operator is being asked something. */
export class Deadline {
  readonly #expire: () => void;
  #left: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #holds = 0;
  #over = false;

  /** Calls `expire` after `milliseconds` of not being held. */
  constructor(milliseconds: number, expire: () => void) {
    this.#left = milliseconds;
    this.#expire = expire;
    this.#start();
  }

  /** Stops the clock until the task is done. */
  async hold<T>(task: () => Promise<T>): Promise<T> {
    if (this.#holds === 0) this.#pause();
    this.#holds += 1;
    try {
      return await task();
    } finally {
      this.#holds -= 1;
      if (this.#holds === 0) this.#start();
    }
  }

  clear(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#left -= performance.now() - this.#startedAt;
  }

  #start(): void {
    if (this.#over) return;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(
      () => {
        this.#over = true;
        this.#expire();
      },
      Math.max(0, this.#left),
    );
  }
}
