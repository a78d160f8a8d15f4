import type { VerifyResult } from "../edge/verify.js";
import { nowText } from "../report/events.js";
import { connect } from "../transport/connect.js";
import { type ExitCode, exitCodes } from "../util/errors.js";
import { quoteAll } from "../util/shell.js";
import type { CommandContext } from "./commands.js";
import { type ConvergeOptions, converge, succeeded } from "./converge.js";
import { type Display, openDisplay } from "./display.js";
import { type Fleet, type FleetHost, type FleetOptions, loadFleet } from "./fleet.js";
import { goBack, UpgradeNotes } from "./going-back.js";
import { noticesOf } from "./notices.js";
import type { Flags } from "./options.js";
import { connectOptions } from "./reach.js";
import { RunFrame } from "./run-frame.js";
import { colourWanted, wantsUnicode } from "./terminal-traits.js";

/** Applies the inventory that the flags name, on the display that they ask for; failed hosts again for as long as wanted. */
export async function applyFleet(context: CommandContext, passwords: FleetOptions["passwords"]): Promise<ExitCode> {
  const { flags, signal, interruption } = context;
  const fleet = await loadFleet(flags, { saveSecrets: true, passwords });
  const display = await openDisplay(flags, { tasksAreResult: false, interruption });
  try {
    return await untilDone(display, context, {
      command: "apply",
      flags,
      fleet,
      connectOptions: connectOptions(flags, display.asker, signal),
      check: false,
      signal,
    });
  } finally {
    await display.end();
  }
}

/** A run and its proofs, and its failed hosts once more whenever the operator says so. */
export async function untilDone(
  display: Display,
  context: CommandContext,
  run: Omit<ConvergeOptions, "emit">,
): Promise<ExitCode> {
  const { code, failed } = await applyAndProve(display, context, run);
  if (failed.length === 0 || run.signal.aborted || (await display.afterRun()) === "quit") return code;
  const again = run.fleet.hosts.filter((one) => failed.includes(one.host.name));
  return untilDone(display, context, { ...run, fleet: { ...run.fleet, hosts: again } });
}

/** Converges, then publishes a test stream to each host that changed and shows how it is used. */
async function applyAndProve(
  display: Display,
  { flags, signal, interruption }: CommandContext,
  run: Omit<ConvergeOptions, "emit">,
): Promise<{ readonly code: ExitCode; readonly failed: readonly string[] }> {
  const frame = new RunFrame(display.emit, noticesOf(run.fleet));
  const upgrades = new UpgradeNotes(frame.emit);
  const options: ConvergeOptions = { ...run, emit: upgrades.emit };
  const outcome = await converge(options);
  if (signal.aborted) return { code: frame.end(interruption.exitCode), failed: [] };
  const good = succeeded(outcome.recap);
  const failed = options.fleet.hosts.map((one) => one.host.name).filter((name) => !good.has(name));
  const changed = (host: string) => (outcome.recap[host]?.changed ?? 0) > 0;
  let code: ExitCode = outcome.exitCode;
  for (const one of options.fleet.hosts) {
    const name = one.host.name;
    if (!good.has(name) || flags["no-verify"] === true) continue;
    if (!changed(name) && flags.verify !== true) continue;
    const proof = await proveAndShow(display, one, options);
    if (proof.ok) continue;
    failed.push(name);
    if (upgrades.has(name)) {
      await goBack(one, {
        ...{ flags, prompter: display.asker, signal, emit: frame.emit },
        failed: proof.checks.filter(({ status }) => status === "fail").map(({ id }) => id),
        prove: async () => (await proveOnce(one, options)).ok,
      });
    }
    if (code === exitCodes.ok) code = exitCodes.taskFailed;
  }
  const { created, file } = options.fleet.secrets;
  if (created.length > 0 && file !== undefined) {
    display.result(`\nTokens and passwords are kept in ${file} (mode 0600).\n`);
  }
  return { code: frame.end(code), failed };
}

async function proveAndShow(display: Display, one: FleetHost, options: ConvergeOptions): Promise<VerifyResult> {
  const { fleet, connectOptions, emit, signal } = options;
  const { name } = one.host;
  const { edgeTarget, prove, resultCard } = await import("./proof.js");
  const transport = await connect(one.access.address, connectOptions);
  try {
    const proof = await prove(one, transport, emit, signal);
    const reveal = fleet.secrets.created.includes(one.host.name) && mayReveal(fleet);
    display.result(
      await resultCard(edgeTarget(one, transport), proof.firstSegmentMs, {
        reveal,
        columns: process.stdout.columns ?? 80,
        drawings: display.kind !== "json" && canDraw(options.flags),
        publicName: one.settings.values.public_name,
        words: hostWords(fleet, name, options.flags),
      }),
    );
    if (!proof.ok) {
      emit({
        type: "message",
        time: nowText(),
        level: "error",
        host: one.host.name,
        text: "The edge is set up, and the proof did not pass.",
        hint: `See the failed checks above; \`edge-setup verify -l ${one.host.name}\` runs them again.`,
      });
    }
    return proof;
  } finally {
    await transport.close();
  }
}

async function proveOnce(one: FleetHost, { connectOptions, emit, signal }: ConvergeOptions): Promise<VerifyResult> {
  const { prove } = await import("./proof.js");
  const transport = await connect(one.access.address, connectOptions);
  try {
    return await prove(one, transport, emit, signal);
  } finally {
    await transport.close();
  }
}

/** How later commands name the host; undefined for one that lives for this run only. */
function hostWords(fleet: Fleet, name: string, flags: Flags): string | undefined {
  if (fleet.secrets.file === undefined) return undefined;
  const inventory = flags.inventory === undefined ? [] : ["-i", flags.inventory];
  const config = flags["ssh-config"] === undefined ? [] : ["--ssh-config", flags["ssh-config"]];
  return quoteAll(["-l", name, ...inventory, ...config]);
}

/** Half blocks and colours: on a terminal whose locale has them. */
function canDraw(flags: Flags): boolean {
  return (
    process.stdout.isTTY === true && colourWanted(flags, process.stdout) && wantsUnicode(process.env, process.platform)
  );
}

/** On the operator's own terminal, and wherever the secrets end with the run: never into the log of a pipeline. */
function mayReveal(fleet: Fleet): boolean {
  return process.stdout.isTTY === true || fleet.secrets.file === undefined;
}
