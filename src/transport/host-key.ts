import { HostKeyError } from "../util/errors.js";
import type { Semaphore } from "../util/semaphore.js";
import { quote } from "../util/shell.js";
import {
  fingerprint,
  type HostKeyAlgorithm,
  judge,
  type KnownHost,
  KnownHostsFiles,
  keyTypeOf,
  knowledgeOf,
  knownHostsName,
  preferKnownAlgorithms,
} from "./known-hosts.js";
import type { SshHost } from "./ssh-config.js";
import type { HostKeyPolicy, HostKeyQuestion, Prompter } from "./transport.js";

export interface HostKeyRules {
  readonly policy: HostKeyPolicy;
  readonly prompter: Prompter;
  /** Replaces the user's known_hosts files. */
  readonly knownHostsFile: string | undefined;
}

/** What is known about one host's key before it shows one. */
export interface HostKeyExpectation {
  readonly algorithms: HostKeyAlgorithm[];
  /** Resolves when the key may be trusted. @throws HostKeyError when not. */
  check(key: Buffer): Promise<void>;
}

/**
 * Decides about host keys for a whole run: keys accepted once are accepted, and only one question is open at a time,
 * however many hosts are new.
 */
export class HostKeyJudge {
  readonly #files = new KnownHostsFiles();
  readonly #accepted = new Set<string>();
  readonly #questions: Semaphore;

  constructor(questions: Semaphore) {
    this.#questions = questions;
  }

  /** @throws HostKeyError E_KNOWN_HOSTS_FILE */
  async expect(host: SshHost, rules: HostKeyRules): Promise<HostKeyExpectation> {
    const userFiles = rules.knownHostsFile === undefined ? host.userKnownHostsFiles : [rules.knownHostsFile];
    const files = [...userFiles, ...host.globalKnownHostsFiles];
    const names = namesOf(host);
    const knowledge = knowledgeOf(await this.#files.read(files), names.filed, names.portless);
    return {
      algorithms: preferKnownAlgorithms(knowledge),
      check: (key) => this.#check(key, { host, rules, userFiles, files, names }),
    };
  }

  async #check(key: Buffer, question: Question): Promise<void> {
    if (await this.#isTrusted(key, question)) return;
    const { rules, names, host } = question;
    const policy = effectivePolicy(rules.policy, host.strictHostKeyChecking);
    if (policy === "accept-new") return this.#accept(key, question);
    const authority = knowledgeOf(await this.#files.read(question.files), names.filed).authorities[0];
    if (authority !== undefined) throw certificatesUnsupported(question, key, authority);
    if (policy === "strict") throw unknownKey(question, key, "and strict checking is on");
    await this.#questions.run(async () => {
      // Another host of the same name may have been answered while this one waited.
      if (await this.#isTrusted(key, question)) return;
      const yes = await rules.prompter.confirmHostKey({
        host: names.filed,
        keyType: keyTypeOf(key),
        fingerprint: fingerprint(key),
      });
      if (!yes) throw unknownKey(question, key, "and nobody was there to confirm it, or said no");
      await this.#accept(key, question);
    });
  }

  /** True for a known key, false for an unknown one. @throws HostKeyError for a changed or revoked one. */
  async #isTrusted(key: Buffer, question: Question): Promise<boolean> {
    const knowledge = knowledgeOf(
      await this.#files.read(question.files),
      question.names.filed,
      question.names.portless,
    );
    const verdict = judge(knowledge, key);
    switch (verdict.kind) {
      case "known":
        return true;
      case "revoked":
        throw revokedKey(question, key, verdict.entry);
      case "changed":
        throw changedKey(question, key, verdict.known);
      case "unknown":
        return this.#accepted.has(acceptedAs(question, key));
    }
  }

  async #accept(key: Buffer, question: Question): Promise<void> {
    const name = acceptedAs(question, key);
    if (this.#accepted.has(name)) return;
    this.#accepted.add(name);
    const file = question.userFiles[0];
    if (file !== undefined) {
      await this.#files.append(file, question.names.filed, key, question.host.hashKnownHosts);
    }
  }
}

