import { copyFile, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../util/errors.js";
import { type DownloadOptions, download, partName, reasonOf } from "./download.js";
import { day, OpenPgpError, type PublicKey, parseKeyring, verifyDetached } from "./openpgp.js";
import type { SourceEntry, SourceSignature } from "./sources.js";

/** A detached signature is below 1 kB. */
const MAX_BYTES = 64 * 1024;
/** The pinned hash has decided already when it is asked for: a network without a way out must not hold a build up. */
const ANSWER_MS = 5_000;

/** What is known of a source's signature, beside its hash, which was right before. */
export type SignatureCheck =
  /** Its authors sign nothing. */
  | { readonly status: "unsigned" }
  | { readonly status: "good"; readonly by: string; readonly made: string }
  /** It could not be had, for these reasons: the hash alone decides. */
  | { readonly status: "absent"; readonly reasons: readonly string[] };

export interface SignatureOptions extends DownloadOptions {
  readonly cacheDir: string;
  readonly sourceDirs?: readonly string[];
  readonly onWarning?: (message: string) => void;
}

/**
 * Checks the signature of a source that is in the cache: the .asc from the given directories, the cache, or upstream, in
 * this order.
 * @throws InputError `E_SIGNATURE` for one that is bad, of a key that may not sign this version, or of one that had ended;
 *   the signal's reason when aborted
 */
export async function checkSignature(
  entry: SourceEntry,
  path: string,
  options: SignatureOptions,
): Promise<SignatureCheck> {
  if (entry.signature === undefined) return { status: "unsigned" };
  const keys = await signersOf(entry.signature);
  const kept = `${path}.asc`;
  for (const directory of options.sourceDirs ?? []) {
    const given = join(directory, `${entry.file}.asc`);
    const text = await textOf(given);
    if (text === undefined) continue;
    // The user means this very file.
    const check = await judge(entry, path, text, keys, given, true);
    await copyFile(given, kept);
    return check;
  }
  const cached = await textOf(kept);
  if (cached !== undefined) {
    const check = await judge(entry, path, cached, keys, kept, false);
    if (check.status === "good") return check;
    options.onWarning?.(`${kept} is damaged (${check.reasons.join("; ")}), it is fetched anew`);
  }
  return fetchAndJudge(entry, path, keys, kept, options);
}

async function fetchAndJudge(
  entry: SourceEntry,
  path: string,
  keys: readonly PublicKey[],
  kept: string,
  options: SignatureOptions,
): Promise<SignatureCheck> {
  const reasons: string[] = [];
  for (const url of entry.signature?.urls ?? []) {
    const part = partName(kept);
    try {
      await download(part, { url, maxBytes: MAX_BYTES }, { answerMs: ANSWER_MS, ...options });
    } catch (error) {
      options.signal?.throwIfAborted();
      await rm(part, { force: true });
      reasons.push(`${url}: ${reasonOf(error)}`);
      continue;
    }
    try {
      const check = await judge(entry, path, await readFile(part, "utf8"), keys, url, false);
      if (check.status === "good") {
        await rename(part, kept);
        return check;
      }
      // A portal's page is no signature, and says nothing of the source.
      if (check.status === "absent") reasons.push(...check.reasons);
    } finally {
      await rm(part, { force: true });
    }
  }
  return { status: "absent", reasons };
}

/** @throws InputError for a signature that is not good; without `strict` what is no signature at all counts as absent */
async function judge(
  entry: SourceEntry,
  path: string,
  text: string,
  keys: readonly PublicKey[],
  from: string,
  strict: boolean,
): Promise<Exclude<SignatureCheck, { status: "unsigned" }>> {
  const verdict = await verifyDetached(path, text, keys);
  if (verdict.status === "good") return { status: "good", by: verdict.by.user, made: day(verdict.made) };
  if (verdict.status === "malformed" && !strict) return { status: "absent", reasons: [`${from}: ${verdict.reason}`] };
  throw new InputError("E_SIGNATURE", `${from} does not sign ${entry.file}: ${verdict.reason}`, {
    hint:
      `Its SHA-256 is the pinned one, and still it is not used. Compare with ${entry.signature?.urls[0]}; ` +
      "if that is the same file, please report it.",
  });
}

/** @throws InputError `E_KEYRING` when the bundle cannot be read or lacks a signer of the lock */
async function signersOf({ keyring, signers }: SourceSignature): Promise<PublicKey[]> {
  let keys: PublicKey[];
  try {
    keys = parseKeyring(await readFile(keyring));
  } catch (cause) {
    const reason = cause instanceof OpenPgpError ? cause.message : reasonOf(cause);
    throw new InputError("E_KEYRING", `the keys ${keyring} cannot be used: ${reason}`, { cause });
  }
  return signers.map((signer) => {
    const key = keys.find(({ fingerprint }) => fingerprint === signer);
    if (key === undefined) throw new InputError("E_KEYRING", `${keyring} lacks the key ${signer} of the lock`);
    return key;
  });
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
