import { parseExtraVars } from "../../inventory/extra-vars.js";
import { revealedVars } from "../../inventory/host-value.js";
import { terminalPrompter } from "../../ui/prompts/prompter.js";
import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import { askVars } from "../ask-vars.js";
import type { CommandContext } from "../commands.js";
import { openDisplay } from "../display.js";
import { loadPlayHosts } from "../play-hosts.js";
import { readPlaybook, runAnyPlaybook } from "../playbook-run.js";
import { asker, askPasswords, connectOptions, mayAsk } from "../reach.js";
import { RunFrame } from "../run-frame.js";
import { vaultOf } from "../vault-passwords.js";

/** `edge-setup play`: runs any playbook of the subset (docs/playbook-language.md) on any inventory. */
export async function run({ flags, words, signal, interruption }: CommandContext): Promise<ExitCode> {
  const [file] = words;
  if (file === undefined) {
    throw new InputError("E_NO_PLAYBOOK", "play needs the playbook's file", {
      hint: "`edge-setup play site.yml -i hosts.yml`; docs/playbook-language.md says what it may hold.",
    });
  }
  const vault = vaultOf(flags);
  const extraVars = await parseExtraVars(flags["extra-vars"] ?? [], { vault });
  const asked = readPlaybook(file, flags, revealedVars(extraVars.vars));
  if (flags["syntax-check"] === true) {
    process.stdout.write(`${file}: ${asked.plays.length} ${asked.plays.length === 1 ? "play" : "plays"}, all right\n`);
    return exitCodes.ok;
  }
  const passwords = await askPasswords(flags, asker(flags));
  const { playbook, secrets } = await askVars(asked, {
    extraVars: revealedVars(extraVars.vars),
    asker: mayAsk(flags) ? terminalPrompter() : undefined,
    warn: (text) => void process.stderr.write(`edge-setup: ${text}\n`),
  });
  const hosts = await loadPlayHosts(playbook, flags, { vault, extraVars, passwords });
  const display = await openDisplay(flags, { tasksAreResult: true, interruption });
  const frame = new RunFrame(display.emit, []);
  try {
    const outcome = await runAnyPlaybook({
      ...{ playbook, hosts, flags, signal, secrets },
      connectOptions: connectOptions(flags, display.asker, signal),
      emit: frame.emit,
    });
    return frame.end(signal.aborted ? interruption.exitCode : outcome.exitCode);
  } finally {
    await display.end();
  }
}
