import { createHash, createPublicKey, createVerify, type KeyObject } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/**
 * As much of OpenPGP (RFC 9580, versions 4 of keys and signatures) as a detached RSA signature over a file takes. All that
 * is not needed for it is refused rather than guessed.
 */

/** A public key of the bundle that ships. */
export interface PublicKey {
  /** Upper-case hexadecimal. */
  readonly fingerprint: string;
  /** Whose it is, as the key says: "Name <mail>". */
  readonly user: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Seconds since the epoch; undefined for a key without an end. */
  readonly ends: number | undefined;
  readonly key: KeyObject;
}

/** What a detached signature says. */
export type SignatureVerdict =
  | { readonly status: "good"; readonly by: PublicKey /** Seconds since the epoch. */; readonly made: number }
  /** The file holds no signature at all. */
  | { readonly status: "malformed"; readonly reason: string }
  | { readonly status: "refused"; readonly reason: string };

/** The bytes are no OpenPGP, or a kind of it that is not accepted; the message is a reason in words. */
export class OpenPgpError extends Error {}

/** It is a signature, of a kind that is not accepted. */
class UnacceptableError extends OpenPgpError {}

interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

interface Signature {
  readonly type: number;
  readonly hash: string;
  readonly created: number;
  /** Seconds after its creation that a key is good for, by this certification. */
  readonly keyLifetime: number;
  /** Fingerprint, or key ID where that is all there is. */
  readonly issuer: string;
  /** What is hashed after the data. */
  readonly trailer: Buffer;
  readonly value: Buffer;
}

const TAG_SIGNATURE = 2;
const TAG_PUBLIC_KEY = 6;
const TAG_USER_ID = 13;
const TYPE_BINARY = 0x00;
const TYPE_DIRECT_KEY = 0x1f;
const TYPE_KEY_REVOCATION = 0x20;
/** Certifications of a user ID: generic, persona, casual, positive. */
const CERTIFICATIONS = [0x10, 0x11, 0x12, 0x13];
/** RSA for both uses, and RSA for signatures alone. */
const RSA = [1, 3];
/** SHA-1 and MD5 are broken for signatures. */
const HASHES: Readonly<Record<number, string>> = { 8: "sha256", 9: "sha384", 10: "sha512" };
const SUBPACKET = {
  created: 2,
  expires: 3,
  keyExpires: 9,
  issuerId: 16,
  keyFlags: 27,
  signer: 28,
  issuer: 33,
} as const;
const MIN_RSA_BITS = 2048;

/** Reads a keyring of binary transferable public keys, as `gpgv --keyring` takes it. @throws OpenPgpError */
export function parseKeyring(bytes: Buffer): PublicKey[] {
  const keys: Packet[][] = [];
  for (const packet of packetsOf(bytes)) {
    if (packet.tag === TAG_PUBLIC_KEY) keys.push([packet]);
    else keys.at(-1)?.push(packet);
  }
  if (keys.length === 0) throw new OpenPgpError("there is no public key in it");
  return keys.map(keyOf);
}

/**
 * Whether a detached signature over a file was made by one of the keys, while that key was valid: a release stays signed
 * after its signer's key has ended.
 * @param armored the text of the .asc
 * @throws the file system's error for the file
 */
export async function verifyDetached(
  file: string,
  armored: string,
  keys: readonly PublicKey[],
): Promise<SignatureVerdict> {
  let signature: Signature;
  try {
    signature = detachedSignature(armored);
  } catch (error) {
    if (!(error instanceof OpenPgpError)) throw error;
    return { status: error instanceof UnacceptableError ? "refused" : "malformed", reason: error.message };
  }
  const refused = (reason: string) => ({ status: "refused", reason }) as const;
  const { type, hash, issuer, created } = signature;
  if (type !== TYPE_BINARY) return refused(`it is of type ${type}, not a signature over a file`);
  const by = keys.find(({ fingerprint }) => fingerprint.endsWith(issuer));
  if (by === undefined) return refused(`it was made by the key ${issuer}, which may not sign this file`);
  if (created < by.created) return refused("it is older than the key that made it");
  if (by.ends !== undefined && created > by.ends) {
    return refused(`the key ${by.fingerprint} (${by.user}) had ended on ${day(by.ends)}, before it was made`);
  }
  const verify = createVerify(hash);
  await pipeline(createReadStream(file), verify, { end: false });
  verify.update(signature.trailer);
  if (verify.verify(by.key, padded(signature.value, by.key))) return { status: "good", by, made: created };
  return refused(`it is not that of the key ${by.fingerprint} (${by.user}) over this file`);
}

