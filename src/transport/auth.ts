import type { AnyAuthMethod, AuthenticationType, BaseAgent, NextAuthHandler, Prompt } from "ssh2";
import { UnreachableError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import type { KeyPlan } from "./key-ring.js";

/** sshd gives up a connection at its sixth failure (MaxAuthTries); stay below. */
export const MAX_AUTH_TRIES = 5;

export interface LoginQuestions {
  /** The password given in the inventory, or asked for earlier in this run. */
  readonly password: Secret | undefined;
  askPassword(again: boolean): Promise<Secret | undefined>;
  /** Any other question of keyboard-interactive, such as a one-time code. */
  askAnswer(question: string): Promise<Secret | undefined>;
}

export interface LoginPlan {
  readonly label: string;
  readonly user: string;
  readonly keys: KeyPlan;
  readonly earlyRing: BaseAgent;
  readonly lateRing: BaseAgent;
  readonly questions: LoginQuestions;
}

/**
 * The login as a conversation: keys, a given password, encrypted default keys, a password asked for. The useless try
 * with `none` is only made when there is nothing else to learn the host's methods from; it would cost a round trip.
 */
export class Login {
  readonly #plan: LoginPlan;
  readonly #done = new Set<"early" | "late" | "password" | "keyboard-interactive" | "none">();
  readonly #tried: string[] = [];
  #tries = 0;
  #password: Secret | undefined;
  #asked = 0;
  #accepted: readonly string[] = [];
  #unanswered = false;

  constructor(plan: LoginPlan) {
    this.#plan = plan;
    this.#password = plan.questions.password;
  }

  /** The password that let us in, to be remembered. Meaningful after success. */
  get password(): Secret | undefined {
    return this.#password;
  }

  /** ssh2's authHandler. `left` is null until the host has refused something. */
  handler(onFailure: (error: unknown) => void) {
    return (left: AuthenticationType[] | null, partial: boolean | null, next: NextAuthHandler): void => {
      if (left !== null) this.#accepted = left;
      this.#next(left, partial === true).then((method) => {
        if (method === undefined) onFailure(this.refusal());
        else next(method);
      }, onFailure);
    };
  }

  /** Why nobody was let in. */
  refusal(): UnreachableError {
    const { label, keys } = this.#plan;
    const tried = this.#tried.length === 0 ? "there is no key to offer" : `refused: ${this.#tried.join(", ")}`;
    const accepts = this.#accepted.length === 0 ? "" : ` The host accepts: ${this.#accepted.join(", ")}.`;
    const notes = keys.notes.map((note) => ` Note: ${note}.`).join("");
    return new UnreachableError("E_AUTH", `${label}: the login fails; ${tried}.${accepts}${notes}`, {
      hint: this.#hint(),
    });
  }

  #hint(): string {
    const accepts = (method: string) => this.#accepted.includes(method);
    if (this.#unanswered && (accepts("password") || accepts("keyboard-interactive"))) {
      return "Give the password as ansible_password or with --ask-pass, or install a key: ssh-copy-id HOST";
    }
    if (this.#tried.length === 0)
      return "Name a key with --private-key (ansible_ssh_private_key_file) or start ssh-agent.";
    return "Check the user (ansible_user) and the key (ansible_ssh_private_key_file), and that ~/.ssh/authorized_keys on the host has it.";
  }

  async #next(left: readonly string[] | null, partial: boolean): Promise<AnyAuthMethod | undefined> {
    const { keys, user: username, earlyRing, lateRing } = this.#plan;
    // After a partial success (a key and then a code) the other methods begin anew.
    if (partial) this.#done.delete("keyboard-interactive");
    const offered = (method: string) => left === null || left.includes(method);
    if (offered("publickey") && keys.early.length > 0 && this.#once("early")) {
      this.#note(keys.early.map((offer) => offer.label));
      return { type: "agent", username, agent: earlyRing };
    }
    if (this.#tries > MAX_AUTH_TRIES) return undefined;
    if (this.#password !== undefined) {
      const method = this.#passwordMethod(username, left, this.#password);
      if (method !== undefined) return method;
    }
    if (offered("publickey") && keys.late.length > 0 && this.#once("late")) {
      this.#note(keys.late.map((offer) => offer.label));
      return { type: "agent", username, agent: lateRing };
    }
    if (left === null) return this.#once("none") ? { type: "none", username } : undefined;
    if (this.#tries > MAX_AUTH_TRIES) return undefined;
    if (left.includes("password")) return this.#askedPassword(username);
    if (left.includes("keyboard-interactive") && this.#once("keyboard-interactive")) return this.#keyboard(username);
    return undefined;
  }

  #passwordMethod(username: string, left: readonly string[] | null, password: Secret): AnyAuthMethod | undefined {
    if ((left === null || left.includes("password")) && this.#once("password")) {
      this.#note(["password"]);
      return { type: "password", username, password: password.reveal() };
    }
    const keyboard = left?.includes("keyboard-interactive") === true;
    return keyboard && this.#once("keyboard-interactive") ? this.#keyboard(username) : undefined;
  }

  async #askedPassword(username: string): Promise<AnyAuthMethod | undefined> {
    const password = await this.#plan.questions.askPassword(this.#asked > 0);
    this.#asked += 1;
    this.#password = password;
    this.#unanswered = password === undefined;
    if (password === undefined) return undefined;
    this.#note(["password"]);
    return { type: "password", username, password: password.reveal() };
  }

  #keyboard(username: string): AnyAuthMethod {
    this.#note(["keyboard-interactive"]);
    return {
      type: "keyboard-interactive",
      username,
      prompt: (name, instructions, _language, prompts, finish) => {
        void this.#answer([name, instructions].filter(Boolean).join(": "), prompts).then(finish);
      },
    };
  }

  /** Answers every question that the host puts, in its order: the password where it asks for that, else the operator. */
  async #answer(preface: string, prompts: readonly Prompt[]): Promise<string[]> {
    const answers: string[] = [];
    for (const { prompt, echo } of prompts) {
      const isPassword = /pass(word|phrase)?\b/i.test(prompt) && !/one.?time|otp|verification/i.test(prompt) && !echo;
      const known = isPassword ? this.#password : undefined;
      const question = [preface, prompt.trim()].filter(Boolean).join(" - ");
      const answer = known ?? (await this.#ask(isPassword, question));
      if (answer === undefined) this.#unanswered = true;
      answers.push(answer?.reveal() ?? "");
    }
    return answers;
  }

  async #ask(isPassword: boolean, question: string): Promise<Secret | undefined> {
    const { askPassword, askAnswer } = this.#plan.questions;
    if (!isPassword) return askAnswer(question);
    this.#password = await askPassword(this.#asked > 0);
    this.#asked += 1;
    return this.#password;
  }

  #once(step: "early" | "late" | "password" | "keyboard-interactive" | "none"): boolean {
    if (this.#done.has(step)) return false;
    this.#done.add(step);
    return true;
  }

  #note(labels: readonly string[]): void {
    this.#tries += labels.length;
    for (const label of labels) if (!this.#tried.includes(label)) this.#tried.push(label);
  }
}
