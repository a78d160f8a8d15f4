import { type ExitCode, InputError } from "../../util/errors.js";
import { answersFromFlags } from "../../wizard/from-flags.js";
import { questions } from "../../wizard/questions.js";
import type { Answers, WizardOutcome } from "../../wizard/types.js";
import type { CommandContext } from "../commands.js";
import { asker, askPasswords, mayAsk } from "../reach.js";
import { colourWanted, linearWanted, wantsUnicode } from "../terminal-traits.js";
import { finishWizard } from "../wizard-finish.js";
import { makeWizardServices } from "../wizard-services.js";

/** `edge-setup`, `edge-setup init`: asks what the flags do not answer, writes edges.yml, and applies it where wanted. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags } = context;
  const given = answersFromFlags(questions, flags);
  const asks = mayAsk(flags) && flags.yes !== true && !(given.hosts.length > 0 && flags.apply === true);
  if (asks) return finishWizard(await ask(context, given), context);
  if (given.hosts.length === 0) {
    throw new InputError("E_NO_INPUT", "--host is missing, and nobody is there to ask", {
      hint: "edge-setup init --host pi@raspberrypi.local --apply --yes",
    });
  }
  if (flags.apply === true && flags.yes !== true && !mayAsk(flags)) {
    throw new InputError("E_NO_INPUT", "--apply changes hosts, and nobody is there to ask", { hint: "Add --yes." });
  }
  const passwords = await askPasswords(flags, asker(flags));
  const answers: Answers = {
    ...given,
    ...(passwords.ssh === undefined ? {} : { sshPassword: passwords.ssh }),
    ...(passwords.become === undefined ? {} : { becomePassword: passwords.become }),
  };
  return finishWizard({ action: flags.apply === true ? "apply" : "save", answers }, context);
}

async function ask({ flags }: CommandContext, given: Answers): Promise<WizardOutcome> {
  const services = makeWizardServices(flags);
  if (linearWanted(flags)) {
    const { runLinearWizard } = await import("../../ui/prompts/linear-wizard.js");
    return runLinearWizard(questions, services, given);
  }
  const { prepareEnvironment } = await import("../../ui/environment.js");
  const colour = colourWanted(flags, process.stdout);
  prepareEnvironment(colour);
  const { runInkWizard } = await import("../../ui/wizard/ink-wizard.js");
  return runInkWizard(questions, services, given, { colour, unicode: wantsUnicode(process.env, process.platform) });
}
