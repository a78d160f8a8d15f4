import { isIP } from "node:net";

/** Where edge-certs notes what the edge shows, on the host and for everybody to read. */
export const CERTIFICATE_RECORD = "/var/lib/edge/certificate.json";

/** The certificate that an edge shows. */
export interface EdgeCertificate {
  readonly kind: "own" | "acme" | "self-signed";
  /** Of a CA's staging, which nobody trusts. */
  readonly staging: boolean;
  /** Self-signed, and there until the CA gives one. */
  readonly standsIn: boolean;
  readonly names: readonly string[];
  /** Of the certificate that vouches for it: organisation and name. */
  readonly issuer: string;
  /** SHA-256 of the certificate, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const DAY_MS = 86_400_000;
/** With less than this part of its lifetime left, a certificate should have been renewed (LATE of edge-certs). */
const LATE = 0.2;
/** More names than a CA puts into one. */
const MAX_NAMES = 100;

/** Reads the record; undefined for anything else, as a host may say what it likes. */
export function readCertificate(text: string): EdgeCertificate | undefined {
  let record: Readonly<Record<string, unknown>>;
  try {
    record = JSON.parse(text) ?? {};
  } catch {
    return undefined;
  }
  const {
    kind,
    staging,
    stands_in: standsIn,
    names,
    issuer,
    fingerprint,
    not_before: before,
    not_after: after,
  } = record;
  if (kind !== "own" && kind !== "acme" && kind !== "self-signed") return undefined;
  if (typeof issuer !== "string" || !/^[ -~]{0,120}$/.test(issuer)) return undefined;
  if (typeof fingerprint !== "string" || !/^[0-9a-f]{64}$/.test(fingerprint)) return undefined;
  if (!Array.isArray(names) || !names.every(isName)) return undefined;
  if (!Number.isSafeInteger(before) || !Number.isSafeInteger(after)) return undefined;
  return {
    ...{
      kind,
      issuer,
      fingerprint,
      staging: staging === true,
      standsIn: standsIn === true,
      names: names.slice(0, MAX_NAMES),
    },
    ...{ notBefore: Number(before) * 1000, notAfter: Number(after) * 1000 },
  };
}

function isName(name: unknown): name is string {
  return typeof name === "string" && /^[A-Za-z0-9*.:_-]{1,253}$/.test(name);
}

/** Whose it is, in a word or two: `Let's Encrypt`, `staging`, `own`, `self-signed`, or what the CA calls itself. */
export function certificateLabel({ kind, staging, issuer }: EdgeCertificate): string {
  if (kind !== "acme") return kind;
  if (staging) return "staging";
  return issuer.startsWith("Let's Encrypt") ? "Let's Encrypt" : issuer;
}

/** Whole days to its end; negative when it is over. */
export function daysLeft({ notAfter }: EdgeCertificate, now: number): number {
  return Math.floor((notAfter - now) / DAY_MS);
}

/** Whether it ends, and whoever renews it should have done so. */
export function isLate({ notBefore, notAfter }: EdgeCertificate, now: number): boolean {
  return notAfter - now < LATE * (notAfter - notBefore);
}

/** Whether browsers take it for a name or address. */
export function isFor({ names }: Pick<EdgeCertificate, "names">, host: string): boolean {
  const name = host.toLowerCase();
  return names.some((one) => one.toLowerCase() === name || (isIP(name) === 0 && one === `*.${afterDot(name)}`));
}

function afterDot(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}