interface Names {
  /** The name under which the key is filed. */
  readonly filed: string;
  /** Also looked up, as ssh does: the host without its port. */
  readonly portless: string | undefined;
}

interface Question {
  readonly host: SshHost;
  readonly rules: HostKeyRules;
  readonly userFiles: readonly string[];
  readonly files: readonly string[];
  readonly names: Names;
}

function namesOf(host: SshHost): Names {
  if (host.hostKeyAlias !== undefined) return { filed: host.hostKeyAlias.toLowerCase(), portless: undefined };
  const filed = knownHostsName(host.hostname, host.port);
  return { filed, portless: host.port === 22 ? undefined : host.hostname.toLowerCase() };
}

function acceptedAs(question: Question, key: Buffer): string {
  return `${question.names.filed} ${key.toString("base64")}`;
}

/** A flag wins over ssh_config; `no` there is read as accept-new, because a changed key is never accepted here. */
export function effectivePolicy(policy: HostKeyPolicy, configured: SshHost["strictHostKeyChecking"]): HostKeyPolicy {
  if (policy !== "ask" || configured === "ask") return policy;
  return configured === "yes" ? "strict" : "accept-new";
}

function unknownKey(question: Question, key: Buffer, why: string): HostKeyError {
  return unknownKeyError({ host: question.names.filed, keyType: keyTypeOf(key), fingerprint: fingerprint(key) }, why);
}

/** @param why behind a comma */
export function unknownKeyError({ host, keyType, fingerprint: shown }: HostKeyQuestion, why: string): HostKeyError {
  return new HostKeyError("E_HOST_KEY_UNKNOWN", `The key of ${host} is not known (${keyType} ${shown}), ${why}.`, {
    hint: "Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there), then run again with --accept-new.",
  });
}

function changedKey(question: Question, key: Buffer, known: readonly KnownHost[]): HostKeyError {
  const { filed } = question.names;
  const type = keyTypeOf(key);
  const entry = known.find((candidate) => candidate.keyType === type) ?? known[0];
  const place = entry === undefined ? "known_hosts" : `${entry.file}:${entry.line}`;
  const before = entry === undefined ? "another key" : `${entry.keyType} ${entryFingerprint(entry)}`;
  const file = entry === undefined ? "" : ` -f ${quote(entry.file)}`;
  return new HostKeyError(
    "E_HOST_KEY_CHANGED",
    `The key of ${filed} has changed: it shows ${type} ${fingerprint(key)}, and ${place} knows ${before}. Either the host was installed anew, or somebody stands between.`,
    { hint: `If the host was installed anew, forget the old key: ssh-keygen -R ${quote(filed)}${file}` },
  );
}

function revokedKey(question: Question, key: Buffer, entry: KnownHost): HostKeyError {
  return new HostKeyError(
    "E_HOST_KEY_REVOKED",
    `The key of ${question.names.filed} is marked @revoked in ${entry.file}:${entry.line} (${keyTypeOf(key)} ${fingerprint(key)}).`,
    {
      hint: "Give the host new keys (on the host: rm /etc/ssh/ssh_host_*_key*; ssh-keygen -A) before trusting it again.",
    },
  );
}

function certificatesUnsupported(question: Question, key: Buffer, authority: KnownHost): HostKeyError {
  const { filed } = question.names;
  return new HostKeyError(
    "E_HOST_KEY_UNKNOWN",
    `The key of ${filed} (${keyTypeOf(key)} ${fingerprint(key)}) is only vouched for by a certificate authority (${authority.file}:${authority.line}), and ssh2 does not verify host certificates.`,
    { hint: "Leave edge_connection out, and OpenSSH verifies it; or add the host's own key to known_hosts." },
  );
}

function entryFingerprint(entry: KnownHost): string {
  return fingerprint(Buffer.from(entry.key, "base64"));
}
