import type { Value } from "../../playbook/types.js";
import { InputError, type Position } from "../../util/errors.js";
import { Secret } from "../../util/secret.js";
import { settingsByPredecessor } from "../settings/index.js";
import { defaultValue } from "../settings/parse.js";
import type { Setting } from "../settings/types.js";
import { parseValue } from "../settings/values.js";
import type { EnvEntry } from "./env-source.js";

/** What became of one variable of restreamer-edge. */
export interface Translation {
  readonly variable: string;
  /** As it stood there; a secret is masked. */
  readonly value: string;
  /** Undefined where there is no such setting. */
  readonly setting: string | undefined;
  readonly fate: "taken" | "renamed" | "corrected" | "refused";
  /** Why it was corrected or refused, or what stands for it. */
  readonly why: string;
  /** What to write into the inventory; undefined where our default stands for it. */
  readonly written: Value | Secret | undefined;
  readonly position: Position;
}

/** Words that stand for "not set" there. */
const NOTHING = new Set(["", "none"]);
/** What a container's log is. An access log is a path or `off` there. */
const STDOUT = "/dev/stdout";
const MASK = "***";
/** Milliseconds. Restreamer-edge's "DvR like playlist" had to be in memory. */
const LONGEST_IN_MEMORY = 300_000;
/** Variables of other programs may be in the file, and may be secrets. */
const SECRET_NAME = /TOKEN|PASS|SECRET|KEY|AUTH|CREDENTIAL/;
/** Columns of a value in the table. */
const SHOWN = 60;

/**
 * Translates variables of restreamer-edge, both generations, one by one.
 * @returns a row for each variable, and an error for each value that cannot be read
 */
export function translateEnv(entries: readonly EnvEntry[]): {
  translations: readonly Translation[];
  errors: readonly InputError[];
} {
  const errors: InputError[] = [];
  const translations: Translation[] = [];
  // Docker, too, takes the last one.
  const last = new Map(entries.map((entry) => [entry.name, entry]));
  for (const entry of last.values()) {
    const setting = settingsByPredecessor.get(entry.name);
    if (setting === undefined) {
      translations.push(notOurs(entry));
      continue;
    }
    const result = translate(setting, entry);
    if (result instanceof InputError) errors.push(result);
    else translations.push(result);
  }
  return { translations: translations.map((row, index) => onceOnly(row, translations.slice(index + 1))), errors };
}

/** Of two variables that say the same setting, as its two generations can, the later one counts. */
function onceOnly(row: Translation, later: readonly Translation[]): Translation {
  const again = later.find(({ setting }) => setting !== undefined && setting === row.setting);
  if (again === undefined || row.written === undefined) return row;
  return { ...row, fate: "refused", why: `${again.variable} further down says the same`, written: undefined };
}

function notOurs({ name, value, position }: EnvEntry): Translation {
  const why = "restreamer-edge never read it";
  const shown = SECRET_NAME.test(name) ? MASK : value;
  return { variable: name, value: shown, setting: undefined, fate: "refused", why, written: undefined, position };
}

function translate(setting: Setting, { name: variable, value, position }: EnvEntry): Translation | InputError {
  const isSecret = setting.type.kind === "token";
  const row = { variable, setting: setting.name, value: isSecret && value !== "" ? MASK : value, position };
  const nothing = (fate: Translation["fate"], why: string): Translation => ({ ...row, fate, why, written: undefined });
  if (setting.status.kind === "refused") return nothing("refused", setting.status.why);
  if (NOTHING.has(value)) return nothing("taken", "is not set");
  const predecessor = setting.predecessor?.default ?? "";
  const corrected = setting.status.kind === "corrected" ? setting.status.why : undefined;
  const parsed = parseValue(setting.type, valueFor(setting, value));
  const plain = variable.toLowerCase() === setting.name ? "taken" : "renamed";
  const isDefault = parsed.ok && JSON.stringify(parsed.value) === JSON.stringify(defaultValue(setting));
  if (isDefault) return nothing(plain, "the default here too");
  if (value === predecessor && corrected !== undefined) return nothing("corrected", corrected);
  if (!parsed.ok) {
    if (isSecret) return nothing("refused", `it ${parsed.problem}; one is generated`);
    if (setting.type.kind === "analytics") return nothing("refused", `it ${parsed.problem}`);
    return new InputError(parsed.code, `${variable} ${parsed.problem}`, { position, hint: parsed.hint ?? setting.doc });
  }
  const refusal = setting.refusals?.find((one) => one.value === parsed.value);
  if (refusal !== undefined) return nothing("refused", refusal.why);
  if (setting.name === "hls_playlist_length" && Number(parsed.value) > LONGEST_IN_MEMORY) {
    const why = "so long a window is kept on the disk, and a short one in memory";
    return { ...row, setting: "hls_dvr", fate: "corrected", why, written: value };
  }
  const written = valueFor(setting, value);
  const fate = corrected !== undefined && isOther(written, value) ? "corrected" : plain;
  const why = fate === "corrected" ? (corrected ?? "") : "";
  return { ...row, fate, why, written: isSecret ? new Secret(value) : written };
}

/** Whether a value had to be said in another way. */
function isOther(written: Value, value: string): boolean {
  return typeof written === "string" ? written !== value : Array.isArray(written) || value.startsWith("/");
}

/** The value as the inventory has it. */
function valueFor(setting: Setting, value: string): Value {
  if (value.startsWith("/")) {
    if (setting.name === "rtmp_access_log") return true;
    if (setting.name === "http_access_log") return value === STDOUT ? "journal" : "file";
  }
  switch (setting.type.kind) {
    case "bool":
      return ({ on: true, true: true, yes: true, off: false, false: false, no: false } as const)[value] ?? value;
    case "port":
    case "int":
      return /^[0-9]+$/.test(value) ? Number(value) : value;
    case "cert-names":
    case "profile-names":
      return value.split(/[\s,]+/).filter((item) => item !== "");
    default:
      return value;
  }
}

/** The table that is printed, and kept readable without colours. */
export function translationLines(translations: readonly Translation[]): string[] {
  const rows = translations.map(({ variable, value, setting, fate, why, written }) => ({
    from: printable(`${variable}=${value}`),
    to: written === undefined ? (setting ?? "-") : printable(`${setting}: ${shown(written)}`),
    fate,
    why,
  }));
  const width = (key: "from" | "to" | "fate") => Math.max(0, ...rows.map((row) => row[key].length));
  const [from, to, fate] = [width("from"), width("to"), width("fate")];
  return rows.map((row) =>
    `${row.from.padEnd(from)}  ${row.fate.padEnd(fate)}  ${row.to.padEnd(to)}  ${row.why}`.trimEnd(),
  );
}

/** A foreign text on one line of the terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal would obey
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
  return clean.length > SHOWN ? `${clean.slice(0, SHOWN - 1)}…` : clean;
}

function shown(value: Value | Secret): string {
  if (value instanceof Secret) return MASK;
  return typeof value === "string" ? value : JSON.stringify(value);
}
