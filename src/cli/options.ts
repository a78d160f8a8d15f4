import { parseArgs } from "node:util";
import { InputError } from "../util/errors.js";
import { suggest } from "../util/suggest.js";

/** One flag of the command line: the table that parsing, `--help` and docs/cli.md share. */
export interface OptionSpec {
  readonly type: "boolean" | "string";
  readonly short?: string;
  readonly multiple?: boolean;
  /** Placeholder of the value in help texts. */
  readonly value?: string;
  readonly help: string;
}

/** Hosts worked on at once, unless --forks says otherwise. */
export const DEFAULT_FORKS = 10;

/** Every flag there is. A command names those it takes. */
export const optionTable = {
  inventory: {
    type: "string",
    short: "i",
    value: "FILE",
    help: "Inventory file, or hosts ended by a comma: `pi@192.0.2.7,`. Default: ./edges.yml. `play` takes several",
  },
  limit: {
    type: "string",
    short: "l",
    value: "PATTERN",
    help: "Only hosts that match: `pi-*`, `edges:!vps-1`; @failed: of the last run",
  },
  tags: { type: "string", short: "t", value: "TAGS", help: "Only tasks with one of these comma-separated tags" },
  "skip-tags": { type: "string", value: "TAGS", help: "No task with one of these tags" },
  "extra-vars": {
    type: "string",
    short: "e",
    multiple: true,
    value: "VARS",
    help: "Settings over all others: `hls_fragment=4s`, JSON, or @file.yml",
  },
  check: { type: "boolean", short: "C", help: "Change nothing: the same as plan" },
  "dry-run": {
    type: "boolean",
    help: "Change nothing: of apply the same as plan; of certs renew, keep no certificate",
  },
  staging: { type: "boolean", help: "Certificates of Let's Encrypt's staging, to try it first (https_staging: true)" },
  "restart-streams": {
    type: "boolean",
    help: "End live streams that an upgrade would leave with the old build, or that put a restart off",
  },
  "try-again": { type: "boolean", help: "Also switch to a build that an earlier run went back from" },
  "syntax-check": { type: "boolean", help: "Only read the playbook, and say what is wrong in it" },
  diff: { type: "boolean", short: "D", help: "Show what changes inside files" },
  forks: { type: "string", short: "f", value: "N", help: "Hosts worked on at once. Default: 10" },
  yes: { type: "boolean", short: "y", help: "Apply without asking" },
  "no-input": { type: "boolean", help: "Never ask anything: a missing answer is an error" },
  progress: { type: "string", value: "KIND", help: "auto, tui, plain, json or quiet. Default: auto" },
  accessible: {
    type: "boolean",
    help: "Lines instead of a screen that moves: for screen readers (EDGE_SETUP_ACCESSIBLE=1)",
  },
  bell: { type: "boolean", help: "Ring when the run has ended" },
  title: { type: "boolean", help: "Show how far the run is in the window's title" },
  debug: { type: "boolean", help: "With an error, also show where in the program it arose" },
  json: { type: "boolean", help: "Run events as JSON lines on stdout (docs/events.md)" },
  "no-color": { type: "boolean", help: "No colours (NO_COLOR does the same)" },
  verbose: { type: "boolean", short: "v", help: "Also show what is already right, and why" },
  "accept-new": { type: "boolean", help: "Trust and remember the key of a host that is not known yet" },
  "ask-pass": { type: "boolean", short: "k", help: "Ask for the SSH password" },
  "ask-become-pass": { type: "boolean", short: "K", help: "Ask for the sudo password" },
  "vault-password-file": {
    type: "string",
    multiple: true,
    value: "FILE",
    help: "Password of Ansible's vault: a file, or a program that prints it",
  },
  "vault-id": {
    type: "string",
    multiple: true,
    value: "LABEL@FILE",
    help: "The same for one vault id; LABEL@prompt asks",
  },
  "ask-vault-pass": { type: "boolean", short: "J", help: "Ask for the password of Ansible's vault" },
  "private-key": { type: "string", value: "FILE", help: "SSH key to log in with" },
  user: { type: "string", short: "u", value: "NAME", help: "SSH user, where the inventory names none" },
  "ssh-config": { type: "string", value: "FILE", help: "Instead of ~/.ssh/config" },
  timeout: { type: "string", value: "SECONDS", help: "Give up on a host that does not answer. Default: 10" },
  interval: { type: "string", value: "SECONDS", help: "Seconds between two looks at a host. Default: 2" },
  run: { type: "string", value: "ID", help: "The run whose log is wanted. Default: the last that had the host" },
  "source-dir": { type: "string", value: "DIR", help: "Take NGINX and module sources from here (checked by hash)" },
  output: { type: "string", short: "o", value: "FILE", help: "Write to this file instead of stdout" },
  "no-verify": { type: "boolean", help: "Do not publish and play back a test stream after changes" },
  host: { type: "string", value: "HOSTS", help: "The edges to be: [user@]host[:port], or local; comma-separated" },
  expires: {
    type: "string",
    value: "TIME",
    help: "How long a signed address is good: 90m, 24h, 30d, never. Default: 24h",
  },
  token: { type: "boolean", help: "The publish token" },
  "status-password": { type: "boolean", help: "The password of /status" },
  "signing-key": { type: "boolean", help: "The key of signed addresses" },
  streams: { type: "string", value: "NAMES", help: "The keys of these streams, comma-separated" },
  apply: { type: "boolean", help: "Also apply what was answered" },
  verify: { type: "boolean", help: "Publish and play back a test stream even if nothing changed" },
  "exit-code": { type: "boolean", help: "Exit 4 when changes are pending" },
  keep: { type: "boolean", help: "Leave the host running until Ctrl-C (the default on a terminal)" },
  once: { type: "boolean", help: "Tear the host down when the proof is done (the default without a terminal)" },
  release: {
    type: "string",
    value: "NAME",
    help: "Debian releases: of try's throw-away host one, of bundle several by commas",
  },
  arch: {
    type: "string",
    value: "NAMES",
    help: "Architectures, by commas: amd64, arm64, armhf, armel. Default: amd64",
  },
  bundle: {
    type: "string",
    value: "FILE",
    help: "Take sources, packages and builds from this file; ask no network (docs/offline.md)",
  },
  help: { type: "boolean", short: "h", help: "This text" },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof optionTable;

/** Flags that every command takes. */
export const always: readonly OptionName[] = ["debug", "help"];

/** Flags that are made from another table: those of `init`, from its questions. */
export type MoreOptions = Readonly<Record<string, OptionSpec>>;

/** The row of a flag. @throws Error for a name of no table: a bug */
export function optionOf(name: string, more: MoreOptions = {}): OptionSpec {
  const spec: OptionSpec | undefined = more[name] ?? (optionTable as Readonly<Record<string, OptionSpec>>)[name];
  if (spec === undefined) throw new Error(`--${name} is in no table`);
  return spec;
}

/** Flags as parsed; only those that were given are set. */
export type Flags = TableFlags & {
  /** All of --inventory, in their order; `inventory` is the first. */
  readonly inventories?: readonly string[];
};

type TableFlags = {
  readonly [N in OptionName]?: (typeof optionTable)[N] extends { multiple: true }
    ? string[]
    : (typeof optionTable)[N]["type"] extends "boolean"
      ? boolean
      : string;
};

interface NodeParseError {
  readonly code: string;
  readonly message: string;
}

function isParseError(error: unknown): error is NodeParseError {
  return error instanceof TypeError && "code" in error && typeof error.code === "string";
}

/**
 * Parses the words after the command.
 * @param argv words of the command line
 * @param allowed flags that the command takes; `debug` and `help` always are
 * @param more flags that are made from another table
 * @throws InputError for an unknown flag, a missing value, or a word too many
 */
export function parseFlags(
  argv: readonly string[],
  allowed: readonly OptionName[],
  more: MoreOptions = {},
): { flags: Flags; words: string[] } {
  const names: string[] = [...allowed, ...Object.keys(more), ...always];
  const options: Record<string, { type: "boolean" | "string"; short?: string; multiple?: boolean }> = {};
  for (const name of names) {
    const spec = optionOf(name, more);
    options[name] = {
      type: spec.type,
      ...(spec.short === undefined ? {} : { short: spec.short }),
      ...(spec.multiple === undefined ? {} : { multiple: spec.multiple }),
    };
  }
  if (options.inventory !== undefined) options.inventory.multiple = true;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    const { inventory: inventories, ...rest } = values as { inventory?: string[] };
    const [inventory] = inventories ?? [];
    const named = inventories === undefined ? {} : { inventory, inventories };
    return { flags: { ...rest, ...named } as Flags, words: positionals };
  } catch (error) {
    if (!isParseError(error)) throw error;
    throw flagError(error, argv, names, more);
  }
}

