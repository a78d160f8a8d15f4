import { formatDuration } from "../../report/format.js";
import { Secret } from "../../util/secret.js";
import { pagesOf, startText } from "../../wizard/flow.js";
import { hostWord } from "../../wizard/host-words.js";
import type { Question } from "../../wizard/question.js";
import { equivalentCommand } from "../../wizard/to-command.js";
import type {
  Answers,
  DetectedHost,
  HostCheck,
  HostPlan,
  Questions,
  WizardOutcome,
  WizardServices,
} from "../../wizard/types.js";
import { withEnquirer } from "../terminal-owner.js";
import { portraitLine } from "../wizard/portrait-line.js";
import { loadEnquirer } from "./load-enquirer.js";
import { hostKeyText } from "./prompter.js";

/** Typed instead of an answer: the question before. */
const BACK = "back";

/** What a linear wizard talks through; tests give their own. */
export interface LinearIo {
  /** One line of text; rejects when the prompt is cancelled. */
  ask(message: string, initial: string, secret: boolean): Promise<string>;
  say(text: string): void;
}

const terminalIo: LinearIo = {
  async ask(message, initial, secret) {
    const enquirer = await loadEnquirer();
    const answer = await withEnquirer(() =>
      enquirer.prompt<{ value: string }>({
        type: secret ? "password" : "input",
        name: "value",
        message,
        ...(secret ? {} : { initial }),
        stdout: process.stderr,
      }),
    );
    return answer.value;
  },
  say: (text) => process.stderr.write(`${text}\n`),
};

/**
 * The wizard as one question after the other, in lines that never move: for screen readers and simple terminals. It asks
 * the same questions as the wizard with pages; `back` goes to the question before, Ctrl-C leaves.
 */
export async function runLinearWizard(
  questions: readonly Question[],
  services: WizardServices,
  initial: Answers,
  io: LinearIo = terminalIo,
): Promise<WizardOutcome> {
  const wizard = new LinearWizard(questions, services, io);
  try {
    return await wizard.run(initial);
  } catch (error) {
    // Enquirer rejects with nothing when a prompt is cancelled.
    if (error instanceof Error) throw error;
    return { action: "cancel" };
  }
}

class LinearWizard {
  readonly #signal = new AbortController().signal;
  readonly #checks: Record<string, HostCheck> = {};
  readonly #asks: Questions;

  constructor(
    readonly questions: readonly Question[],
    readonly services: WizardServices,
    readonly io: LinearIo,
  ) {
    this.#asks = {
      confirmHostKey: async (question) => yes(await this.io.ask(`${hostKeyText(question)} (yes or no)`, "no", false)),
      askSecret: async (text) => {
        const given = await this.io.ask(text, "", true);
        return given === "" ? undefined : new Secret(given);
      },
    };
  }

  async run(initial: Answers): Promise<WizardOutcome> {
    const detected = await this.#detect();
    let answers = initial;
    let at = 0;
    for (;;) {
      const open = this.#open(answers);
      const question = open[at];
      if (question === undefined) {
        const outcome = await this.#review(answers);
        if (outcome !== BACK) return outcome;
        at = Math.max(0, open.length - 1);
        continue;
      }
      const given = await this.#askOne(question, answers, `Question ${at + 1} of ${open.length}.`, detected);
      if (given === BACK) {
        at = Math.max(0, at - 1);
        continue;
      }
      answers = given;
      const next = this.#open(answers)[at + 1];
      if (leavesLogin(question, next) && !(await this.#test(answers))) continue;
      at += 1;
    }
  }

  #open(answers: Answers): readonly Question[] {
    const context = { answers, checks: this.#checks };
    const pages = pagesOf(this.questions, context);
    return this.questions.filter((question) => pages.includes(question.page) && question.when(context));
  }

  async #detect(): Promise<readonly DetectedHost[]> {
    const found: DetectedHost[] = [];
    await this.services.detectHosts((host) => found.push(host), this.#signal).catch(() => undefined);
    return found;
  }

  async #askOne(
    question: Question,
    answers: Answers,
    count: string,
    detected: readonly DetectedHost[],
  ): Promise<Answers | typeof BACK> {
    const context = { answers, checks: this.#checks };
    if (question.kind === "hosts") {
      for (const host of detected) this.io.say(`Found: ${hostWord(host)}, ${host.source}.`);
    }
    for (const choice of question.choices?.(context) ?? []) this.io.say(`${choice.label}: ${choice.note ?? ""}`);
    const before = startText(question, context);
    for (;;) {
      const message = `${count} ${question.label}. ${question.help}. Type back for the question before`;
      const text = (await this.io.ask(message, before, question.kind === "secret")).trim();
      if (text === BACK) return BACK;
      const value = text === "" && question.kind !== "secret" ? before : text;
      const problem = question.validate(value, context);
      if (problem !== undefined) {
        this.io.say(`Not taken: ${problem}.`);
        continue;
      }
      if (question.check !== undefined && value !== "") {
        const verdict = await question.check(value, context, this.services, this.#signal);
        this.io.say(`${verdict.status}: ${verdict.text}`);
      }
      const known =
        question.kind === "hosts" ? { ...answers, hosts: detected.map(({ source: _, ...host }) => host) } : answers;
      return question.write(value, known);
    }
  }

  /** Connects to each host and says what it is. */
  async #test(answers: Answers): Promise<boolean> {
    if (answers.hosts.some((host) => host.kind === "throw-away")) return true;
    let good = true;
    for (const host of answers.hosts) {
      this.io.say(`Connecting to ${host.name}.`);
      const check = await this.services.checkHost(host, answers, this.#asks, this.#signal);
      this.#checks[host.name] = check;
      if (check.status === "ok") {
        this.io.say(`${host.name}: ${portraitLine(check.portrait, ", ")}. ${check.portrait.capability}`);
        for (const warning of check.portrait.warnings) this.io.say(`Warning: ${warning}.`);
      } else {
        this.io.say(`Failed: ${check.text}${check.hint === undefined ? "" : ` ${check.hint}`}`);
        good = false;
      }
    }
    return good;
  }

  async #review(answers: Answers): Promise<WizardOutcome | typeof BACK> {
    if (!answers.hosts.some((host) => host.kind === "throw-away")) {
      this.io.say("Looking at what would change. Nothing is touched.");
      const plans = await this.services.plan(answers, this.#asks, () => undefined, this.#signal);
      for (const plan of plans) this.io.say(planLine(plan));
      this.io.say(
        `The same again: ${equivalentCommand(answers, { inventoryFile: this.services.inventoryFile, apply: true })}`,
      );
    }
    for (;;) {
      const text = (await this.io.ask("apply, save, print, back or cancel?", "apply", false)).trim();
      if (text === BACK) return BACK;
      if (text === "cancel") return { action: "cancel" };
      if (text === "apply" || text === "save" || text === "print") return { action: text, answers };
      this.io.say(`Not taken: "${text}".`);
    }
  }
}

function yes(text: string): boolean {
  return text === "y" || text === "yes";
}

/** Connections are tested once all that they need is known. */
function leavesLogin(question: Question, next: Question | undefined): boolean {
  const early = (page: string | undefined) => page === "hosts" || page === "login";
  return early(question.page) && !early(next?.page);
}

function planLine(plan: HostPlan): string {
  if (plan.problem !== undefined) return `${plan.host} failed: ${plan.problem}`;
  const time = plan.estimateMs === undefined ? "" : `, about ${formatDuration(plan.estimateMs)}`;
  return `${plan.host}: ${plan.create} to create, ${plan.change} to change, ${plan.keep} to keep${time}.`;
}
