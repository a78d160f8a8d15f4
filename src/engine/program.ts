import { contentDigest } from "../modules/digest.js";
import { libTexts } from "../modules/registry.js";
import { partsOf, reached, type ShellPart, withoutChanges } from "../modules/sh.js";
import { quote } from "../util/shell.js";
import type { Segment } from "./compiled.js";
import { library, libraryAmong, libraryCheck, libraryKeep, librarySource, worksInCheck } from "./library.js";
import { type Ended, replayText } from "./replay.js";
import { lockLookText, lockText, runtimeText } from "./runtime.js";

/** A boot that is over. */
export interface Booted {
  readonly call: number;
  readonly seconds: number;
  /** Why the host did not come back as it should. */
  readonly failure: string | undefined;
}

export interface ProgramOptions {
  /** Marks the lines that are the program's. */
  readonly nonce: string;
  /** Names the run, for the lock and for detached jobs. */
  readonly run: string;
  readonly check: boolean;
  /** The check is the look before an apply. */
  readonly looks?: boolean;
  readonly diff: boolean;
  /** In check mode: an earlier program has found something that would change. */
  readonly later: boolean;
  /** First call to run, from 1. */
  readonly start: number;
  /** Nothing comes with it: it is the whole of what is sent. */
  readonly alone: boolean;
  /** It is the host's own: it takes its lock, and its handlers are journaled there. */
  readonly own: boolean;
  /** The lock's file, where it is not the host's own choice. */
  readonly lockFile: string | undefined;
  /** Who holds the lock, since when: text for the next who comes. */
  readonly who: string;
  /** The host's name in the inventory: one machine may have several. */
  readonly host: string;
  readonly handlerNames: readonly string[];
  /** Handlers already notified, from 1. */
  readonly notified: ReadonlySet<number>;
  /** The host has booted anew in the middle of the call to run first. */
  readonly booted?: Booted | undefined;
  /** Of calls before `start`. */
  readonly ended: Ended;
  /** Names of the libraries that the host has. */
  readonly libraries?: ReadonlySet<string> | undefined;
  /** The library comes with it, and stays. */
  readonly keepsLibrary?: boolean;
}

const RUN_PLACE = '"/run/edge-setup.XXXXXX"';
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
const TMP_PLACE = '"${TMPDIR:-/tmp}/edge-setup.XXXXXX"';
const makeDirectory = (places: readonly string[]) =>
  `$(${places.map((place) => `mktemp -d ${place} 2>/dev/null`).join(" || ")}) || exit 73`;

/** The text of a segment's program. */
export function programText(segment: Segment, options: ProgramOptions): string {
  const { check } = options;
  const numbers = options.handlerNames.map((_, index) => index + 1);
  const settings = [
    options.alone ? `W=${makeDirectory([RUN_PLACE, TMP_PLACE])}\ncd "$W" || exit 73` : "W=$PWD",
    `NONCE=${quote(options.nonce)} RUNID=${quote(options.run)}`,
    `CHECK=${check ? "1" : ""} DIFF=${options.diff ? "1" : ""} START=${options.start} LATER=${options.later ? "1" : ""}`,
    ...(check ? [] : [`WHO=${quote(`${options.who}, run ${options.run} on ${options.host}`)}`]),
    `HL='${numbers.join(" ")}'`,
    ...options.handlerNames.map(
      (name, index) =>
        `H${index + 1}=${options.notified.has(index + 1) ? "1" : "''"} HS${index + 1}=${contentDigest(name)}`,
    ),
  ];
  if (options.start > 1) settings.push(replayText(options.ended, options.start));
  if (options.looks === true && (segment.libs.has("wait") || segment.libs.has("git"))) settings.push("LOOK=1");
  if (segment.libs.has("systemd")) settings.push(`UN='${[...segment.units].join(" ")}' UQ=`);
  if (segment.libs.has("reboot")) settings.push(rebootText(segment, options.booted));
  const foreign = "JD=/dev/null/none\njournal() { :; }\n";
  const own = `${options.own ? "" : foreign}${lookText(segment)}
journaled
${segment.body}if [ -n "$DEAD" ]; then fin failed; fi
fin 'done'
`;
  const base = [
    ...variant(runtimeText, check),
    ...lockPlace(options),
    ...(options.own ? variant(check ? lockLookText : lockText, check) : [EMIT_PID]),
  ];
  const modules = [...libTexts].filter(([name]) => segment.libs.has(name));
  const parts = [...base, ...modules.flatMap(([name, text]) => variant(text, check && !segment.realLibs.has(name)))];
  const functions = textOf(reached(parts, own));
  const kept = check && functions.length >= WORTH ? libraryAmong(options.libraries) : undefined;
  if (kept !== undefined) {
    const statements = base.filter((part) => part.name === undefined);
    const real = modules.filter(([name]) => segment.realLibs.has(name) && !worksInCheck(name));
    const more = textOf(reached([...statements, ...real.flatMap(([, text]) => variant(text, false))], own));
    const text = [libraryCheck(kept, options.nonce), ...settings, librarySource(kept), more, own].join("\n");
    return options.alone ? `{\n${text}}\n` : text;
  }
  const keeps = options.keepsLibrary ? [libraryKeep(library())] : [];
  const text = [...settings, functions, ...keeps, own].join("\n");
  // On its way through a pipe it is read as one command: none of it runs before all of it is there.
  return options.alone ? `{\n${text}}\n` : text;
}

