import { spawn } from "node:child_process";
import type { Passed } from "./delay-proxy.js";
import { median } from "./measure.js";

/** One run of a command line as a whole process tree. */
export interface OneRun extends Passed {
  /** Wall time, seconds. */
  readonly seconds: number;
  /** User and system time here, of all processes that were waited for, seconds. */
  readonly cpu: number;
  /** Most memory that any one of them had, MB. */
  readonly megabytes: number;
  /** Processor seconds of all hosts. */
  readonly hostCpu: number;
}

export interface MeasuredRow {
  readonly name: string;
  readonly runs: readonly OneRun[];
  /** Why nothing was measured. */
  readonly problem?: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const FORMAT = "measured %e %U %S %M";

/** Runs a command under GNU time. @throws Error when it fails */
export async function runMeasured({ argv, env, cwd }: Command): Promise<Pick<OneRun, "seconds" | "cpu" | "megabytes">> {
  const began = performance.now();
  const child = spawn("/usr/bin/time", ["-f", FORMAT, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    cwd,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said = (said + chunk).slice(-4000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const seconds = (performance.now() - began) / 1000;
  const [, , user, system, kilobytes] = /measured (\S+) (\S+) (\S+) (\S+)/.exec(said) ?? [];
  if (code !== 0) throw new Error(`exit code ${code}: ${said.trim().split("\n").slice(-4).join(" | ").slice(0, 300)}`);
  return { seconds, cpu: Number(user) + Number(system), megabytes: Number(kilobytes) / 1024 };
}

const middle = (row: MeasuredRow, field: keyof OneRun) => median(row.runs.map((run) => run[field]));

/** Median seconds of a row. */
export const secondsOf = (row: MeasuredRow | undefined): number =>
  row === undefined ? Number.NaN : middle(row, "seconds");

/** A Markdown table; ratios are to edge-setup's row. */
export function measuredTable(title: string, rows: readonly MeasuredRow[], own: string): string {
  const reference = secondsOf(rows.find((row) => row.name === own));
  const cells = rows.map((row) => {
    if (row.runs.length === 0) return `| ${row.name} | ${row.problem ?? "not measured"} | | | | | | | | |`;
    const number = (field: keyof OneRun, digits: number) => middle(row, field).toFixed(digits);
    const bytes = (field: "up" | "down") => (middle(row, field) / 1000).toFixed(1);
    return `| ${[
      ...[row.name, number("seconds", 2), (secondsOf(row) / reference).toFixed(2), number("cpu", 2)],
      ...[
        number("hostCpu", 2),
        number("megabytes", 0),
        bytes("up"),
        bytes("down"),
        number("turns", 0),
        row.runs.length,
      ],
    ].join(" | ")} |`;
  });
  return [
    `| ${title} | wall s | ratio | CPU s | CPU s of hosts | peak MB | KB up | KB down | turns | runs |`,
    "|---|---|---|---|---|---|---|---|---|---|",
    ...cells,
  ].join("\n");
}
