import type { HostKeyQuestion, Prompter } from "../../transport/transport.js";
import { Secret } from "../../util/secret.js";
import { withEnquirer } from "../terminal-owner.js";
import { loadEnquirer } from "./load-enquirer.js";

/** Asked questions, one at a time even when many hosts ask at once. */
export interface Asker extends Prompter {
  /** A yes or no; no is the default. */
  confirm(question: string): Promise<boolean>;
}

/** Asks for what is no secret, too. */
export interface LineAsker extends Asker {
  /** A line, which may be empty; undefined when the question is cancelled. */
  askText(question: string): Promise<string | undefined>;
}

/** Nobody is there to ask: every answer is no, and the caller's error names the flag. */
export const noPrompter: Asker = {
  confirmHostKey: () => Promise.resolve(false),
  askSecret: () => Promise.resolve(undefined),
  confirm: () => Promise.resolve(false),
};

/** Questions on the terminal, written to stderr so that stdout stays the result's. */
export function terminalPrompter(): LineAsker {
  let last: Promise<unknown> = Promise.resolve();
  function oneAtATime<T>(ask: () => Promise<T>): Promise<T> {
    const answer = last.then(ask, ask);
    last = answer.catch(() => undefined);
    return answer;
  }
  return {
    confirmHostKey: (question) => oneAtATime(() => confirm(hostKeyText(question))),
    confirm: (question) => oneAtATime(() => confirm(question)),
    askSecret: (question) => oneAtATime(() => password(question)),
    askText: (question) => oneAtATime(() => line(question)),
    notify: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** The question about a host's key, as every display asks it. */
export function hostKeyText(question: HostKeyQuestion): string {
  return `${question.host} is not known yet. Its ${question.keyType} key is ${question.fingerprint}. Trust and remember it?`;
}

/** Enquirer rejects with an empty value when the prompt is cancelled (Ctrl-C, Esc): that is a no. */
async function confirm(message: string): Promise<boolean> {
  const enquirer = await loadEnquirer();
  try {
    const answer = await withEnquirer(() =>
      enquirer.prompt<{ value: boolean }>({
        type: "confirm",
        name: "value",
        message,
        initial: false,
        stdout: process.stderr,
      }),
    );
    return answer.value;
  } catch {
    return false;
  }
}

async function line(message: string): Promise<string | undefined> {
  const enquirer = await loadEnquirer();
  try {
    const answer = await withEnquirer(() =>
      enquirer.prompt<{ value: string }>({ type: "input", name: "value", message, stdout: process.stderr }),
    );
    return answer.value;
  } catch {
    return undefined;
  }
}

async function password(message: string): Promise<Secret | undefined> {
  const enquirer = await loadEnquirer();
  try {
    const answer = await withEnquirer(() =>
      enquirer.prompt<{ value: string }>({ type: "password", name: "value", message, stdout: process.stderr }),
    );
    return new Secret(answer.value);
  } catch {
    return undefined;
  }
}