/** `2026-10-14` of seconds since the epoch. */
export function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function detachedSignature(armored: string): Signature {
  const block = /^-----BEGIN PGP SIGNATURE-----\r?\n([\s\S]*?)^-----END PGP SIGNATURE-----/m.exec(armored)?.[1];
  if (block === undefined) throw new OpenPgpError("it is not an armored OpenPGP signature");
  // Armor headers end with an empty line; the line that begins with "=" is a checksum that proves nothing.
  const base64 = block
    .slice(/^\r?\n/m.exec(block)?.index ?? 0)
    .replace(/^=.*$/gm, "")
    .replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new OpenPgpError("its armor is damaged");
  const packets = packetsOf(Buffer.from(base64, "base64"));
  const [packet] = packets;
  if (packet === undefined || packets.length > 1 || packet.tag !== TAG_SIGNATURE) {
    throw new OpenPgpError("it holds something else than one signature");
  }
  return signatureOf(packet.body);
}

/** A reader over bytes that refuses to read past their end. */
class Reader {
  #at = 0;
  constructor(readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  get at(): number {
    return this.#at;
  }

  take(count: number): Buffer {
    if (count > this.left) throw new OpenPgpError("it ends too early");
    this.#at += count;
    return this.bytes.subarray(this.#at - count, this.#at);
  }

  number(bytes: number): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  /** A multiprecision integer: its length in bits, and its bytes. */
  integer(): Buffer {
    return this.take(Math.ceil(this.number(2) / 8));
  }
}

function packetsOf(bytes: Buffer): Packet[] {
  const reader = new Reader(bytes);
  const packets: Packet[] = [];
  while (reader.left > 0) {
    const head = reader.number(1);
    if ((head & 0x80) === 0) throw new OpenPgpError("it is not OpenPGP");
    const old = (head & 0x40) === 0;
    const tag = old ? (head >> 2) & 0x0f : head & 0x3f;
    packets.push({ tag, body: reader.take(old ? oldLength(reader, head & 3) : newLength(reader)) });
  }
  return packets;
}

function oldLength(reader: Reader, kind: number): number {
  if (kind === 3) throw new OpenPgpError("a packet has no length");
  return reader.number(1 << kind);
}

/** The length of a new packet or a subpacket. */
function newLength(reader: Reader): number {
  const first = reader.number(1);
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + reader.number(1) + 192;
  if (first === 255) return reader.number(4);
  throw new OpenPgpError("a packet comes in parts");
}

function signatureOf(body: Buffer): Signature {
  const reader = new Reader(body);
  const version = reader.number(1);
  if (version !== 4) throw new UnacceptableError(`it is a signature of version ${version}, only 4 is accepted`);
  const type = reader.number(1);
  const algorithm = reader.number(1);
  if (!RSA.includes(algorithm))
    throw new UnacceptableError(`its algorithm is number ${algorithm}, only RSA is accepted`);
  const hashNumber = reader.number(1);
  const hash = HASHES[hashNumber];
  if (hash === undefined) throw new UnacceptableError(`its hash is number ${hashNumber}, only SHA-2 is accepted`);
  const hashed = subpacketsOf(reader.take(reader.number(2)));
  const hashedLength = reader.at;
  const unhashed = subpacketsOf(reader.take(reader.number(2)));
  reader.take(2); // The beginning of the digest, a hint only.
  const known: readonly number[] = Object.values(SUBPACKET);
  if (hashed.some(({ critical, type: kind }) => critical && !known.includes(kind))) {
    throw new UnacceptableError("it has a critical part that is not known here");
  }
  const inside = (kind: number) => hashed.find((one) => one.type === kind)?.data;
  const created = inside(SUBPACKET.created);
  if (created?.length !== 4) throw new OpenPgpError("it does not say when it was made");
  if (inside(SUBPACKET.expires) !== undefined)
    throw new UnacceptableError("it has an end, which that of a release has not");
  const lifetime = inside(SUBPACKET.keyExpires);
  const fingerprint = [...hashed, ...unhashed].find((one) => one.type === SUBPACKET.issuer)?.data;
  const keyId = [...hashed, ...unhashed].find((one) => one.type === SUBPACKET.issuerId)?.data;
  const issuer = fingerprint?.length === 21 ? fingerprint.subarray(1) : keyId;
  if (issuer === undefined || issuer.length < 8) throw new OpenPgpError("it does not say whose it is");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(hashedLength);
  return {
    type,
    hash,
    created: created.readUInt32BE(),
    keyLifetime: lifetime?.length === 4 ? lifetime.readUInt32BE() : 0,
    issuer: issuer.toString("hex").toUpperCase(),
    trailer: Buffer.concat([body.subarray(0, hashedLength), Buffer.from([4, 0xff]), length]),
    value: reader.integer(),
  };
}

interface Subpacket {
  readonly type: number;
  readonly critical: boolean;
  readonly data: Buffer;
}

function subpacketsOf(bytes: Buffer): Subpacket[] {
  const reader = new Reader(bytes);
  const found: Subpacket[] = [];
  while (reader.left > 0) {
    const content = reader.take(newLength(reader));
    const head = content[0];
    if (head === undefined) throw new OpenPgpError("a part of it is empty");
    found.push({ type: head & 0x7f, critical: (head & 0x80) !== 0, data: content.subarray(1) });
  }
  return found;
}

/** A primary key with what it says of itself; certifications of others are passed over. */
function keyOf([primary, ...rest]: readonly Packet[]): PublicKey {
  const body = primary?.body ?? Buffer.alloc(0);
  const reader = new Reader(body);
  if (reader.number(1) !== 4) throw new OpenPgpError("a key is not of version 4");
  const created = reader.number(4);
  if (!RSA.includes(reader.number(1))) throw new OpenPgpError("a key is not for RSA");
  const [n, e] = [reader.integer(), reader.integer()];
  if (n.length * 8 < MIN_RSA_BITS) throw new OpenPgpError(`a key has less than ${MIN_RSA_BITS} bits`);
  const key = createPublicKey({
    key: { kty: "RSA", n: n.toString("base64url"), e: e.toString("base64url") },
    format: "jwk",
  });
  const framed = Buffer.concat([lengthOf(0x99, body.length, 2), body]);
  const fingerprint = createHash("sha1").update(framed).digest("hex").toUpperCase();
  let user = "";
  let data = framed;
  let newest: Signature | undefined;
  for (const packet of rest) {
    if (packet.tag === TAG_USER_ID) {
      const text = packet.body.toString("utf8");
      user ||= text;
      data = Buffer.concat([framed, lengthOf(0xb4, packet.body.length, 4), packet.body]);
    } else if (packet.tag !== TAG_SIGNATURE) {
      // Subkeys and their bindings follow: they sign nothing here.
      break;
    } else {
      const own = ownSignature(packet.body, fingerprint);
      if (own === undefined) continue;
      if (own.type === TYPE_KEY_REVOCATION) throw new OpenPgpError(`the key ${fingerprint} is revoked`);
      const over = own.type === TYPE_DIRECT_KEY ? framed : data;
      if (own.type !== TYPE_DIRECT_KEY && !CERTIFICATIONS.includes(own.type)) continue;
      const verify = createVerify(own.hash).update(over).update(own.trailer);
      if (!verify.verify(key, padded(own.value, key))) throw new OpenPgpError(`the key ${fingerprint} is damaged`);
      if (newest === undefined || own.created >= newest.created) newest = own;
    }
  }
  if (newest === undefined) throw new OpenPgpError(`the key ${fingerprint} does not certify itself`);
  const ends = newest.keyLifetime === 0 ? undefined : created + newest.keyLifetime;
  return { fingerprint, user, created, ends, key };
}

/** What a key says of itself; undefined for what others say of it. */
function ownSignature(body: Buffer, fingerprint: string): Signature | undefined {
  try {
    const signature = signatureOf(body);
    return fingerprint.endsWith(signature.issuer) ? signature : undefined;
  } catch (error) {
    if (error instanceof OpenPgpError) return undefined;
    throw error;
  }
}

function lengthOf(tag: number, length: number, bytes: number): Buffer {
  const head = Buffer.alloc(1 + bytes);
  head[0] = tag;
  head.writeUIntBE(length, 1, bytes);
  return head;
}

/** OpenPGP drops leading zeroes of a number, RSA wants as many bytes as its modulus has. */
function padded(value: Buffer, key: KeyObject): Buffer {
  const size = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  return Buffer.concat([Buffer.alloc(Math.max(0, size - value.length)), value]);
}
