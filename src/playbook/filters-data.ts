/** Filters that convert, encode and compute. */
import { createHash } from "node:crypto";
import { power } from "./arithmetic.js";
import { argument, needInt, needText } from "./filter-helpers.js";
import { type Call, type FilterTable, refusedFilter } from "./plugin.js";
import { dumpJson, type JsonStyle, loadJson } from "./python-json.js";
import { parseFloat64, parseInt10, roundHalfEven } from "./python-text.js";
import {
  asNumber,
  asText,
  isFloat,
  isList,
  makeFloat,
  makeInt,
  NativeText,
  type Rt,
  str,
  truthy,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
} from "./python-values.js";
import { sha256Crypt, sha512Crypt } from "./sha-crypt.js";

const HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
const SIZES = "BKMGTPEZY";

function digest(value: Rt, algorithm: string): string {
  if (!HASHES.includes(algorithm))
    throw new ValueProblem(`unknown hash "${algorithm}"`, `One of ${HASHES.join(", ")}.`);
  return createHash(algorithm).update(str(value), "utf8").digest("hex");
}

function toInt(subject: Rt, otherwise: Rt, base: number): Rt {
  const number = asNumber(subject);
  if (number !== undefined) return makeInt(Math.trunc(number));
  const text = asText(subject);
  if (text === undefined) return otherwise;
  const whole = parseInt10(text, base);
  if (whole !== undefined) return whole;
  const float = parseFloat64(text);
  return float === undefined ? otherwise : makeInt(Math.trunc(float));
}

function toBool(subject: Rt): Rt {
  if (subject === null || typeof subject === "boolean") return subject;
  const text = asText(subject)?.toLowerCase();
  return text === undefined ? asNumber(subject) === 1 : ["yes", "on", "1", "true"].includes(text);
}

function round(subject: Rt, precision: number, method: string): Rt {
  const value = asNumber(subject);
  if (value === undefined) throw new ValueProblem(`a ${typeName(subject)} cannot be rounded`);
  if (method === "common") {
    if (isFloat(subject)) return makeFloat(roundHalfEven(value, precision));
    return precision >= 0 ? value : makeInt(roundHalfEven(value / 10 ** -precision, 0) * 10 ** -precision);
  }
  const compute = { ceil: Math.ceil, floor: Math.floor }[method];
  if (compute === undefined)
    throw new ValueProblem(`unknown rounding method "${method}"`, "One of common, ceil, floor.");
  // Python rounds to a whole number, which has no -0.
  return makeFloat((compute(value * 10 ** precision) + 0) / 10 ** precision);
}

/** module_utils/common/text/formatters.py */
function humanToBytes(subject: Rt, unitGiven: Rt, bits: boolean): number {
  const source = str(subject);
  const match = /^\s*(\d*\.?\d*)\s*([A-Za-z]+)?/.exec(source);
  const number = match?.[1] === undefined ? undefined : parseFloat64(match[1]);
  if (number === undefined) throw new ValueProblem(`human_to_bytes cannot read "${source}"`);
  const unit = match?.[2] ?? (unitGiven === null ? undefined : needText(unitGiven, "the unit"));
  if (unit === undefined) return makeInt(roundHalfEven(number, 0));
  const power = SIZES.indexOf(unit.charAt(0).toUpperCase());
  if (power < 0)
    throw new ValueProblem(`human_to_bytes does not know the unit "${unit}"`, `One of ${[...SIZES].join(", ")}.`);
  const name = bits ? "bit" : "byte";
  if (unit.length > 1 && !unit.toLowerCase().includes(name) && unit.charAt(1) !== (bits ? "b" : "B")) {
    throw new ValueProblem(`"${unit}" is not a unit of ${name}s`);
  }
  return makeInt(roundHalfEven(number * 1024 ** power, 0));
}

