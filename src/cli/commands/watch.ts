import { type ExitCode, exitCodes } from "../../util/errors.js";
import { hasProblem, sampleLines } from "../../watch/lines.js";
import type { HostSample } from "../../watch/types.js";
import type { HostWatch } from "../../watch/watch-host.js";
import type { CommandContext } from "../commands.js";
import { type Fleet, loadFleet } from "../fleet.js";
import { keepAndApply } from "../keep-and-apply.js";
import { intFlag } from "../options.js";
import { asker } from "../reach.js";
import { planRotation, type Rotation } from "../rotation.js";
import { secretLines, secretRows } from "../secret-lines.js";
import { anySignal } from "../signals.js";
import { colourWanted, wantsUnicode } from "../terminal-traits.js";
import { fleetToWatch, watchesOf } from "../watch-fleet.js";
import { sampleJson, watchKind } from "../watch-output.js";

const DEFAULT_INTERVAL_SECONDS = 2;

/** `edge-setup watch`: how hosts and streams are, until it is left. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const intervalMs = intFlag(context.flags, "interval", DEFAULT_INTERVAL_SECONDS, 1, 60) * 1000;
  const kind = watchKind(context.flags, true);
  const fleet = await fleetToWatch(context);
  // Nothing is at work that could have to end first.
  context.interruption.announce = () => undefined;
  if (kind === "tui") return dashboard(context, fleet, intervalMs);
  return lines(context, fleet, intervalMs, kind);
}

/** Lines, or JSON, of every look; ends when no host at all could be reached. */
async function lines(
  { flags, signal, interruption }: CommandContext,
  fleet: Fleet,
  intervalMs: number,
  kind: "plain" | "json" | "quiet",
): Promise<ExitCode> {
  const hopeless = new AbortController();
  const failed = new Set<string>();
  let reached = false;
  const onSample = (sample: HostSample) => {
    if (kind === "json") process.stdout.write(sampleJson(sample));
    else if (kind === "plain" || hasProblem(sample)) process.stdout.write(`${sampleLines(sample).join("\n")}\n`);
    if (sample.status === "ok") reached = true;
    else failed.add(sample.host);
    if (!reached && failed.size === fleet.hosts.length) hopeless.abort();
  };
  const all = anySignal(signal, hopeless.signal);
  const watches = watchesOf(fleet, flags, asker(flags), { intervalMs, signal: all, onSample, now: Date.now });
  await Promise.all(watches.map((watch) => watch.run()));
  return hopeless.signal.aborted ? exitCodes.unreachable : interruption.exitCode;
}

async function dashboard(context: CommandContext, fleet: Fleet, intervalMs: number): Promise<ExitCode> {
  const { flags, signal } = context;
  const { prepareEnvironment } = await import("../../ui/environment.js");
  const colour = colourWanted(flags, process.stdout);
  prepareEnvironment(colour);
  const { openDashboard } = await import("../../ui/watch/dashboard.js");
  const left = new AbortController();
  const all = anySignal(signal, left.signal);
  const names = fleet.hosts.map(({ host }) => host.name);
  let wish: Rotation | undefined;
  let log: AbortController | undefined;
  let watches: readonly HostWatch[] = [];
  const watchOf = (name: string) => watches.find((watch) => watch.host.name === name);
  const view = await openDashboard(
    names,
    {
      openLog(name) {
        const following = new AbortController();
        log = following;
        view.openLog(name);
        watchOf(name)
          ?.log((line) => view.logLine(name, line), anySignal(all, following.signal))
          .catch((error: Error) => {
            if (!following.signal.aborted) view.logLine(name, error.message);
          });
      },
      closeLog: () => log?.abort(),
      kick: (name, stream) => void kick(name, stream).catch((error: Error) => view.notice(error.message)),
      rotate: (name) => void rotate(name).catch((error: Error) => view.notice(error.message)),
      quit: () => left.abort(),
    },
    { colour, unicode: wantsUnicode(process.env, process.platform) },
  );

  async function kick(name: string, stream: string): Promise<void> {
    const text = `End the connection that publishes ${stream} to ${name}? Its viewers lose the picture, and its encoder may come back at once.`;
    if (!(await view.questions.confirm(text))) return;
    const dropped = await watchOf(name)?.kick(stream);
    view.notice(
      dropped === true
        ? `${stream} is ended. To keep its encoder out, give ${name} a new token (t).`
        : `Nobody publishes ${stream} to ${name} now.`,
    );
  }

  async function rotate(name: string): Promise<void> {
    const own = { ...fleet, hosts: fleet.hosts.filter(({ host }) => host.name === name) };
    const rotation = planRotation(own, { names: ["rtmp_publish_token"], streams: [] });
    const text = `Give ${name} a new publish token? Every encoder that publishes with the old one is dropped, and needs the new one.`;
    if (!(await view.questions.confirm(text))) return;
    const typed = await view.askName(`Type the name of the host to go on: ${name}`);
    if (typed !== name) return view.notice("Nothing was changed.");
    wish = rotation;
    left.abort();
  }

  try {
    watches = watchesOf(fleet, flags, view.questions, {
      intervalMs,
      signal: all,
      onSample: (sample) => view.sample(sample),
      now: Date.now,
    });
    // A host that is just being connected to is not waited for.
    await Promise.race([Promise.all(watches.map((watch) => watch.run())), aborted(all)]);
  } finally {
    left.abort();
    await view.close();
  }
  if (wish !== undefined) return applyRotation(context, fleet, wish);
  return signal.aborted ? context.interruption.exitCode : exitCodes.ok;
}

async function applyRotation(context: CommandContext, fleet: Fleet, { changes }: Rotation): Promise<ExitCode> {
  const code = await keepAndApply(context, fleet, changes);
  if (code !== exitCodes.ok) return code;
  const limit = [...changes.keys()].join(",");
  const after = await loadFleet({ ...context.flags, limit }, { saveSecrets: false, passwords: {} });
  for (const one of after.hosts) {
    const rows = secretRows(after, one).filter(({ name }) => name === "rtmp_publish_token");
    process.stdout.write(`\n${secretLines(one.host.name, rows, "use")}`);
  }
  return code;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
