import { createReadStream, existsSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { formatDuration } from "../../report/format.js";
import { logPath, stateFolder } from "../../report/log-files.js";
import { type PastRun, pastRuns } from "../../report/run-history.js";
import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";

/** Runs that are listed. */
const LISTED = 20;

/** `edge-setup logs`: past runs; with a host, what the last run (or the one named) said about it. */
export async function run({ flags, words, signal }: CommandContext): Promise<ExitCode> {
  const folder = stateFolder();
  const runs = pastRuns(folder);
  const [host] = words;
  if (host === undefined && flags.run === undefined) return list(runs, folder, flags.json === true);
  if (host === undefined) {
    throw new InputError("E_NO_LOG", "--run also needs the host whose log is wanted", {
      hint: `edge-setup logs HOST --run ${flags.run}`,
    });
  }
  const wanted = runs.find((one) => (flags.run === undefined || one.run === flags.run) && host in one.hosts);
  const path = wanted === undefined ? undefined : logPath(folder, wanted.run, host);
  if (path === undefined || !existsSync(path)) {
    const which = flags.run === undefined ? "no run" : `no run ${flags.run}`;
    throw new InputError("E_NO_LOG", `${which} with a log of ${host} is kept`, {
      hint: "`edge-setup logs` lists the runs and their hosts.",
    });
  }
  process.stderr.write(`${path}\n`);
  await pipeline(createReadStream(path), process.stdout, { end: false, signal });
  return exitCodes.ok;
}

function list(runs: readonly PastRun[], folder: string, json: boolean): ExitCode {
  if (json) {
    for (const one of runs) process.stdout.write(`${JSON.stringify(one)}\n`);
    return exitCodes.ok;
  }
  if (runs.length === 0) process.stderr.write(`No run is kept in ${folder} yet.\n`);
  for (const one of runs.slice(0, LISTED)) process.stdout.write(`${runLine(one)}\n`);
  return exitCodes.ok;
}

function runLine({ run, time, command, exitCode, durationMs, hosts }: PastRun): string {
  const names = Object.entries(hosts).map(([host, outcome]) => (outcome === "ok" ? host : `${host} (${outcome})`));
  const end = exitCode === exitCodes.ok ? "ok" : `exit ${exitCode}`;
  return `${run}  ${time.slice(0, 19).replace("T", " ")}  ${command.padEnd(6)}  ${end.padEnd(8)}  ${formatDuration(durationMs).padStart(6)}  ${names.join(", ")}`;
}
