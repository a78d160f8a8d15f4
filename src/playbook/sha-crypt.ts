/** SHA-crypt, the `$5$` and `$6$` of crypt(3). Specification: https://www.akkadia.org/drepper/SHA-crypt.txt */
import { createHash } from "node:crypto";
import { ValueProblem } from "./python-values.js";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DEFAULT_ROUNDS = 5000;

interface Kind {
  readonly mark: string;
  readonly hash: string;
  /** Bytes of the digest that are written together, all but the last ones. */
  readonly first: readonly [number, number, number];
  readonly next: (triple: readonly [number, number, number]) => readonly [number, number, number];
  readonly triples: number;
  /** The last characters: two bytes and how many characters. */
  readonly rest: readonly [number | undefined, number, number];
}

const SHA512: Kind = {
  mark: "$6$",
  hash: "sha512",
  first: [0, 21, 42],
  next: ([x, y, z]) => [y + 1, z + 1, x + 1],
  triples: 21,
  rest: [undefined, 63, 2],
};
const SHA256: Kind = {
  mark: "$5$",
  hash: "sha256",
  first: [0, 10, 20],
  next: ([x, y, z]) => [z + 1, x + 1, y + 1],
  triples: 10,
  rest: [31, 30, 3],
};

/** `unit` repeated to `length` bytes. */
function stretch(unit: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let index = 0; index < length; index++) out[index] = unit[index % unit.length] ?? 0;
  return out;
}

function encode(high: number, middle: number, low: number, length: number): string {
  let bits = (high << 16) | (middle << 8) | low;
  let out = "";
  for (let index = 0; index < length; index++) {
    out += ALPHABET.charAt(bits & 63);
    bits >>>= 6;
  }
  return out;
}

function shaCrypt(kind: Kind, password: string, salt: string, rounds: number): string {
  if (!/^[./0-9A-Za-z]{1,16}$/.test(salt)) throw new ValueProblem("a salt is 1 to 16 characters of ./0-9A-Za-z");
  if (!Number.isInteger(rounds) || rounds < 1000 || rounds > 999_999_999) {
    throw new ValueProblem("rounds is a number from 1000 to 999999999");
  }
  const sha = (...parts: Buffer[]): Buffer => {
    const hash = createHash(kind.hash);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const key = Buffer.from(password, "utf8");
  const saltBytes = Buffer.from(salt, "utf8");
  const b = sha(key, saltBytes, key);
  const a: Buffer[] = [key, saltBytes, stretch(b, key.length)];
  for (let length = key.length; length > 0; length >>= 1) a.push((length & 1) === 1 ? b : key);
  let digest = sha(...a);
  const p = stretch(sha(...Array.from({ length: key.length }, () => key)), key.length);
  const s = stretch(sha(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => saltBytes)), saltBytes.length);
  for (let round = 0; round < rounds; round++) {
    const parts: Buffer[] = [(round & 1) === 1 ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push((round & 1) === 1 ? digest : p);
    digest = sha(...parts);
  }
  let text = "";
  let triple = kind.first;
  for (let step = 0; step < kind.triples; step++) {
    const [x, y, z] = triple;
    text += encode(digest[x] ?? 0, digest[y] ?? 0, digest[z] ?? 0, 4);
    triple = kind.next(triple);
  }
  const [middle, low, length] = kind.rest;
  text += encode(0, middle === undefined ? 0 : (digest[middle] ?? 0), digest[low] ?? 0, length);
  return `${kind.mark}${rounds === DEFAULT_ROUNDS ? "" : `rounds=${rounds}$`}${salt}$${text}`;
}

/**
 * Hashes a password as crypt(3) does with `$6$`.
 * @param salt 1 to 16 characters of [./0-9A-Za-z]
 * @param rounds 1000 to 999999999; the default of 5000 is left out of the result, as passlib leaves it out
 * @throws ValueProblem for a salt or rounds out of range
 */
export function sha512Crypt(password: string, salt: string, rounds: number = DEFAULT_ROUNDS): string {
  return shaCrypt(SHA512, password, salt, rounds);
}

/** As sha512Crypt, with `$5$`. */
export function sha256Crypt(password: string, salt: string, rounds: number = DEFAULT_ROUNDS): string {
  return shaCrypt(SHA256, password, salt, rounds);
}
