import { createHash } from "node:crypto";

/** Hex digits of a content digest: 128 bits of its SHA-256, enough to tell contents apart. */
export const DIGEST_DIGITS = 32;

/** Names content by the first digits of its SHA-256. */
export function contentDigest(data: string | Uint8Array): string {
  return sha256Hex(data).slice(0, DIGEST_DIGITS);
}

/** Lower-case hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
