import { sha256Hex } from "../modules/digest.js";
import { libTexts } from "../modules/registry.js";
import { compact, libraryText } from "../modules/sh.js";
import { quote, quoteAll } from "../util/shell.js";
import type { Segment } from "./compiled.js";
import { lockText, runtimeText } from "./runtime.js";

export interface ProgramOptions {
  /** Marks the lines that are the program's. */
  readonly nonce: string;
  /** Names the run, for the lock and for detached jobs. */
  readonly run: string;
  readonly check: boolean;
  readonly diff: boolean;
  /** First call to run, from 1. */
  readonly start: number;
  /** Take the host's lock. */
  readonly lock: boolean;
  /** Who holds the lock, since when: text for the next who comes. */
  readonly who: string;
  readonly handlerNames: readonly string[];
  /** Handlers already notified, from 1. */
  readonly notified: ReadonlySet<number>;
}

const RUN_PLACE = '"/run/edge-setup.XXXXXX"';
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
const TMP_PLACE = '"${TMPDIR:-/tmp}/edge-setup.XXXXXX"';

/** Larger archives do not go to the tmpfs /run. */
export const RUN_TMPFS_LIMIT = 64 << 20;

/** The text of a segment's program. */
export function programText(segment: Segment, options: ProgramOptions): string {
  const numbers = options.handlerNames.map((_, index) => index + 1);
  const settings = [
    `NONCE=${quote(options.nonce)} RUNID=${quote(options.run)}`,
    `CHECK=${options.check ? "1" : ""} DIFF=${options.diff ? "1" : ""} START=${options.start}`,
    `WHO=${quote(options.who)}`,
    `HL='${numbers.join(" ")}'`,
    ...options.handlerNames.map(
      (name, index) =>
        `H${index + 1}=${options.notified.has(index + 1) ? "1" : "''"} HS${index + 1}=${sha256Hex(name)}`,
    ),
  ];
  const libs = [...libTexts]
    .filter(([name]) => segment.libs.has(name))
    .map(([name, text]) => libraryText(text, options.check && !segment.realLibs.has(name)));
  return [
    settings.join("\n"),
    compact(runtimeText),
    options.lock ? compact(lockText) : "emit p $$\n",
    ...libs,
    probeText(segment.probes),
    "journaled",
    `${segment.body}if [ -n "$DEAD" ]; then fin failed; fi\nfin 'done'\n`,
  ].join("\n");
}

/** Below this many paths it does not pay. */
const PROBES_FROM = 3;

function probeText(probes: Segment["probes"]): string {
  const paths = [...probes.keys()];
  if (paths.length < PROBES_FROM) return "ix() { return 1; }";
  const cases = paths.map((path, index) => `${quote(path)}) I=${index} ;;`).join("\n");
  const hashed = paths.filter((path) => probes.get(path) === true);
  const sums = hashed.length === 0 ? "" : `\nprobesums ${quoteAll(hashed)}`;
  return `ix() {\ncase $1 in\n${cases}\n*) return 1 ;;\nesac\n}\nprobe ${quoteAll(paths)}${sums}`;
}

/** The command line that unpacks the archive on its stdin and becomes the program in it. */
export function launchCommand(archiveBytes: number): string {
  const places = [RUN_PLACE, TMP_PLACE];
  if (archiveBytes > RUN_TMPFS_LIMIT) places.unshift('"/var/tmp/edge-setup.XXXXXX"');
  const made = places.map((place) => `mktemp -d ${place} 2>/dev/null`).join(" || ");
  return `umask 077; d=$(${made}) || exit 73; trap 'rm -rf "$d"' EXIT; cd "$d" && tar xzf - && exec sh ./program`;
}