function flagError(
  error: NodeParseError,
  argv: readonly string[],
  names: readonly string[],
  more: MoreOptions,
): InputError {
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const quoted = /'(-[^']*)'/.exec(error.message)?.[1] ?? argv.find((word) => word.startsWith("-")) ?? "?";
    const near = suggest(
      quoted.replace(/^-+/, ""),
      names.map((name) => name),
    );
    return new InputError("E_UNKNOWN_FLAG", `unknown flag ${quoted}`, {
      hint: near === undefined ? "`edge-setup help COMMAND` lists the flags." : `Did you mean --${near}?`,
    });
  }
  return valueError(error, more);
}

/** Node's "Option '-i, --inventory <value>' argument missing", in words. */
function valueError(error: NodeParseError, more: MoreOptions): InputError {
  const [first = error.message] = error.message.split("\n");
  const [, quoted = "", said = ""] = /^Option '([^']*)' (.*?)\.?$/.exec(first) ?? [];
  const name = quoted.replace(/ <.*/, "");
  const long = name.split("--").at(-1) ?? "";
  const spec = long in optionTable || long in more ? optionOf(long, more) : undefined;
  if (said === "does not take an argument") return new InputError("E_FLAG_VALUE", `${name} takes no value`);
  if (spec === undefined || spec.value === undefined) return new InputError("E_FLAG_VALUE", first.replace(/\.$/, ""));
  const ambiguous = said === "argument is ambiguous";
  return new InputError("E_FLAG_VALUE", `${name} needs a value: ${spec.value}`, {
    hint: ambiguous ? `Where the value begins with a dash, write --${long}=-VALUE.` : `--${long}: ${spec.help}`,
  });
}

/**
 * A whole number from a flag.
 * @throws InputError naming the flag when it is not a number in the range
 */
export function intFlag(
  flags: Flags,
  name: "forks" | "interval" | "timeout",
  fallback: number,
  min: number,
  max: number,
): number {
  const text = flags[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InputError("E_FLAG_VALUE", `--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
}
