import { nowText } from "../../report/events.js";
import { connect } from "../../transport/connect.js";
import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";
import { type ConvergeOptions, converge, succeeded } from "../converge.js";
import { type Display, openDisplay } from "../display.js";
import { type Fleet, type FleetHost, loadFleet } from "../fleet.js";
import { noticesOf } from "../notices.js";
import { edgeTarget, prove, resultCard } from "../proof.js";
import { asker, askPasswords, connectOptions, mayAsk } from "../reach.js";
import { RunFrame } from "../run-frame.js";
import { run as plan } from "./plan.js";

/** `edge-setup apply`: makes the hosts edges, and proves it where something changed. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, signal } = context;
  if (flags.check === true) return plan(context);
  if (flags.yes !== true && !mayAsk(flags)) {
    throw new InputError("E_NO_INPUT", "apply asks before it changes anything, and nobody is there to ask", {
      hint: "Add --yes; `edge-setup plan` shows what would change.",
    });
  }
  const prompter = asker(flags);
  const passwords = await askPasswords(flags, prompter);
  const display = openDisplay(flags, false);
  try {
    if (flags.yes !== true) {
      const pending = await plan({ ...context, flags: { ...flags, "exit-code": true } });
      if (pending !== exitCodes.changesPending) return pending;
      if (!(await prompter.confirm("Apply this?"))) return exitCodes.ok;
    }
    const fleet = await loadFleet(flags, { saveSecrets: true, passwords });
    return await applyAndProve(display, context, {
      command: "apply",
      flags,
      fleet,
      connectOptions: connectOptions(flags, prompter, signal),
      check: false,
      signal,
    });
  } finally {
    display.end();
  }
}

/** Converges, then publishes a test stream to each host that changed and shows how it is used. */
export async function applyAndProve(
  display: Display,
  { flags, signal }: CommandContext,
  run: Omit<ConvergeOptions, "emit">,
): Promise<ExitCode> {
  const frame = new RunFrame(display.emit, noticesOf(run.fleet));
  const options: ConvergeOptions = { ...run, emit: frame.emit };
  const outcome = await converge(options);
  if (signal.aborted) return frame.end(exitCodes.interrupted);
  const good = succeeded(outcome.recap);
  const changed = (host: string) => (outcome.recap[host]?.changed ?? 0) > 0;
  let code: ExitCode = outcome.exitCode;
  for (const one of options.fleet.hosts) {
    const name = one.host.name;
    if (!good.has(name) || flags["no-verify"] === true) continue;
    if (!changed(name) && flags.verify !== true) continue;
    const ok = await proveAndShow(display, one, options);
    if (!ok && code === exitCodes.ok) code = exitCodes.taskFailed;
  }
  const { created, file } = options.fleet.secrets;
  if (created.length > 0 && file !== undefined) {
    display.result(`\nTokens and passwords are kept in ${file} (mode 0600).\n`);
  }
  return frame.end(code);
}

async function proveAndShow(display: Display, one: FleetHost, options: ConvergeOptions): Promise<boolean> {
  const { fleet, connectOptions, emit, signal } = options;
  const transport = await connect(one.access.address, connectOptions);
  try {
    const proof = await prove(one, transport, emit, signal);
    const reveal = fleet.secrets.created.includes(one.host.name) && mayReveal(fleet);
    display.result(resultCard(edgeTarget(one, transport), proof.firstSegmentMs, reveal));
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
    return proof.ok;
  } finally {
    await transport.close();
  }
}

/** On the operator's own terminal, and wherever the secrets end with the run: never into the log of a pipeline. */
function mayReveal(fleet: Fleet): boolean {
  return process.stdout.isTTY === true || fleet.secrets.file === undefined;
}