function jsonStyle(keywords: Readonly<Record<string, Rt>>, base: JsonStyle): JsonStyle {
  const { indent, sort_keys, separators, ensure_ascii } = keywords;
  const pair =
    separators === undefined || separators === null
      ? undefined
      : isList(separators)
        ? separators.map((part) => needText(part, "a separator"))
        : [];
  if (pair !== undefined && pair.length !== 2) throw new ValueProblem("separators are two strings");
  return {
    ...base,
    ...(indent === undefined || indent === null ? {} : { indent: needInt(indent, "indent") }),
    ...(sort_keys === undefined ? {} : { sortKeys: truthy(sort_keys) }),
    ...(ensure_ascii === undefined ? {} : { ensureAscii: truthy(ensure_ascii) }),
    ...(pair === undefined ? {} : { separators: [pair[0] ?? "", pair[1] ?? ""] as const }),
  };
}

function onlyUtf8(call: Call): void {
  const encoding = needText(argument(call, 0, "utf-8"), "the encoding");
  if (!/^utf[-_]?8$/i.test(encoding))
    throw new ValueProblem(`the encoding "${encoding}" is not supported`, "UTF-8 is.");
}

const jsonKeywords = ["indent", "sort_keys", "separators", "ensure_ascii"];

function passwordHash(subject: Rt, call: { args: readonly (Rt | undefined)[] }): string {
  const type = needText(call.args[0] ?? "sha512", "the hash type");
  const crypt = { sha512: sha512Crypt, sha512_crypt: sha512Crypt, sha256: sha256Crypt, sha256_crypt: sha256Crypt }[
    type
  ];
  if (crypt === undefined) throw new ValueProblem(`password_hash knows "sha512" and "sha256", not "${type}"`);
  const salt = call.args[1] ?? null;
  if (salt === null) {
    throw new ValueProblem(
      "password_hash needs a salt",
      "Without one the hash is new in every run, and nothing would ever be unchanged.",
    );
  }
  const rounds = call.args[3] ?? null;
  if (rounds === null) return crypt(needText(subject, "a password"), needText(salt, "the salt"));
  const count = needInt(rounds, "rounds");
  if (count === 5000)
    throw new ValueProblem(
      "rounds=5000 is the default",
      "Leave it out: Ansible writes it with passlib and without it differently.",
    );
  return crypt(needText(subject, "a password"), needText(salt, "the salt"), count);
}

const html = "It is for HTML: use replace.";
const collection = "It is not of ansible-core: give the parts as variables.";

function numberFor(value: Rt, filter: string): number {
  const number = asNumber(value);
  if (number === undefined) throw new ValueProblem(`${filter} works on numbers, not on ${typeName(value)}`);
  return number;
}

