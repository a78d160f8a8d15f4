import { certificateKind, showsCertificate } from "../../inventory/settings/https-clashes.js";
import type { Asker } from "../../ui/prompts/prompter.js";
import { EdgeError, type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import { lookBeforeCa } from "../certificate-guard.js";
import { stateLines, stateOf, stateParts, type ToolState } from "../certificate-state.js";
import type { CommandContext } from "../commands.js";
import { type FleetHost, loadFleet } from "../fleet.js";
import { printable, runOnHost } from "../host-command.js";
import { asker, askPasswords, mayAsk } from "../reach.js";

const TOOL = "/opt/edge/bin/edge-certs";
/** Exit code where there is no such tool. */
const NO_TOOL = 90;
const ACTIONS = ["show", "renew", "revoke"] as const;
type Action = (typeof ACTIONS)[number];

/** `edge-setup certs`: the certificates that edges show. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, words, signal } = context;
  const [word = "show"] = words;
  const action = ACTIONS.find((one) => one === word);
  if (action === undefined)
    throw new InputError("E_WORDS", `certs cannot ${word}`, { hint: `It can ${ACTIONS.join(", ")}.` });
  const dry = flags["dry-run"] === true;
  if (dry && action !== "renew") throw new InputError("E_FLAG_VALUE", `--dry-run has no effect with certs ${action}`);
  const prompter = asker(flags);
  const fleet = await loadFleet(flags, { saveSecrets: false, passwords: await askPasswords(flags, prompter) });
  if (action !== "show") for (const one of fleet.hosts) assertOfCa(one, action);
  const changes = action === "revoke" || (action === "renew" && !dry);
  if (changes && !(await mayChange(action, context))) return exitCodes.ok;
  let worst: ExitCode = exitCodes.ok;
  for (const one of fleet.hosts) {
    const code = await onOne(one, action, context, prompter).catch((error: unknown) => {
      if (!(error instanceof EdgeError) || signal.aborted) throw error;
      return tell(
        one,
        flags.json === true,
        [error.message, ...(error.hint === undefined ? [] : [error.hint])],
        error.exitCode,
      );
    });
    if (worst === exitCodes.ok) worst = code;
  }
  return worst;
}

async function mayChange(action: Action, { flags }: CommandContext): Promise<boolean> {
  if (flags.yes === true) return true;
  if (!mayAsk(flags))
    throw new InputError("E_NO_INPUT", `certs ${action} asks a CA for something, and nobody is there to confirm it`, {
      hint: "Add --yes.",
    });
  return asker(flags).confirm(action === "revoke" ? "Have the CA revoke this?" : "Ask the CA for new ones?");
}

function assertOfCa({ host, settings: { values } }: FleetHost, action: Action): void {
  if (showsCertificate(values) && certificateKind(values) === "acme") return;
  throw new InputError("E_CERTIFICATE", `the certificate of ${host.name} is not of a CA that could ${action} it`, {
    hint: "certs works on those that https_cert_domain asks for.",
  });
}

async function onOne(
  one: FleetHost,
  action: Action,
  { flags, signal }: CommandContext,
  prompter: Asker,
): Promise<ExitCode> {
  const ask = (words: string) =>
    runOnHost(one, `[ -x ${TOOL} ] || exit ${NO_TOOL}; exec ${TOOL} ${words}`, { flags, prompter, signal });
  const json = flags.json === true;
  const shown = await ask("show");
  if (shown.code === NO_TOOL) return tell(one, json, ["shows no certificate"], exitCodes.ok);
  if (shown.code !== 0) return tell(one, json, linesOf(shown.stderr), exitCodes.taskFailed);
  const state = stateOf(shown.stdout);
  if (action === "show") return show(one, state, json);
  const dry = flags["dry-run"] === true;
  if (action === "renew") {
    const warn = (text: string) => process.stderr.write(`${one.host.name}  warning  ${text}\n`);
    await lookBeforeCa(one, state, warn, signal);
  }
  const { code, stdout, stderr } = await ask(dry ? "renew --dry-run" : action);
  if (code !== 0) return tell(one, json, linesOf(stderr), exitCodes.taskFailed);
  const said = [...(dry ? ["the CA would give one; nothing was kept"] : []), ...linesOf(stdout)];
  return tell(one, json, said, exitCodes.ok);
}

function show(one: FleetHost, state: ToolState, json: boolean): ExitCode {
  if (!json) return tell(one, false, stateLines(state, Date.now()), exitCodes.ok);
  process.stdout.write(`${JSON.stringify({ host: one.host.name, ...stateParts(state) })}\n`);
  return exitCodes.ok;
}

function tell({ host }: FleetHost, json: boolean, lines: readonly string[], code: ExitCode): ExitCode {
  if (json) process.stdout.write(`${JSON.stringify({ host: host.name, ok: code === exitCodes.ok, said: lines })}\n`);
  else process.stdout.write(`${host.name}\n${lines.map((line) => `  ${printable(line)}\n`).join("")}`);
  return code;
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
