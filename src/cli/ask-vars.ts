import type { Play, Playbook, Templated, Vars, VarsPrompt } from "../playbook/types.js";
import type { LineAsker } from "../ui/prompts/prompter.js";
import { InputError, InputErrors, InterruptedError } from "../util/errors.js";

export interface Answered {
  readonly playbook: Playbook;
  /** Answers that nothing may show. */
  readonly secrets: readonly string[];
}

interface AskOptions {
  /** What is given there is not asked for. */
  readonly extraVars: Vars;
  /** undefined where nobody can be asked: defaults are taken. */
  readonly asker: LineAsker | undefined;
  readonly warn: (text: string) => void;
}

/**
 * Asks for the variables of `vars_prompt`, of all plays before the first begins.
 * @throws InputErrors for each that has no default where nobody can be asked
 */
export async function askVars(playbook: Playbook, options: AskOptions): Promise<Answered> {
  const unanswered = playbook.plays.flatMap(({ prompts = [] }) => prompts.filter((one) => !isAnswered(one, options)));
  if (unanswered.length > 0) throw new InputErrors(unanswered.map(noAnswer));
  const plays: Play[] = [];
  const secrets: string[] = [];
  for (const play of playbook.plays) plays.push(await answered(play, options, secrets));
  return { playbook: { ...playbook, plays }, secrets };
}

function isAnswered({ name, otherwise }: VarsPrompt, { extraVars, asker }: AskOptions): boolean {
  return asker !== undefined || otherwise !== undefined || Object.hasOwn(extraVars, name);
}

function noAnswer({ name, position }: VarsPrompt): InputError {
  const hint = `Give it with --extra-vars ${name}=VALUE, or add a default.`;
  return new InputError("E_NO_INPUT", `vars_prompt asks for ${name}, and there is no terminal to ask on`, {
    position,
    hint,
  });
}

async function answered(play: Play, options: AskOptions, secrets: string[]): Promise<Play> {
  const { prompts = [], hostsWith } = play;
  const answers: Record<string, Templated> = {};
  for (const prompt of prompts) {
    if (Object.hasOwn(options.extraVars, prompt.name)) continue;
    const typed = options.asker === undefined ? "" : await ask(prompt, options.asker, options.warn);
    if (prompt.isPrivate) secrets.push(typed);
    const answer = typed === "" ? (prompt.otherwise ?? "") : typed;
    const value = prompt.encrypt === undefined ? answer : prompt.encrypt(answer);
    const { position } = prompt;
    answers[prompt.name] = { value, isData: prompt.unsafe, position, positionOf: () => position };
  }
  const hosts = hostsWith === undefined ? play.hosts : hostsWith(answers);
  return { ...play, hosts, vars: { ...play.vars, ...answers } };
}

async function ask(prompt: VarsPrompt, asker: LineAsker, warn: AskOptions["warn"]): Promise<string> {
  const { isPrivate, otherwise, confirm } = prompt;
  const shown = otherwise === undefined || isPrivate ? "" : ` [${otherwise}]`;
  const one = async (question: string): Promise<string> => {
    const answer = isPrivate ? (await asker.askSecret(question))?.reveal() : await asker.askText(question);
    if (answer === undefined) throw new InterruptedError("E_INTERRUPTED", "The run is interrupted.");
    return answer;
  };
  for (;;) {
    const answer = await one(`${prompt.question}${shown}`);
    if (!confirm || (await one(`confirm ${prompt.question}${shown}`)) === answer) return answer;
    warn("The two answers are not the same.");
  }
}