/** Below this many characters the functions of a program come with it. */
const WORTH = 4096;

const textOf = (parts: readonly ShellPart[]) => parts.map((part) => part.text).join("\n");

function rebootText({ target }: Segment, booted: Booted | undefined): string {
  const local = `LOC=${target.local ? "1" : ""}`;
  if (booted === undefined) return local;
  return `${local} RB=${booted.call} RBE=${booted.seconds} RBF=${quote(booted.failure ?? "")}`;
}

const EMIT_PID: ShellPart = { name: undefined, text: "emit p $$" };

const lockPlace = ({ own, lockFile }: ProgramOptions): ShellPart[] =>
  own && lockFile !== undefined ? [{ name: "lockfile", text: `lockfile() { LK=${quote(lockFile)}; }` }] : [];

const variants = new Map<string, ShellPart[]>();

/** Library text in its parts, taken apart once a process. */
function variant(text: string, check: boolean): ShellPart[] {
  const key = (check ? "c" : "a") + text;
  const known = variants.get(key);
  if (known !== undefined) return known;
  const parts = partsOf(check ? withoutChanges(text) : text);
  variants.set(key, parts);
  return parts;
}

/** Below this many paths it does not pay. */
const PROBES_FROM = 3;
/** What is the same in and out of quotes, and as a pattern. */
const PLAIN_PATH = /^[A-Za-z0-9/._+@%=,-]+$/;
/** Where a file's content becomes another without its time of change. */
const LIVING = /^\/+(?:proc|sys)(?:\/|$)/;

/** What is looked at when a task looks first, and again behind a call of which nobody knows what it has done (`look`). */
function lookText({ probes, acts }: Segment): string {
  const plain = [...probes].filter(([path]) => PLAIN_PATH.test(path) && !LIVING.test(path));
  const paths = (hash: boolean) => plain.filter((probe) => probe[1] === hash).map(([path]) => path);
  const looked = paths(false);
  const words = [looked.length, ...looked, ...paths(true)].join(" ");
  const none = plain.length < PROBES_FROM ? "ix() { return 1; }" : undefined;
  if (!acts) return none ?? `probe ${words}`;
  return `PZ=\nlook() { UQ=; ${none ?? `ix() { fresh ${words}; ix "$1"; }`}; }\nlook`;
}

/** Larger archives do not go to the tmpfs /run. */
export const RUN_TMPFS_LIMIT = 64 << 20;

/** The command line that runs a program which comes alone, compressed, on its stdin. */
export const ALONE_COMMAND = "gzip -dc | sh";

/** The command line that unpacks the archive on its stdin and becomes the program in it. */
export function launchCommand(archiveBytes: number): string {
  const large = archiveBytes > RUN_TMPFS_LIMIT ? ['"/var/tmp/edge-setup.XXXXXX"'] : [];
  const made = makeDirectory([...large, RUN_PLACE, TMP_PLACE]);
  return `umask 077; d=${made}; trap 'rm -rf "$d"' EXIT; cd "$d" && tar xzf - && exec sh ./program`;
}