export const dataFilters: FilterTable = {
  default: {
    params: ["default_value", "boolean"],
    keepUndefined: true,
    run: (subject, call) =>
      subject instanceof Undefined || (truthy(argument(call, 1, false)) && !truthy(subject))
        ? argument(call, 0, "")
        : subject,
  },
  mandatory: {
    params: ["msg"],
    keepUndefined: true,
    run: (subject, call) => {
      if (!(subject instanceof Undefined)) return subject;
      const message = call.args[0];
      if (message === undefined || message === null) throw new UndefinedProblem(subject);
      throw new ValueProblem(needText(message, "mandatory's message"));
    },
  },
  ternary: {
    params: ["true_val", "false_val", "none_val"],
    required: 2,
    keepUndefined: true,
    run: (subject, call) => {
      const none = argument(call, 2, null);
      if (subject === null && none !== null) return none;
      return truthy(subject) ? argument(call, 0, null) : argument(call, 1, null);
    },
  },
  bool: { params: [], run: toBool },
  int: {
    params: ["default", "base"],
    run: (subject, call) => toInt(subject, argument(call, 0, 0), needInt(argument(call, 1, 10), "int's base")),
  },
  float: {
    params: ["default"],
    run: (subject, call) => {
      const text = asText(subject);
      const number = text === undefined ? asNumber(subject) : parseFloat64(text);
      return number === undefined ? argument(call, 0, makeFloat(0)) : makeFloat(number);
    },
  },
  abs: {
    params: [],
    run: (subject) => {
      const number = asNumber(subject);
      if (number === undefined) throw new ValueProblem(`a ${typeName(subject)} has no absolute value`);
      return isFloat(subject) ? makeFloat(Math.abs(number)) : Math.abs(number);
    },
  },
  round: {
    params: ["precision", "method"],
    run: (subject, call) =>
      round(
        subject,
        needInt(argument(call, 0, 0), "round's precision"),
        needText(argument(call, 1, "common"), "round's method"),
      ),
  },
  human_to_bytes: {
    params: ["default_unit", "isbits"],
    run: (subject, call) => humanToBytes(subject, argument(call, 0, null), truthy(argument(call, 1, false))),
  },
  to_json: {
    params: [],
    keywords: jsonKeywords,
    run: (subject, call) => new NativeText(dumpJson(subject, jsonStyle(call.keywords, {}))),
  },
  to_nice_json: {
    params: ["indent", "sort_keys"],
    keywords: ["ensure_ascii"],
    run: (subject, call) => {
      const keywords = { ...call.keywords, indent: argument(call, 0, 4), sort_keys: argument(call, 1, true) };
      return new NativeText(dumpJson(subject, jsonStyle(keywords, { separators: [",", ": "] })));
    },
  },
  from_json: { params: [], run: (subject) => loadJson(needText(subject, "what from_json reads")) },
  b64encode: {
    params: ["encoding"],
    run: (subject, call) => {
      onlyUtf8(call);
      return Buffer.from(str(subject), "utf8").toString("base64");
    },
  },
  b64decode: {
    params: ["encoding"],
    run: (subject, call) => {
      onlyUtf8(call);
      const text = needText(subject, "what b64decode reads").replace(/[^A-Za-z0-9+/=]/g, "");
      if (text.length % 4 !== 0) throw new ValueProblem("the text is not base64: its padding is wrong");
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, "base64"));
      } catch {
        throw new ValueProblem("what the base64 text holds is not UTF-8");
      }
    },
  },
  hash: {
    params: ["hashtype"],
    run: (subject, call) => digest(subject, needText(argument(call, 0, "sha1"), "the hash type")),
  },
  md5: { params: [], run: (subject) => digest(subject, "md5") },
  sha1: { params: [], run: (subject) => digest(subject, "sha1") },
  checksum: { params: [], run: (subject) => digest(subject, "sha1") },
  password_hash: { params: ["hashtype", "salt", "salt_size", "rounds"], run: passwordHash },
  type_debug: {
    params: [],
    run: (subject) => {
      const name = typeName(subject);
      if (name === "str") throw new ValueProblem("Ansible has five names for the type of a text", "Use `is string`.");
      return name;
    },
  },
  pow: {
    params: ["y"],
    required: 1,
    run: (subject, call) => makeFloat(power(numberFor(subject, "pow"), numberFor(argument(call, 0, null), "pow"))),
  },
  root: {
    params: ["base"],
    run: (subject, call) => {
      if (numberFor(argument(call, 0, 2), "root") !== 2) throw new ValueProblem("root takes square roots alone");
      const number = numberFor(subject, "root");
      if (number < 0) throw new ValueProblem("a number below 0 has no square root");
      return makeFloat(Math.sqrt(number));
    },
  },
  log: refusedFilter("Its last digits would differ from Python's: give the number as a variable."),
  random: refusedFilter("A random value would change in every run: give it as a variable."),
  shuffle: refusedFilter("A random order would change in every run."),
  strftime: refusedFilter("Times differ in every run: use the fact ansible_date_time, or give them as a variable."),
  to_datetime: refusedFilter("Times differ in every run: use the fact ansible_date_time, or give them as a variable."),
  tojson: refusedFilter("Use to_json: this one escapes for HTML."),
  pprint: refusedFilter("Use to_nice_json."),
  safe: refusedFilter("There is no escaping to be switched off."),
  escape: refusedFilter(html),
  e: refusedFilter(html),
  forceescape: refusedFilter(html),
  striptags: refusedFilter(html),
  urlize: refusedFilter(html),
  xmlattr: refusedFilter(html),
  attr: refusedFilter("Write the attribute behind a dot, or in brackets."),
  vault: refusedFilter("Use the secrets of the inventory."),
  unvault: refusedFilter("Use the secrets of the inventory."),
  json_query: refusedFilter("It is not of ansible-core: use selectattr and map."),
  ipaddr: refusedFilter(collection),
  ipv4: refusedFilter(collection),
  ipv6: refusedFilter(collection),
  ipwrap: refusedFilter(collection),
};
