import type { AnyAuthMethod, AuthenticationType, BaseAgent, NextAuthHandler, Prompt } from "ssh2";
import { UnreachableError } from "../util/errors.js";
import { safeLine } from "../util/safe-text.js";
import type { Secret } from "../util/secret.js";
import type { KeyPlan, Offer } from "./key-ring.js";

/** sshd gives up a connection at its sixth failure (MaxAuthTries); stay below. */
export const MAX_AUTH_TRIES = 5;

/** A password, a code, a new password twice: a host that asks for more than that, or at such length, is not answered. */
const MAX_QUESTIONS = 10;
const MAX_QUESTION = 200;

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
  /** ssh2's view of an offer. */
  agentFor(offer: Offer): BaseAgent;
  readonly questions: LoginQuestions;
}

/**
 * The login as a conversation: keys, a given password, encrypted default keys, a password asked for. The useless try
 * with `none` is only made when there is nothing else to learn the host's methods from; it would cost a round trip.
 */
export class Login {
  readonly #plan: LoginPlan;
  readonly #early: Offer[];
  readonly #late: Offer[];
  readonly #done = new Set<"password" | "keyboard-interactive" | "none">();
  readonly #tried: string[] = [];
  #tries = 0;
  #password: Secret | undefined;
  #asked = 0;
  #accepted: readonly string[] | undefined;
  #unanswered = false;
  #questions = 0;
  #onFailure: (error: unknown) => void = () => {};

  constructor(plan: LoginPlan) {
    this.#plan = plan;
    this.#early = [...plan.keys.early];
    this.#late = [...plan.keys.late];
    this.#password = plan.questions.password;
  }

  /** The password that let us in, to be remembered. Meaningful after success. */
  get password(): Secret | undefined {
    return this.#password;
  }

  /** The methods that the host would still take, as its last refusal says. */
  hear(methods: readonly string[]): void {
    this.#accepted = methods;
  }

  /** ssh2's authHandler. It forgets what the host said when an agent's key is refused, so `hear` is the truth. */
  handler(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    return (left: AuthenticationType[] | null, partial: boolean | null, next: NextAuthHandler): void => {
      if (left !== null) this.hear(left);
      this.#next(this.#accepted, partial === true).then((method) => {
        if (method === undefined) onFailure(this.refusal());
        else next(method);
      }, onFailure);
    };
  }

  /** Why nobody was let in. */
  refusal(): UnreachableError {
    const { label, keys } = this.#plan;
    const tried = this.#tried.length === 0 ? "there is no key to offer" : `refused: ${this.#tried.join(", ")}`;
    const accepted = safeLine(this.#accepted?.join(", ") ?? "", MAX_QUESTION);
    const accepts = this.#accepted === undefined ? "" : ` The host accepts: ${accepted}.`;
    const notes = keys.notes.map((note) => ` Note: ${note}.`).join("");
    return new UnreachableError("E_AUTH", `${label}: the login fails; ${tried}.${accepts}${notes}`, {
      hint: this.#hint(),
    });
  }

  #hint(): string {
    const accepts = (method: string) => this.#accepted?.includes(method) === true;
    if (this.#tried.includes("password")) {
      return "Check the user (ansible_user) and the password (ansible_password or --ask-pass).";
    }
    if (this.#unanswered && (accepts("password") || accepts("keyboard-interactive"))) {
      return this.#tried.length === 0
        ? "Give the password as ansible_password or with --ask-pass, or install a key: ssh-copy-id HOST"
        : "Check the user (ansible_user), put this key on the host with ssh-copy-id, or give the password (ansible_password, --ask-pass).";
    }
    if (this.#tried.length === 0)
      return "Name a key with --private-key (ansible_ssh_private_key_file) or start ssh-agent.";
    return "Check the user (ansible_user) and the key (ansible_ssh_private_key_file), and that ~/.ssh/authorized_keys on the host has it.";
  }

  async #next(left: readonly string[] | undefined, partial: boolean): Promise<AnyAuthMethod | undefined> {
    const { user: username } = this.#plan;
    // After a partial success (a key and then a code) the questions begin anew.
    if (partial && this.#tries <= MAX_AUTH_TRIES) this.#done.delete("keyboard-interactive");
    const early = this.#key(this.#early, left);
    if (early !== undefined) return early;
    if (this.#tries > MAX_AUTH_TRIES) return undefined;
    if (this.#password !== undefined) {
      const method = this.#passwordMethod(username, left, this.#password);
      if (method !== undefined) return method;
    }
    const late = this.#key(this.#late, left);
    if (late !== undefined) return late;
    if (left === undefined) return this.#once("none") ? { type: "none", username } : undefined;
    if (this.#tries > MAX_AUTH_TRIES) return undefined;
    if (left.includes("password")) return this.#askedPassword(username);
    if (left.includes("keyboard-interactive") && this.#once("keyboard-interactive")) return this.#keyboard(username);
    return undefined;
  }

  #key(offers: Offer[], left: readonly string[] | undefined): AnyAuthMethod | undefined {
    if (left !== undefined && !left.includes("publickey")) return undefined;
    const offer = offers.shift();
    if (offer === undefined) return undefined;
    this.#note(offer.label);
    return { type: "agent", username: this.#plan.user, agent: this.#plan.agentFor(offer) };
  }

  #passwordMethod(username: string, left: readonly string[] | undefined, password: Secret): AnyAuthMethod | undefined {
    if ((left === undefined || left.includes("password")) && this.#once("password")) {
      this.#note("password");
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
    this.#note("password");
    return { type: "password", username, password: password.reveal() };
  }

  #keyboard(username: string): AnyAuthMethod {
    this.#note("keyboard-interactive");
    return {
      type: "keyboard-interactive",
      username,
      prompt: (name, instructions, _language, prompts, finish) => {
        const preface = [name, instructions].filter(Boolean).join(": ");
        this.#questions += Math.max(1, prompts.length);
        if (this.#questions > MAX_QUESTIONS) this.#onFailure(this.#tooManyQuestions());
        else void this.#answer(safeLine(preface, MAX_QUESTION), prompts).then(finish, this.#onFailure);
      },
    };
  }

  #tooManyQuestions(): UnreachableError {
    return new UnreachableError("E_AUTH", `${this.#plan.label}: the host asks more than ${MAX_QUESTIONS} questions.`, {
      hint: "Log in by hand to see what it wants: ssh HOST",
    });
  }

  /** Answers every question that the host puts, in its order: the password where it asks for that, else the operator. */
  async #answer(preface: string, prompts: readonly Prompt[]): Promise<string[]> {
    const answers: string[] = [];
    for (const { prompt, echo } of prompts) {
      const isPassword = /pass(word|phrase)?\b/i.test(prompt) && !/one.?time|otp|verification/i.test(prompt) && !echo;
      const known = isPassword ? this.#password : undefined;
      const question = [preface, safeLine(prompt, MAX_QUESTION).trim()].filter(Boolean).join(" - ");
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

  #once(step: "password" | "keyboard-interactive" | "none"): boolean {
    if (this.#done.has(step)) return false;
    this.#done.add(step);
    return true;
  }

  #note(label: string): void {
    this.#tries += 1;
    if (!this.#tried.includes(label)) this.#tried.push(label);
  }
}
