/** SHA-512-crypt, the `$6$` of crypt(3). Specification: https://www.akkadia.org/drepper/SHA-crypt.txt */
import { createHash } from "node:crypto";
import { ValueProblem } from "./python-values.js";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DEFAULT_ROUNDS = 5000;
const SIZE = 64;

function sha512(...parts: Buffer[]): Buffer {
  const hash = createHash("sha512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

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

/**
 * Hashes a password as crypt(3) does with `$6$`.
 * @param salt 1 to 16 characters of [./0-9A-Za-z]
 * @param rounds 1000 to 999999999; the default of 5000 is left out of the result, as passlib leaves it out
 * @throws ValueProblem for a salt or rounds out of range
 */
export function sha512Crypt(password: string, salt: string, rounds: number = DEFAULT_ROUNDS): string {
  if (!/^[./0-9A-Za-z]{1,16}$/.test(salt)) throw new ValueProblem("a salt is 1 to 16 characters of ./0-9A-Za-z");
  if (!Number.isInteger(rounds) || rounds < 1000 || rounds > 999_999_999) {
    throw new ValueProblem("rounds is a number from 1000 to 999999999");
  }
  const key = Buffer.from(password, "utf8");
  const saltBytes = Buffer.from(salt, "utf8");
  const b = sha512(key, saltBytes, key);
  const a: Buffer[] = [key, saltBytes, stretch(b, key.length)];
  for (let length = key.length; length > 0; length >>= 1) a.push((length & 1) === 1 ? b : key);
  let digest = sha512(...a);
  const p = stretch(sha512(...Array.from({ length: key.length }, () => key)), key.length);
  const s = stretch(sha512(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => saltBytes)), saltBytes.length);
  for (let round = 0; round < rounds; round++) {
    const parts: Buffer[] = [(round & 1) === 1 ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push((round & 1) === 1 ? digest : p);
    digest = sha512(...parts);
  }
  let text = "";
  let [x, y, z] = [0, 21, 42];
  for (let step = 0; step < 21; step++) {
    text += encode(digest[x] ?? 0, digest[y] ?? 0, digest[z] ?? 0, 4);
    [x, y, z] = [y + 1, z + 1, x + 1];
  }
  text += encode(0, 0, digest[SIZE - 1] ?? 0, 2);
  return `$6$${rounds === DEFAULT_ROUNDS ? "" : `rounds=${rounds}$`}${salt}$${text}`;
}
