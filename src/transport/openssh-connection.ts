import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { UnreachableError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import type { Semaphore } from "../util/semaphore.js";
import type { Place } from "./connect-errors.js";
import { effectivePolicy, unknownKeyError } from "./host-key.js";
import { knownHostsName } from "./known-hosts.js";
import { openSshError } from "./openssh-errors.js";
import { openMaster } from "./openssh-master.js";
import type { Answerer, HostKeySeen } from "./openssh-questions.js";
import { OpenSshTransport } from "./openssh-transport.js";
import type { SshHost } from "./ssh-config.js";
import type { ConnectOptions, HostAddress, HostKeyQuestion, Transport } from "./transport.js";

/** What a run remembers over its connections. */
export interface OpenSshMemory {
  /** One question at a time. */
  readonly questions: Semaphore;
  readonly starts: Semaphore;
  /** By `user@host:port`. */
  readonly passwords: Map<string, Secret>;
  readonly passphrases: Map<string, Secret>;
}

export interface OpenSshConnection {
  readonly address: HostAddress;
  readonly host: SshHost;
  /** Jump hosts before it. */
  readonly hops: number;
  /** Why it is OpenSSH that connects. */
  readonly reason: string;
  readonly options: ConnectOptions;
  readonly memory: OpenSshMemory;
}

/** As OpenSSH calls keys in its question, and in files. */
const KEY_TYPES: Readonly<Record<string, string>> = { ED25519: "ssh-ed25519", RSA: "ssh-rsa" };

/**
 * Connects by the system's ssh.
 * @throws the same as the ssh2 connector
 */
export function connectByOpenSsh(connection: OpenSshConnection): Promise<Transport> {
  const { address, host, hops, reason, options, memory } = connection;
  const shown = host.hostname.includes(":") ? `[${host.hostname}]` : host.hostname;
  const place: Place = { label: `${host.user}@${shown}:${host.port}`, hostname: host.hostname, port: host.port };
  const talk = new Conversation(connection);
  return memory.starts.run(async () => {
    options.onAnswer?.();
    await options.login;
    // ssh makes no folder for known_hosts but its own.
    const [file] = options.knownHostsFile === undefined ? host.userKnownHostsFiles : [options.knownHostsFile];
    if (file !== undefined) await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch(() => {});
    const master = await openMaster({
      place,
      host: address.host,
      port: address.port,
      user: address.user,
      identityFile: address.identityFile,
      configFile: options.sshConfigFile,
      knownHostsFile: options.knownHostsFile,
      timeoutMs: (host.connectTimeoutMs ?? options.connectTimeoutMs) * (1 + hops),
      signal: options.signal,
      answerer: talk,
      explain: (stderr) => talk.explain(stderr, place),
    });
    talk.remember();
    return new OpenSshTransport(master, place, reason);
  }, options.signal);
}

/** Answers what ssh asks on its way to one host, and remembers what was right. */
class Conversation implements Answerer {
  readonly #connection: OpenSshConnection;
  readonly #passwords = new Map<string, Secret>();
  readonly #passphrases = new Map<string, Secret>();
  #refused: HostKeyQuestion | undefined;
  #triedPassword = false;
  /** The account whose password, or code, nobody gives. */
  #unanswered: string | undefined;

  constructor(connection: OpenSshConnection) {
    this.#connection = connection;
  }

  hostKey({ host, keyType, fingerprint }: HostKeySeen): Promise<boolean> {
    const { options, host: target, memory } = this.#connection;
    const isTarget = host === knownHostsName(target.hostKeyAlias ?? target.hostname, target.port);
    const policy = isTarget
      ? effectivePolicy(options.hostKeyPolicy, target.strictHostKeyChecking)
      : options.hostKeyPolicy;
    const question = { host, keyType: KEY_TYPES[keyType] ?? keyType.toLowerCase(), fingerprint };
    if (policy === "accept-new") return Promise.resolve(true);
    return memory.questions.run(async () => {
      const yes = policy === "ask" && (await options.prompter.confirmHostKey(question));
      if (!yes) this.#refused = question;
      return yes;
    });
  }

  async passphrase(path: string, again: boolean): Promise<Secret | undefined> {
    const known = again ? undefined : this.#connection.memory.passphrases.get(path);
    const secret = known ?? (await this.#ask(`Passphrase of ${path}${wrong(again)}`));
    if (secret !== undefined) this.#passphrases.set(path, secret);
    return secret;
  }

  async password(account: string, again: boolean): Promise<Secret | undefined> {
    const { address, host, memory } = this.#connection;
    const isTarget = [host.hostname, host.hostKeyAlias].some((name) => account === `${host.user}@${name}`);
    const name = isTarget ? `${account}:${host.port}` : account;
    const given = isTarget ? address.password : undefined;
    const known = again ? undefined : (given ?? memory.passwords.get(name));
    // Who was given a password is not asked for another one.
    const asks = given === undefined;
    const secret = known ?? (asks ? await this.#ask(`Password of ${name}${wrong(again)}`) : undefined);
    if (secret !== undefined) this.#passwords.set(name, secret);
    this.#triedPassword ||= secret !== undefined;
    if (secret === undefined) this.#unanswered = name;
    return secret;
  }

  async other(question: string): Promise<Secret | undefined> {
    const { name } = this.#connection.address;
    const secret = await this.#ask(`${name}: ${question}`);
    if (secret === undefined) this.#unanswered = name;
    return secret;
  }

  notice(text: string): void {
    this.#connection.options.prompter.notify?.(`${this.#connection.address.name}: touch your security key (${text})`);
  }

  /** What let us in is not asked for again. */
  remember(): void {
    const { memory } = this.#connection;
    for (const [account, password] of this.#passwords) memory.passwords.set(account, password);
    for (const [path, passphrase] of this.#passphrases) memory.passphrases.set(path, passphrase);
  }

  explain(stderr: string, place: Place): Error {
    if (this.#refused !== undefined) {
      const strict = this.#connection.options.hostKeyPolicy === "strict";
      const why = strict ? "and strict checking is on" : "and nobody was there to confirm it, or said no";
      return unknownKeyError(this.#refused, why);
    }
    if (this.#unanswered !== undefined && !this.#triedPassword) {
      return new UnreachableError(
        "E_AUTH",
        `${this.#unanswered}: the login fails; nobody gives its password or code.`,
        {
          hint: "Give the password as ansible_password or with --ask-pass, or install a key: ssh-copy-id HOST",
        },
      );
    }
    const error = openSshError(stderr, place, this.#triedPassword);
    if (this.#unanswered === undefined || error.code === "E_AUTH") return error;
    return openSshError("Permission denied (password)", place, true);
  }

  #ask(question: string): Promise<Secret | undefined> {
    const { memory, options } = this.#connection;
    return memory.questions.run(() => options.prompter.askSecret(question));
  }
}

function wrong(again: boolean): string {
  return again ? " (the last one is wrong)" : "";
}
