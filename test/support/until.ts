import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds between two looks. */
const LOOK_MS = 20;
const LOOKS = 3000;

/** Waits until something is so. @throws Error after a minute, a guard against hangs */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    if (isSo()) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`waited ${(LOOKS * LOOK_MS) / 1000} s for ${what}`);
}
