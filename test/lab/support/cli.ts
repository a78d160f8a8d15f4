import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { LabExecResult, LabHost } from "../../../src/lab/index.js";
import type { RunEvent } from "../../../src/report/events.js";
import { runProgram } from "./lab.js";

const built = resolve(import.meta.dirname, "../../../dist/cli/main.js");

/** A folder as an operator has one: an inventory, an ssh_config, and a state of its own. */
export interface Desk {
  readonly folder: string;
  readonly state: string;
  /** Runs the built command line in the folder, as a user would. */
  run(...words: string[]): Promise<LabExecResult>;
  /** That command, for tests that need its process. */
  command(...words: string[]): { readonly argv: readonly string[]; readonly env: NodeJS.ProcessEnv };
  /** The same with `--json`: the events of the run. */
  events(...words: string[]): Promise<{ code: number; events: RunEvent[]; stdout: string; stderr: string }>;
}

/**
 * @param folder an empty folder
 * @param host whose known_hosts the desk trusts; several hosts of one lab share it
 * @param program another release of edge-setup than this one
 * @param cache XDG_CACHE_HOME; that of this machine unless given
 */
export function makeDesk(folder: string, host: LabHost, program = built, cache = sharedCache()): Desk {
  const state = join(folder, "state");
  mkdirSync(state, { recursive: true });
  writeFileSync(
    join(folder, "ssh_config"),
    `Host *\n  UserKnownHostsFile ${host.knownHostsFile}\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n`,
  );
  const env = {
    ...process.env,
    XDG_STATE_HOME: state,
    XDG_CACHE_HOME: cache,
    NO_COLOR: "1",
  };
  const argvOf = (words: readonly string[]) => [
    ...[process.execPath, program, ...words],
    ...["--ssh-config", join(folder, "ssh_config")],
  ];
  const run = (...words: string[]) => runProgram(argvOf(words), { cwd: folder, env });
  return {
    folder,
    state,
    run,
    command: (...words) => ({ argv: argvOf(words), env }),
    async events(...words) {
      const { code, stdout, stderr } = await run(...words, "--json");
      return { code, events: readEvents(stdout), stdout, stderr };
    },
  };
}

/** XDG_CACHE_HOME of this machine. */
export function sharedCache(): string {
  return process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
}

/** A cache that has the sources and no build, for tests in which something has to be compiled. */
export function cacheWithoutBuilds(folder: string): string {
  const sources = join(sharedCache(), "edge-setup/sources");
  const own = join(folder, "cache");
  mkdirSync(sources, { recursive: true });
  mkdirSync(join(own, "edge-setup"), { recursive: true });
  symlinkSync(sources, join(own, "edge-setup/sources"));
  return own;
}

/** Events of `--json`, one a line. */
export function readEvents(text: string): RunEvent[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RunEvent);
}
