import { createCipheriv, createDecipheriv, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** What Ansible's vault texts begin with, whole files and values alike. */
const MAGIC = "$ANSIBLE_VAULT";
const CIPHER = "AES256";
/** Of ansible.parsing.vault: PBKDF2-HMAC-SHA256 gives the key of AES-256-CTR, that of HMAC-SHA256, and the first counter. */
const ITERATIONS = 10_000;
const KEY_BYTES = 32;
const BLOCK_BYTES = 16;
const SALT_BYTES = 32;
const LINE_WIDTH = 80;

const derive = promisify(pbkdf2);

/** An encrypted text, taken apart. */
export interface Envelope {
  /** The vault id that it names; undefined in format 1.1. No more than a name: nothing checks it. */
  readonly label: string | undefined;
  readonly salt: Buffer;
  readonly hmac: Buffer;
  readonly ciphertext: Buffer;
}

export function isVaultText(text: string): boolean {
  return text.startsWith(MAGIC);
}

/** @returns the reason where it is no envelope that can be read */
export function parseEnvelope(text: string): Envelope | string {
  const [head = "", ...body] = text.trim().split(/\r?\n/);
  const [magic, version, cipher, label] = head.trim().split(";");
  if (magic !== MAGIC || version === undefined) return `it does not begin with ${MAGIC};1.1;${CIPHER}`;
  if (version !== "1.1" && version !== "1.2") return `its format is ${word(version)}, and 1.1 and 1.2 are read`;
  if (cipher !== CIPHER) return `its cipher is ${word(cipher ?? "")}, and ${CIPHER} is read`;
  const inner = unhex(body.map((line) => line.trim()).join(""));
  const [salt, hmac, ciphertext, more] = inner?.toString("latin1").split("\n").map(unhex) ?? [];
  if (salt === undefined || hmac === undefined || ciphertext === undefined || more !== undefined)
    return "it is damaged: its lines are not those of a vault text";
  if (hmac.length !== KEY_BYTES || ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0)
    return "it is damaged: a part of it is missing";
  return { label: label?.trim() || undefined, salt, hmac, ciphertext };
}

/** @returns undefined where the password is not the one, or where the text was changed: nothing tells them apart */
export async function decrypt(envelope: Envelope, password: string): Promise<Buffer | undefined> {
  const { salt, hmac, ciphertext } = envelope;
  const keys = await deriveKeys(password, salt);
  if (!timingSafeEqual(authenticate(ciphertext, keys.hmac), hmac)) return undefined;
  const decipher = createDecipheriv("aes-256-ctr", keys.cipher, keys.counter);
  const padded = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  // PKCS #7, as ansible-vault writes it.
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
}

/** The text of a vault: format 1.2 with a label, 1.1 without. */
export async function encrypt(plain: string, password: string, label?: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const keys = await deriveKeys(password, salt);
  const cipher = createCipheriv("aes-256-ctr", keys.cipher, keys.counter);
  const data = Buffer.from(plain);
  const padding = BLOCK_BYTES - (data.length % BLOCK_BYTES);
  const ciphertext = Buffer.concat([
    cipher.update(data),
    cipher.update(Buffer.alloc(padding, padding)),
    cipher.final(),
  ]);
  const parts = [salt, authenticate(ciphertext, keys.hmac), ciphertext].map((part) => part.toString("hex"));
  const body = Buffer.from(parts.join("\n")).toString("hex");
  const head = label === undefined ? `${MAGIC};1.1;${CIPHER}` : `${MAGIC};1.2;${CIPHER};${label}`;
  return `${[head, ...(body.match(new RegExp(`.{1,${LINE_WIDTH}}`, "g")) ?? [])].join("\n")}\n`;
}

async function deriveKeys(password: string, salt: Buffer) {
  const bytes = await derive(password, salt, ITERATIONS, 2 * KEY_BYTES + BLOCK_BYTES, "sha256");
  return {
    cipher: bytes.subarray(0, KEY_BYTES),
    hmac: bytes.subarray(KEY_BYTES, 2 * KEY_BYTES),
    counter: bytes.subarray(2 * KEY_BYTES),
  };
}

function authenticate(ciphertext: Buffer, key: Buffer): Buffer {
  return createHmac("sha256", key).update(ciphertext).digest();
}

function unhex(text: string): Buffer | undefined {
  return text.length % 2 === 0 && /^[0-9a-f]+$/i.test(text) ? Buffer.from(text, "hex") : undefined;
}

/** A word of the head in a message: what is damaged may hold anything. */
function word(text: string): string {
  return JSON.stringify(text.slice(0, 20));
}
