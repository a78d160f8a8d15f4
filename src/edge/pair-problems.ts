import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** What is wrong with a certificate or its key, and what to do about it. */
export interface PairProblem {
  /** Which file it is about. */
  readonly file: "certificate" | "key";
  /** As the end of a sentence that begins with the file. */
  readonly text: string;
  readonly hint: string;
}

/**
 * What would go wrong with an operator's own certificate, before any host gets it.
 * @param certificate PEM: the host's first, then those that vouch for it
 * @param names what it has to be good for
 * @param now milliseconds since the epoch
 */
export function pairProblem(
  certificate: string,
  key: string,
  names: readonly string[],
  now: number,
): PairProblem | undefined {
  const chain = readChain(certificate);
  if ("text" in chain) return chain;
  const secret = readKey(key);
  if ("text" in secret) return secret;
  const [leaf] = chain;
  if (!leaf.checkPrivateKey(secret))
    return about("key", "is not the key of the certificate", "give the key that the certificate was asked for with");
  const from = Date.parse(leaf.validFrom);
  const to = Date.parse(leaf.validTo);
  if (to < now) return about("certificate", `ended ${day(to)}`, "give the one that replaced it");
  if (from > now)
    return about("certificate", `is good from ${day(from)} on`, "wait until then, or look at this machine's clock");
  const missing = names.filter((name) => !isGoodFor(leaf, name));
  if (missing.length > 0)
    return about(
      "certificate",
      `is not for ${missing.join(", ")} (it is for ${leaf.subjectAltName ?? "nothing"})`,
      "give one that holds every name of https_cert_domain, and public_name",
    );
  return undefined;
}

function readChain(text: string): [X509Certificate, ...X509Certificate[]] | PairProblem {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  let chain: X509Certificate[];
  try {
    chain = blocks.map((block) => new X509Certificate(block));
  } catch {
    return about("certificate", "is damaged", "copy it again");
  }
  const [leaf, ...others] = chain;
  if (leaf === undefined)
    return about(
      "certificate",
      "holds no certificate in PEM form",
      "convert it: openssl x509 -inform der -in FILE -out FILE.pem",
    );
  for (const [index, issuer] of others.entries()) {
    if (chain[index]?.checkIssued(issuer)) continue;
    return about(
      "certificate",
      `is out of order: its certificate ${index + 2} does not vouch for certificate ${index + 1}`,
      "put the host's certificate first, then the one that vouches for it, and so on",
    );
  }
  if (leaf.ca && others.length > 0)
    return about("certificate", "begins with the certificate of an authority", "put the host's certificate first");
  return [leaf, ...others];
}

function readKey(text: string): KeyObject | PairProblem {
  try {
    return createPrivateKey(text);
  } catch (error) {
    return /passphrase|interrupted or cancelled|bad decrypt/i.test(String(error)) || text.includes("ENCRYPTED")
      ? about("key", "has a pass phrase, which nobody could type on the host", "openssl pkey -in FILE -out FILE.plain")
      : about("key", "holds no private key in PEM form", "give the file that begins with -----BEGIN PRIVATE KEY-----");
  }
}

function isGoodFor(leaf: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? leaf.checkHost(name, { subject: "never" }) : leaf.checkIP(name)) !== undefined;
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function about(file: PairProblem["file"], text: string, hint: string): PairProblem {
  return { file, text, hint };
}
