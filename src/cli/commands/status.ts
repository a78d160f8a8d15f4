import { type ExitCode, exitCodes } from "../../util/errors.js";
import { hasProblem, sampleLines } from "../../watch/lines.js";
import type { HostSample } from "../../watch/types.js";
import type { CommandContext } from "../commands.js";
import { asker } from "../reach.js";
import { anySignal } from "../signals.js";
import { fleetToWatch, watchesOf } from "../watch-fleet.js";
import { sampleJson, watchKind } from "../watch-output.js";

/** Rates need two looks, so the second is the one that is told. */
const LOOKS = 2;

/** `edge-setup status`: one look at each host, for people and for monitoring. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, signal, interruption } = context;
  const kind = watchKind(flags, false);
  const fleet = await fleetToWatch(context);
  // Nothing is at work that could have to end first.
  interruption.announce = () => undefined;
  const enough = new AbortController();
  const all = anySignal(signal, enough.signal);
  const samples = new Map<string, { readonly looks: number; readonly sample: HostSample }>();
  const onSample = (sample: HostSample) => {
    samples.set(sample.host, { looks: (samples.get(sample.host)?.looks ?? 0) + 1, sample });
    const done = fleet.hosts.every(({ host }) => {
      const seen = samples.get(host.name);
      return seen !== undefined && (seen.looks >= LOOKS || seen.sample.status === "unreachable");
    });
    if (done) enough.abort();
  };
  const watches = watchesOf(fleet, flags, asker(flags), { intervalMs: 1000, signal: all, onSample, now: Date.now });
  await Promise.all(watches.map((watch) => watch.run()));
  if (signal.aborted) return interruption.exitCode;
  const seen = fleet.hosts.flatMap(({ host }) => samples.get(host.name)?.sample ?? []);
  for (const sample of seen) {
    if (kind === "json") process.stdout.write(sampleJson(sample));
    else if (kind !== "quiet" || hasProblem(sample)) process.stdout.write(`${sampleLines(sample).join("\n")}\n`);
  }
  if (seen.some((sample) => sample.status === "unreachable")) return exitCodes.unreachable;
  return seen.some(hasProblem) ? exitCodes.taskFailed : exitCodes.ok;
}
