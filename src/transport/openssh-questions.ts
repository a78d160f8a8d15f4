import { createServer, type Server, type Socket } from "node:net";
import { safeLine } from "../util/safe-text.js";
import type { Secret } from "../util/secret.js";

const MAX_QUESTION = 64 * 1024;
const SHOWN = 400;
/** A key or two, a password three times, a code: whoever asks more is not answered. */
const MAX_QUESTIONS = 12;

export interface HostKeySeen {
  readonly host: string;
  readonly keyType: string;
  readonly fingerprint: string;
}

/** Who answers what ssh asks. `undefined` and `false` are refusals. */
export interface Answerer {
  hostKey(seen: HostKeySeen): Promise<boolean>;
  passphrase(path: string, again: boolean): Promise<Secret | undefined>;
  /** @param account `user@host`, as ssh names it */
  password(account: string, again: boolean): Promise<Secret | undefined>;
  /** Codes, PINs and whatever else is asked. */
  other(question: string): Promise<Secret | undefined>;
  notice(text: string): void;
}

type Question =
  | { readonly kind: "host-key"; readonly seen: HostKeySeen }
  | { readonly kind: "passphrase"; readonly path: string }
  | { readonly kind: "password"; readonly account: string }
  | { readonly kind: "notice" | "other"; readonly text: string };

/** What OpenSSH means by a question of its askpass program. */
export function readQuestion(text: string, kind: string): Question {
  const hostKey = /^The authenticity of host '([^' ]+)[\s\S]*?\n(\S+) key fingerprint is (SHA256:[A-Za-z0-9+/=]+)/.exec(
    text,
  );
  const [, host, keyType, fingerprint] = hostKey ?? [];
  if (host !== undefined && keyType !== undefined && fingerprint !== undefined)
    return { kind: "host-key", seen: { host: safeLine(host, SHOWN), keyType: safeLine(keyType, SHOWN), fingerprint } };
  if (kind === "none") return { kind: "notice", text: safeLine(text, SHOWN) };
  const path = /^Enter passphrase for (?:key )?'?(.+?)'?: ?$/.exec(text)?.[1];
  if (path !== undefined) return { kind: "passphrase", path: safeLine(path, SHOWN) };
  // ssh names the account itself; what a host asks by keyboard-interactive stands behind `(user@host) `.
  const account =
    /^([^\s()']+@[^\s']+)'s password: ?$/.exec(text)?.[1] ??
    /^\(([^\s()]+@[^\s()]+)\) (?:[^\n]*\n)*[^\n]*pass(?:word|phrase)\b[^\n]*$/i.exec(text)?.[1];
  if (account !== undefined && !/one.?time|otp|verification/i.test(text)) return { kind: "password", account };
  return { kind: "other", text: safeLine(text, SHOWN).replace(/:\s*$/, "").trim() };
}

/** Listens for the questions of one ssh and its jump hosts, and lets each be answered in its turn. */
export class OpenSshQuestions {
  readonly #server: Server;
  readonly #answerer: Answerer;
  readonly #asked = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  #count = 0;

  /**
   * @param hold stops the clock while somebody is being asked
   * @param onRefused without a password ssh would go on with an empty one, three times
   */
  constructor(
    path: string,
    answerer: Answerer,
    private readonly hold: <T>(task: () => Promise<T>) => Promise<T>,
    private readonly onRefused: () => void,
  ) {
    this.#answerer = answerer;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.listen(path);
  }

  /** @throws Error when the socket cannot be made */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#server.listening) return resolve();
      this.#server.once("listening", resolve).once("error", reject);
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    let said = "";
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const before = said;
      said += text;
      if (said.length > MAX_QUESTION) socket.destroy();
      else if (said.includes("\n") && !before.includes("\n")) void this.#answer(said, socket);
    });
  }

  async #answer(line: string, socket: Socket): Promise<void> {
    const answer = await this.#ask(line).catch(() => undefined);
    // A notice is shown for as long as ssh leaves its program running: until the key was touched.
    if (answer === "wait") return;
    socket.end(JSON.stringify(answer === undefined ? {} : { answer }));
  }

  async #ask(line: string): Promise<string | undefined> {
    const { text, kind } = JSON.parse(line) as { text: string; kind: string };
    const question = readQuestion(text, kind);
    this.#count += 1;
    if (this.#count > MAX_QUESTIONS) return this.#needed(undefined);
    const again = (name: string) => {
      const before = this.#asked.get(name) ?? 0;
      this.#asked.set(name, before + 1);
      return before > 0;
    };
    switch (question.kind) {
      case "notice":
        this.#answerer.notice(question.text);
        return "wait";
      case "host-key":
        return (await this.hold(() => this.#answerer.hostKey(question.seen))) ? "yes" : "no";
      case "passphrase": {
        const isAgain = again(`key ${question.path}`);
        return (await this.hold(() => this.#answerer.passphrase(question.path, isAgain)))?.reveal();
      }
      case "password": {
        const isAgain = again(`account ${question.account}`);
        return this.#needed(await this.hold(() => this.#answerer.password(question.account, isAgain)));
      }
      case "other":
        return this.#needed(await this.hold(() => this.#answerer.other(question.text)));
    }
  }

  #needed(answer: Secret | undefined): string | undefined {
    if (answer === undefined) this.onRefused();
    return answer?.reveal();
  }
}
