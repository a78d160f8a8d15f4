import { spawn } from "node:child_process";

/** One command line that is timed as a whole process. */
export interface Contender {
  readonly name: string;
  readonly argv: readonly string[];
  readonly runs: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Measured {
  readonly name: string;
  /** Wall time of each run, in seconds; empty when the command is not there or fails. */
  readonly seconds: readonly number[];
  /** Why nothing was measured. */
  readonly problem?: string;
}

/** Runs it once to warm caches, then `runs` times. A command that fails is not measured but named. */
export async function measure(contender: Contender): Promise<Measured> {
  const { name } = contender;
  const seconds: number[] = [];
  for (let run = -1; run < contender.runs; run++) {
    const began = performance.now();
    const problem = await runOnce(contender);
    if (problem !== undefined) return { name, seconds: [], problem };
    if (run >= 0) seconds.push((performance.now() - began) / 1000);
  }
  return { name, seconds };
}

/** @returns why it did not succeed. */
function runOnce({ argv, env }: Contender): Promise<string | undefined> {
  const [program = "", ...words] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, ...env } });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) => {
      const last = errors.trim().split("\n").at(-1) ?? "";
      resolve(code === 0 ? undefined : `exit code ${code}: ${last.slice(0, 120)}`);
    });
  });
}

/** @returns NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A Markdown table: median, fastest and slowest run, and the ratio to the first row. */
export function table(measured: readonly Measured[]): string {
  const reference = median(measured[0]?.seconds ?? []);
  const rows = measured.map((one) => {
    if (one.seconds.length === 0) return `| ${one.name} | ${one.problem ?? "not measured"} | | | |`;
    const spread = `${Math.min(...one.seconds).toFixed(3)} to ${Math.max(...one.seconds).toFixed(3)}`;
    const middle = median(one.seconds);
    return `| ${one.name} | ${middle.toFixed(3)} | ${spread} | ${one.seconds.length} | ${(middle / reference).toFixed(2)} |`;
  });
  const heading = `| whole process | median s | range s | runs | x ${measured[0]?.name} |`;
  return [heading, "|---|---|---|---|---|", ...rows].join("\n");
}
