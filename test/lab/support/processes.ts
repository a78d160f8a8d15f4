import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { runningHost } from "../../../src/lab/host.js";
import type { LabHost } from "../../../src/lab/index.js";
import { leaderOf, statFields } from "../../../src/lab/processes.js";

/** Milliseconds between two looks. */
const SAMPLE_MS = 10;

/** What must stay hidden, under names that a failing test may print. */
export type Secrets = Readonly<Record<string, string>>;

/** Where a secret was seen, in words: its name, the part of the process, whose process it is. */
export interface Sightings {
  readonly found: readonly string[];
  readonly looks: number;
}

export interface Sampling {
  /** Waits until all that runs now has been looked at. */
  look(): Promise<void>;
  stop(): Promise<Sightings>;
}

/**
 * Looks at the processes of a lab host, and at all that this process starts, until stopped. Others of the machine, such as
 * those of another suite, are none of its business.
 */
export function sampleProcesses(host: LabHost, secrets: Secrets): Sampling {
  const owned = new OwnedProcesses(host);
  const found = new Set<string>();
  let stopped = false;
  let looks = 0;
  const done = (async () => {
    for (; !stopped; looks++) {
      for (const { pid, side } of owned.look()) {
        for (const part of ["cmdline", "environ"]) {
          const text = readOrNothing(`/proc/${pid}/${part}`);
          for (const [name, secret] of Object.entries(secrets))
            if (text.includes(secret)) found.add(`${name} in ${part} ${side}: ${text.slice(0, 40)}`);
        }
      }
      await sleep(SAMPLE_MS);
    }
    return { found: [...found], looks };
  })();
  return {
    async look() {
      // The one that is under way may have passed by already.
      for (const end = looks + 2; looks < end; ) await sleep(SAMPLE_MS);
    },
    stop() {
      stopped = true;
      return done;
    },
  };
}

interface OwnedProcess {
  readonly pid: number;
  readonly side: "on the host" | "here";
}

/** Tells processes of a host and of this test from all others. */
class OwnedProcesses {
  readonly #namespace: string;
  /** `pid start` of what this process has started; what was seen once stays known when its parent ends before it. */
  readonly #started = new Set<string>();

  constructor(host: LabHost) {
    const { nspawn } = runningHost(host).current.state;
    const leader = nspawn === undefined ? undefined : leaderOf(nspawn);
    if (leader === undefined) throw new Error(`${host.name} is not running`);
    this.#namespace = readlinkSync(`/proc/${leader.pid}/ns/pid`);
  }

  look(): OwnedProcess[] {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map(Number).flatMap((pid): OwnedProcess[] => {
      if (namespaceOf(pid) === this.#namespace) return [{ pid, side: "on the host" }];
      return this.#isStartedHere(pid) ? [{ pid, side: "here" }] : [];
    });
  }

  #isStartedHere(pid: number): boolean {
    if (pid === process.pid) return true;
    const fields = statFields(pid);
    // Parent and start time, of the fields after the name (proc(5)).
    const [parent, start] = [Number(fields?.[1] ?? 0), fields?.[19]];
    const known = this.#started.has(`${pid} ${start}`) || (parent > 0 && this.#isStartedHere(parent));
    if (known) this.#started.add(`${pid} ${start}`);
    return known;
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** A file of what comes and goes: nothing, where it has gone. */
export function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
