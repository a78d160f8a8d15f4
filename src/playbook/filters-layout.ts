/** Filters that lay text out, and write numbers for people. */
import { createHash } from "node:crypto";
import { argument, needInt, needText } from "./filter-helpers.js";
import type { Call, FilterTable } from "./plugin.js";
import { fixed, percentFormat } from "./python-format.js";
import { parseFloat64, splitLines, strip } from "./python-text.js";
import { asNumber, asText, codePoints, type Rt, str, Tuple, truthy, typeName, ValueProblem } from "./python-values.js";
import { wrapText } from "./text-wrap.js";

/** Python's str.center(): of an odd rest the larger half goes left where the width is odd. */
export function center(text: string, width: number, fill = " "): string {
  const missing = width - codePoints(text).length;
  if (missing <= 0) return text;
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return fill.repeat(left) + text + fill.repeat(missing - left);
}

const COMMENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: { decoration: "# " },
  erlang: { decoration: "% " },
  c: { decoration: "// " },
  cblock: { beginning: "/*", decoration: " * ", end: " */" },
  xml: { beginning: "<!--", decoration: " - ", end: "-->" },
};
const COMMENT_WORDS = ["newline", "beginning", "prefix", "decoration", "postfix", "end"];

function comment(subject: Rt, call: Call): string {
  const style = COMMENTS[needText(argument(call, 0, "plain"), "comment's style")];
  if (style === undefined) throw new ValueProblem(`comment's style is one of ${Object.keys(COMMENTS).join(", ")}`);
  const given = Object.fromEntries(
    COMMENT_WORDS.flatMap((word) => {
      const value = call.keywords[word];
      return value === undefined ? [] : [[word, needText(value, `comment's ${word}`)]];
    }),
  );
  const times = (word: string): number => {
    const given = call.keywords[word];
    return given === undefined ? 1 : needInt(given, `comment's ${word}`);
  };
  const around = strip(given.decoration ?? style.decoration ?? "", undefined, "right");
  const plain = { newline: "\n", beginning: "", prefix: around, decoration: "", postfix: around, end: "" };
  const { newline, beginning, prefix, decoration, postfix, end } = { ...plain, ...style, ...given };
  if (newline === "") throw new ValueProblem("comment's newline is not empty");
  const above = prefix === "" ? "" : prefix === newline ? newline : prefix + newline;
  const body = decoration + needText(subject, "what comment works on").replaceAll(newline, newline + decoration);
  const bare =
    decoration + newline === newline
      ? body
      : body.replaceAll(decoration + newline, strip(decoration, undefined, "right") + newline);
  return [
    beginning === "" ? "" : beginning + newline,
    above.repeat(Math.max(0, times("prefix_count"))),
    bare,
    (newline + postfix).repeat(Math.max(0, times("postfix_count"))),
    end === "" ? "" : newline + end,
  ].join("");
}

function wordWrap(text: string, call: Call): string {
  const width = needInt(argument(call, 0, 79), "wordwrap's width");
  const between = argument(call, 2, null);
  const joint = between === null ? "\n" : needText(between, "wordwrap's wrapstring");
  const options = { breakLong: truthy(argument(call, 1, true)), breakHyphens: truthy(argument(call, 3, true)) };
  return splitLines(text)
    .map((line) => wrapText(line, width, options).join(joint))
    .join(joint);
}

const UNITS = [..."YZEPTGMK", "B"];

function humanReadable(subject: Rt, call: Call): string {
  const size = asNumber(subject);
  if (size === undefined) throw new ValueProblem(`human_readable needs a number, not ${typeName(subject)}`);
  const base = truthy(argument(call, 0, false)) ? "bits" : "Bytes";
  const wanted = argument(call, 1, null);
  const unit = wanted === null ? undefined : needText(wanted, "the unit").toUpperCase();
  const limit = (at: number): number => 2 ** (10 * (UNITS.length - 1 - at));
  const found = UNITS.findIndex((name, at) => (unit === undefined ? size >= limit(at) : unit === name));
  const at = found < 0 ? UNITS.length - 1 : found;
  const suffix = at === UNITS.length - 1 ? base : `${UNITS[at]}${base.charAt(0)}`;
  return `${fixed(size / limit(at), 2)} ${suffix}`;
}

function fileSize(subject: Rt, call: Call): string {
  const text = asText(subject);
  const bytes = text === undefined ? asNumber(subject) : parseFloat64(text);
  if (bytes === undefined) throw new ValueProblem(`filesizeformat needs a number, not ${typeName(subject)}`);
  const binary = truthy(argument(call, 0, false));
  const base = binary ? 1024 : 1000;
  if (bytes === 1) return "1 Byte";
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const letters = [...(binary ? "KMGTPEZY" : "kMGTPEZY")];
  const at = letters.findIndex((_letter, power) => bytes < base ** (power + 2));
  const power = at < 0 ? letters.length - 1 : at;
  return `${fixed((base * bytes) / base ** (power + 2), 1)} ${letters[power]}${binary ? "iB" : "B"}`;
}

const ANSIBLE_NAMESPACE = "361E6D51-FAEC-444A-9079-341386DA8E2E";

/** A UUID of version 5. */
function uuid(name: string, namespace: string): string {
  const hex = namespace.replace(/^urn:uuid:|[{}]/g, "").replaceAll("-", "");
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new ValueProblem(`"${namespace}" is no UUID`);
  const bytes = createHash("sha1").update(Buffer.from(hex, "hex")).update(name, "utf8").digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const layoutFilters: FilterTable = {
  center: { params: ["width"], run: (subject, call) => center(str(subject), needInt(argument(call, 0, 80), "width")) },
  comment: { params: ["style"], keywords: [...COMMENT_WORDS, "prefix_count", "postfix_count"], run: comment },
  wordwrap: {
    params: ["width", "break_long_words", "wrapstring", "break_on_hyphens"],
    run: (subject, call) => wordWrap(needText(subject, "what wordwrap works on"), call),
  },
  wordcount: { params: [], run: (subject) => str(subject).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0 },
  format: {
    params: [],
    rest: true,
    anyKeyword: true,
    run: (subject, call) => {
      const named = Object.keys(call.keywords).length > 0;
      if (named && call.args.length > 0) throw new ValueProblem("format takes values, or values with names");
      return percentFormat(str(subject), named ? call.keywords : Tuple.of2(call.args.map((arg) => arg ?? null)));
    },
  },
  human_readable: { params: ["isbits", "unit"], run: humanReadable },
  filesizeformat: { params: ["binary"], run: fileSize },
  to_uuid: {
    params: ["namespace"],
    run: (subject, call) => uuid(str(subject), needText(argument(call, 0, ANSIBLE_NAMESPACE), "to_uuid's namespace")),
  },
};
