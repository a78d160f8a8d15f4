import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { InterruptedError } from "../util/errors.js";

/** Time as a parameter, so that tests need not wait for it. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** @throws InterruptedError when the signal is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (cause) {
      throw new InterruptedError("E_INTERRUPTED", "the verification is interrupted", { cause });
    }
  },
};

/**
 * The promise's value, or the error of `onLate` when it takes longer.
 * @param ms milliseconds of real time
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number, onLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(onLate()), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
