import { readFile } from "node:fs/promises";
import type { OpenSSHAgent, ParsedKey } from "ssh2";
import { UnreachableError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import type { Semaphore } from "../util/semaphore.js";
import { loadSsh2 } from "./libraries.js";
import type { Prompter } from "./transport.js";

/** What an identity file holds. */
export type Identity =
  | { readonly status: "ready"; readonly path: string; readonly key: ParsedKey }
  /** Encrypted. Old PEM files do not show their public half. */
  | {
      readonly status: "locked";
      readonly path: string;
      readonly publicKey: ParsedKey | undefined;
      readonly text: Buffer;
    }
  /** Only the public half is here; the agent may hold the other. */
  | { readonly status: "public"; readonly path: string; readonly publicKey: ParsedKey }
  | { readonly status: "missing" | "unreadable" | "unusable"; readonly path: string; readonly reason: string };

export interface AgentKeys {
  readonly agent: OpenSSHAgent | undefined;
  readonly keys: readonly ParsedKey[];
  /** Why the agent gave none. */
  readonly problem: string | undefined;
}

const PASSPHRASE_TRIES = 3;

/** The operator's keys, each read and unlocked at most once in a run, however many hosts want it. */
export class IdentityBook {
  readonly #loaded = new Map<string, Promise<Identity>>();
  readonly #unlocked = new Map<string, Promise<ParsedKey>>();
  readonly #agents = new Map<string, Promise<AgentKeys>>();
  readonly #questions: Semaphore;

  constructor(questions: Semaphore) {
    this.#questions = questions;
  }

  load(path: string): Promise<Identity> {
    return remember(this.#loaded, path, () => loadIdentity(path));
  }

  /**
   * The private key of an encrypted file.
   * @throws UnreachableError E_PASSPHRASE when nobody gives the right passphrase.
   */
  unlock(identity: Identity & { status: "locked" }, prompter: Prompter): Promise<ParsedKey> {
    return remember(this.#unlocked, identity.path, () =>
      this.#questions.run(() => askUntilUnlocked(identity.path, identity.text, prompter)),
    );
  }

  agentKeys(socket: string | undefined): Promise<AgentKeys> {
    if (socket === undefined) return Promise.resolve({ agent: undefined, keys: [], problem: undefined });
    return remember(this.#agents, socket, () => listAgentKeys(socket));
  }
}

function remember<T>(memory: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const held = memory.get(name);
  if (held !== undefined) return held;
  const made = make();
  memory.set(name, made);
  return made;
}

async function loadIdentity(path: string): Promise<Identity> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      const publicKey = await readPublicHalf(path);
      if (publicKey !== undefined) return { status: "public", path, publicKey };
      return { status: "missing", path, reason: "does not exist" };
    }
    return { status: "unreadable", path, reason: `cannot be read (${code ?? String(error)})` };
  }
  const { utils } = await loadSsh2();
  if (isEncrypted(text)) {
    const blob = publicBlobOf(text);
    const shown = blob === undefined ? await readPublicHalf(path) : utils.parseKey(blob);
    return { status: "locked", path, publicKey: shown instanceof Error ? undefined : shown, text };
  }
  const key = utils.parseKey(text);
  if (key instanceof Error) return { status: "unusable", path, reason: unusableReason(text, key.message) };
  return key.isPrivateKey() ? { status: "ready", path, key } : { status: "public", path, publicKey: key };
}

async function readPublicHalf(path: string): Promise<ParsedKey | undefined> {
  const text = await readFile(`${path}.pub`).catch(() => undefined);
  if (text === undefined) return undefined;
  const key = (await loadSsh2()).utils.parseKey(text);
  return key instanceof Error ? undefined : key;
}

/** Whether a key file needs a passphrase: OpenSSH's own format names its cipher, PEM and PuTTY say so in a header. */
export function isEncrypted(text: Buffer): boolean {
  const fields = opensshFields(text);
  if (fields !== undefined) return fields.cipher !== "none";
  const head = text.subarray(0, 400).toString("latin1");
  return (
    /^Proc-Type: 4,ENCRYPTED/m.test(head) || (/^PuTTY-User-Key-File/.test(head) && !/^Encryption: none/m.test(head))
  );
}

/** The public key that stands in clear in OpenSSH's format (PROTOCOL.key); undefined for other formats. */
export function publicBlobOf(text: Buffer): Buffer | undefined {
  return opensshFields(text)?.publicBlob;
}

function opensshFields(text: Buffer): { cipher: string; publicBlob: Buffer } | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text.toString("latin1"))?.[1];
  if (body === undefined) return undefined;
  const data = Buffer.from(body, "base64");
  const magic = "openssh-key-v1\0";
  if (data.subarray(0, magic.length).toString("latin1") !== magic) return undefined;
  let offset = magic.length;
  const field = () => {
    const length = data.readUInt32BE(offset);
    const value = data.subarray(offset + 4, offset + 4 + length);
    offset += 4 + length;
    return value;
  };
  try {
    const cipher = field().toString("latin1");
    field(); // kdf name
    field(); // kdf options
    offset += 4; // number of keys
    return { cipher, publicBlob: field() };
  } catch {
    return undefined;
  }
}

function unusableReason(text: Buffer, message: string): string {
  const head = text.toString("latin1");
  if (/BEGIN ENCRYPTED PRIVATE KEY|BEGIN PRIVATE KEY/.test(head)) {
    return "is in PKCS#8 form, which is not supported (convert it: ssh-keygen -p -f FILE)";
  }
  const blob = publicBlobOf(text);
  if (blob?.includes("sk-")) return "belongs to a FIDO security key, which is not supported";
  return `is not a usable private key (${message})`;
}

async function askUntilUnlocked(path: string, text: Buffer, prompter: Prompter): Promise<ParsedKey> {
  const { utils } = await loadSsh2();
  for (let attempt = 1; attempt <= PASSPHRASE_TRIES; attempt += 1) {
    const again = attempt === 1 ? "" : " (the last one is wrong)";
    const passphrase: Secret | undefined = await prompter.askSecret(`Passphrase of ${path}${again}`);
    if (passphrase === undefined) {
      throw new UnreachableError("E_PASSPHRASE", `The key ${path} is encrypted, and nobody gives its passphrase.`, {
        hint: `Put it into the agent: ssh-add ${path}`,
      });
    }
    const key = utils.parseKey(text, passphrase.reveal());
    if (!(key instanceof Error)) return key;
    if (!/passphrase|integrity|bad decrypt|decrypt|auth/i.test(key.message)) {
      throw new UnreachableError("E_KEY_FILE", `The key ${path} cannot be used: ${key.message}.`, {
        hint: `Check it: ssh-keygen -y -f ${path}`,
      });
    }
  }
  throw new UnreachableError("E_PASSPHRASE", `The passphrase of ${path} is wrong.`, {
    hint: `Check it: ssh-keygen -y -f ${path}`,
  });
}

async function listAgentKeys(socket: string): Promise<AgentKeys> {
  const { OpenSSHAgent, utils } = await loadSsh2();
  const agent = new OpenSSHAgent(socket);
  return new Promise((resolve) => {
    agent.getIdentities((error, keys) => {
      if (error || keys === undefined) {
        return resolve({ agent: undefined, keys: [], problem: `the agent at ${socket} does not answer` });
      }
      const parsed = keys.map((key) => utils.parseKey(key as unknown as Buffer));
      resolve({ agent, keys: parsed.filter((key): key is ParsedKey => !(key instanceof Error)), problem: undefined });
    });
  });
}
