import { randomBytes } from "node:crypto";
import { parsePortrait } from "../discovery/portrait.js";
import { type Become, becomeCommand, diagnoseSudo, stdinWithPassword } from "../transport/become.js";
import type { Transport } from "../transport/transport.js";
import { UnreachableError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import { hostSample } from "../watch/host-sample.js";
import { parseSample } from "../watch/raw-sample.js";
import type { HostSample } from "../watch/types.js";
import type { HostPortrait } from "../wizard/types.js";
import { type HostPart, hostProgram, sampleNonce } from "./host-script.js";
import { type Manifest, parseManifest } from "./manifest.js";

/** A host with 2,000 packages says 250 KB. */
const LIMIT = 4 * 1024 * 1024;
const WORD = /^[A-Za-z0-9][A-Za-z0-9.+~:_-]{0,99}$/;

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the source package, which advisories name. */
  readonly source: string;
  readonly sourceVersion: string;
}

/** What a host is made of, and how it is, as far as it was asked. */
export interface HostLook {
  readonly portrait: HostPortrait;
  readonly sample: HostSample;
  /** `debian`, `raspbian`, `ubuntu`, and its release, such as trixie. */
  readonly system: { readonly id: string; readonly release: string };
  /** Name of the build in use. */
  readonly build: string | undefined;
  /** undefined on a host that is no edge yet. */
  readonly manifest: Manifest | undefined;
  readonly packages: readonly InstalledPackage[];
  /** What `edge-release status` says: "current", or what differs. */
  readonly release: string;
  readonly failedUnits: readonly string[];
  /** Units that still run with a library that has been replaced since. */
  readonly staleUnits: readonly string[];
  /** Lines of the live configuration that were asked for. */
  readonly configuration: readonly string[];
  /** Names of the sources that the build was made from. */
  readonly sources: readonly string[];
  /** SHA-256 of files that came with the edge, by path. */
  readonly hashes: ReadonlyMap<string, string>;
  /** When the build, the configuration or a package last changed: seconds since the epoch. */
  readonly changedAt: number | undefined;
}

export interface LookOptions {
  readonly name: string;
  readonly become: Become;
  readonly becomePassword: Secret | undefined;
  readonly parts: readonly HostPart[];
  readonly patterns: readonly string[];
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Looks at a host: one command. @throws UnreachableError when it does not answer as it should */
export async function lookAt(transport: Transport, options: LookOptions): Promise<HostLook> {
  const { name, become, becomePassword, now, signal } = options;
  const nonce = randomBytes(12).toString("hex");
  const program = Buffer.from(hostProgram(nonce, options.parts, options.patterns));
  const chunks: Buffer[] = [];
  let size = 0;
  const began = now();
  let heard: number | undefined;
  const { code, stderr } = await transport.exec(becomeCommand(become, "sh"), {
    stdin: becomePassword !== undefined && become.needsPassword ? stdinWithPassword(becomePassword, program) : program,
    signal,
    onStdout: (chunk) => {
      // The clock is the first thing that is read.
      heard ??= now();
      size += chunk.length;
      if (size <= LIMIT) chunks.push(chunk);
    },
  });
  const parts = divide(Buffer.concat(chunks).toString("utf8"), nonce);
  if (parts.get("system") === undefined) {
    throw (
      diagnoseSudo(code, stderr.toString("utf8")) ??
      new UnreachableError("E_NO_ANSWER", `The program that looks at the host ended with code ${code}, saying nothing.`)
    );
  }
  return parseLook(name, parts, nonce, { at: now(), clock: ((heard ?? now()) + began) / 2 });
}

/**
 * @param times milliseconds since the epoch of this machine: when it was looked at, and when the host read its clock
 */
export function parseLook(
  name: string,
  parts: ReadonlyMap<string, readonly string[]>,
  nonce: string,
  times: { readonly at: number; readonly clock: number },
): HostLook {
  const linesOf = (part: string) => (parts.get(part) ?? []).filter((line) => line !== "");
  const [id = "", release = ""] = (linesOf("system")[0] ?? "").split(" ");
  const build = linesOf("build")[0]?.replace(/^builds\//, "");
  return {
    portrait: parsePortrait(linesOf("portrait").join("\n"), times.clock),
    sample: hostSample(
      name,
      times.at,
      parseSample(sampleLines(parts.get("sample") ?? [], nonce), sampleNonce(nonce)),
      undefined,
    ).sample,
    system: { id: WORD.test(id) ? id : "", release: WORD.test(release) ? release : "" },
    build: build !== undefined && WORD.test(build) ? build : undefined,
    manifest: parseManifest(linesOf("manifest").join("\n")),
    packages: linesOf("packages").flatMap(packageOf),
    release: printable(linesOf("release").join("; ")),
    failedUnits: linesOf("failed").flatMap((line) => unitIn(line.split(" ")[0] ?? "")),
    staleUnits: linesOf("stale").flatMap((line) => unitIn(line.replace(/^\/run\//, ""))),
    configuration: linesOf("configuration"),
    sources: linesOf("sources").flatMap(
      (line) => /^[0-9a-f]{64} {2}(?:tar:)?([A-Za-z0-9_.+~-]+)$/.exec(line)?.[1] ?? [],
    ),
    hashes: new Map(linesOf("hashes").flatMap(hashIn)),
    changedAt: /^\d{1,12}$/.test(linesOf("changed")[0] ?? "") ? Number(linesOf("changed")[0]) : undefined,
  };
}

/** Parts of a host's answer by name. */
export function divide(answer: string, nonce: string): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  let open: string[] | undefined;
  for (const line of answer.split("\n")) {
    if (open === undefined) {
      const [word, name = ""] = line.split("\t");
      if (word !== "part" || parts.has(name)) continue;
      open = [];
      parts.set(name, open);
    } else if (line === nonce) open = undefined;
    else open.push(line);
  }
  return parts;
}

function sampleLines(lines: readonly string[], nonce: string): readonly string[] {
  const own = sampleNonce(nonce);
  const [begin, end] = [lines.indexOf(`begin\t${own}`), lines.indexOf(`end\t${own}`)];
  return begin < 0 || end < 0 ? [] : lines.slice(begin + 1, end);
}

function packageOf(line: string): InstalledPackage[] {
  const [status = "", source = "", sourceVersion = "", name = "", version = "", architecture = ""] = line.split("\t");
  const words = [source, sourceVersion, name, version, architecture];
  if (!status.startsWith("ii") || !words.every((word) => WORD.test(word))) return [];
  return [{ name, version, architecture, source, sourceVersion }];
}

function hashIn(line: string): [string, string][] {
  const [, hash, path] = /^([0-9a-f]{64}) {2}(\/[A-Za-z0-9_.+@/-]{1,200})$/.exec(line) ?? [];
  return hash === undefined || path === undefined ? [] : [[path, hash]];
}

function unitIn(word: string): string[] {
  return /^edge[A-Za-z0-9@_.-]{0,99}$/.test(word) ? [word] : [];
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "").slice(0, 300);
}
