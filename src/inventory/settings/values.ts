import { isIP } from "node:net";
import type { Value } from "../../playbook/types.js";
import { Secret } from "../../util/secret.js";
import { describeType, formatDuration, formatSize } from "./docs-page.js";
import { readPull, readPush } from "./elsewhere.js";
import { fail, ok, outOfRange, type ParseResult, show, wrong } from "./parse-result.js";
import { RESERVED_PROFILES } from "./transcoding.js";
import type { Profile, SettingType } from "./types.js";

/** Secrets that everybody knows: from restreamer-edge's documentation, and what people type first. */
const WELL_KNOWN = new Set([
  "datarhei",
  "admin",
  "administrator",
  "password",
  "passw0rd",
  "changeme",
  "change-me",
  "secret",
  "letmein",
  "12345678",
  "123456789",
  "1234567890",
  "qwertyui",
  "streaming",
  "restreamer",
  "edge-setup",
  "your-password",
  "your-token",
  "your-username",
  "your-secure-token",
  "mytoken",
  "my-token",
  "mystream",
  "streamkey",
  "stream-key",
  "livestream",
]);

/** What the edge's own check at on_publish takes (assets/nginx/njs/edge.js). */
export const STREAM_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** `edge-setup verify` publishes under names that begin so, with rtmp_publish_token whatever else is set. */
export const PROOF_PREFIX = "edge-verify-";

/** A part of addresses and file names: /hls/STREAM/PROFILE.m3u8. */
const PROFILE_NAME = /^[a-z0-9]{1,16}$/;

const MS_PER_UNIT: Readonly<Record<string, number>> = { "": 1000, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES_PER_UNIT: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** YAML 1.1's truth values, and what `-e` makes of them. */
export const TRUE_WORDS = new Set(["true", "yes", "on", "1"]);
export const FALSE_WORDS = new Set(["false", "no", "off", "0"]);
/** The characters of RFC 3986 but quotes and what has a meaning in HTML; `//` would lead to another host. */
const URL_OR_PATH =
  /^(?=.{1,1000}$)(https?:\/\/[A-Za-z0-9.-]+(:[0-9]{1,5})?)?(\/(?!\/)[A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?(?<=.)$/;
const HTTPS_URL = /^(?=.{1,1000}$)https:\/\/[A-Za-z0-9.-]+(:[0-9]{1,5})?(\/[A-Za-z0-9._~/-]*)?$/;
/** No quotes, braces or control characters, which templates and shells would read. */
const FILE_PATH = /^(?!~)[^\p{C}'"{}\\$`]{1,1000}$/u;
/** RFC 1123 labels, at least two of them. */
const HOSTNAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/i;

/** Reads a value as the inventory gives it. Text of digits counts as a number, as `-e key=value` gives text. */
export function parseValue(type: SettingType, value: Value): ParseResult {
  switch (type.kind) {
    case "port":
      return parseInteger(type, value, 1, 65_535);
    case "int":
      return parseInteger(type, value, type.min, type.max);
    case "count":
      return value === "auto" ? ok(value) : parseInteger(type, value, type.min, type.max);
    case "bool":
      return parseBool(type, value);
    case "enum":
      return parseWord(type, value);
    case "duration":
      return parseAmount(type, value, MS_PER_UNIT, [type.minMs, type.maxMs], formatDuration);
    case "size":
      return parseAmount(type, value, BYTES_PER_UNIT, [type.min, type.max], formatSize);
    case "token":
      return parseToken(type, value);
    case "username":
      return matching(type, value, /^[A-Za-z0-9._-]{1,64}$/);
    case "origin":
      return matching(
        type,
        value,
        /^(\*|https?:\/\/[A-Za-z0-9.-]+(:[0-9]{1,5})?)$/,
        "an origin is scheme://host[:port], without a path",
      );
    case "email":
      return matching(type, value, /^[^\s@'"<>]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/);
    case "version":
      return typeof value === "number"
        ? fail("E_SETTING_TYPE", `is the number ${value} to YAML`, "quote it")
        : matching(type, value, /^[0-9]+(\.[0-9]+){1,3}(-git)?$/);
    case "hostname":
      return matching(type, value, HOSTNAME);
    case "host":
      return matching(type, value, /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,252}$/);
    case "cert-names":
      return parseCertNames(type, value);
    case "file":
      return matching(type, value, FILE_PATH);
    case "https-url":
      return matching(type, value, HTTPS_URL);
    case "networks":
      return parseList(type, value, isNetwork, "is not an IP address or network");
    case "streams":
      return parseList(type, value, (item) => STREAM_NAME.test(item), "is no name of a stream");
    case "url":
      return matching(type, value, URL_OR_PATH, "it has no spaces, no quotes and no user name");
    case "colour":
      return parseColour(type, value);
    case "analytics":
      return parseAnalytics(type, value);
    case "keys":
      return parseKeys(type, value);
    case "foreign-keys":
      return parseForeignKeys(type, value);
    case "push":
    case "pull":
      return parseElsewhere(type, value);
    case "profile-names":
      return parseList(type, value, (item) => PROFILE_NAME.test(item), "is not the name of a profile");
    case "profiles":
      return parseProfiles(type, value);
  }
}

function parseInteger(type: SettingType, value: Value, min: number, max: number): ParseResult {
  const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
  if (!/^[0-9]{1,15}$/.test(text)) return wrong(type, value);
  const number = Number(text);
  if (number < min || number > max) return outOfRange(text, `${min} to ${max}`);
  return ok(number);
}

function parseBool(type: SettingType, value: Value): ParseResult {
  if (typeof value === "boolean") return ok(value);
  const text = typeof value === "string" || typeof value === "number" ? String(value).toLowerCase() : "";
  if (TRUE_WORDS.has(text)) return ok(true);
  if (FALSE_WORDS.has(text)) return ok(false);
  return wrong(type, value, "write true or false");
}

function parseWord(type: SettingType & { kind: "enum" }, value: Value): ParseResult {
  if (typeof value === "string" && type.values.includes(value)) return ok(value);
  const truth = parseBool({ kind: "bool" }, value);
  const word = truth.ok ? (truth.value === true ? type.yes : type.no) : undefined;
  return word === undefined ? wrong(type, value) : ok(word);
}

function parseAmount(
  type: SettingType,
  value: Value,
  units: Readonly<Record<string, number>>,
  [min, max]: readonly [number, number],
  format: (amount: number) => string,
): ParseResult {
  const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
  const [, digits, unit = ""] = /^([0-9]{1,15})([a-zA-Z]*)$/.exec(text) ?? [];
  // nginx reads sizes in either case, times in lower case only.
  const factor = units[type.kind === "size" ? unit.toLowerCase() : unit];
  if (digits === undefined || factor === undefined) return wrong(type, value, amountHint(type, text));
  const amount = Number(digits) * factor;
  if (amount < min || amount > max) return outOfRange(text, `${format(min)} to ${format(max)}`);
  return ok(amount);
}

function amountHint(type: SettingType, text: string): string {
  if (/^[0-9]+\.[0-9]+/.test(text)) return "nginx reads whole numbers only: write 1500ms for 1.5s, 1536k for 1.5M";
  return type.kind === "size"
    ? "write a size such as 512k, 1M or 4096 (bytes)"
    : "write a time such as 2s, 500ms, 3m, 1h or 60 (seconds)";
}

function parseToken(type: SettingType & { kind: "token" }, value: Value): ParseResult {
  if (typeof value === "number" || typeof value === "boolean")
    return fail("E_SETTING_TYPE", "is a number or a truth value to YAML, which changes it", "put it in quotes");
  if (typeof value !== "string")
    return fail("E_SETTING_TYPE", "is not a text", "remove the line to have one generated");
  // Never quote the value itself: messages go to logs.
  if (WELL_KNOWN.has(value.toLowerCase()))
    return fail(
      "E_SETTING_RANGE",
      "is a well-known one that anybody can guess",
      "remove the line to have one generated",
    );
  if (value.length < type.minLength || value.length > type.maxLength)
    return fail("E_SETTING_RANGE", `has ${value.length} characters, not ${type.minLength} to ${type.maxLength}`);
  if (!/^[A-Za-z0-9._~-]+$/.test(value))
    return fail(
      "E_SETTING_TYPE",
      "holds a character that URLs or configuration files change",
      "use letters, digits, . _ ~ -",
    );
  return ok(new Secret(value));
}

function parseList(type: SettingType, value: Value, test: (item: string) => boolean, problem: string): ParseResult {
  if (typeof value === "string" && value !== "")
    return wrong(type, value, `write a list: [${value.split(/[\s,]+/).join(", ")}]`);
  if (!Array.isArray(value)) return wrong(type, value);
  const items: string[] = [];
  for (const item of value as readonly Value[]) {
    if (typeof item !== "string" || !test(item))
      return fail("E_SETTING_TYPE", `has an item ${show(item)} that ${problem}`);
    if (items.includes(item)) return fail("E_SETTING_TYPE", `has the item ${show(item)} twice`);
    items.push(item);
  }
  return ok(items);
}

function parseColour(type: SettingType, value: Value): ParseResult {
  if (typeof value === "number") return fail("E_SETTING_TYPE", `is the number ${value} to YAML`, "quote it");
  const [, digits] = (typeof value === "string" && /^#?([0-9a-f]{6})$/i.exec(value)) || [];
  return digits === undefined ? wrong(type, value, "quote it: YAML takes # for a comment") : ok(digits.toLowerCase());
}

function parseAnalytics(type: SettingType, value: Value): ParseResult {
  if (typeof value === "string" && /^UA-/i.test(value))
    return fail(
      "E_SETTING_TYPE",
      `is ${show(value)}, of Universal Analytics, which Google switched off in July 2024`,
      "make a web data stream of Google Analytics 4: its measurement id begins with G-",
    );
  return matching(type, value, /^G-[A-Z0-9]{4,16}$/);
}

function parseKeys(type: SettingType & { kind: "keys" }, value: Value): ParseResult {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong(type, value);
  const keys: Record<string, Secret> = {};
  const owners = new Map<string, string>();
  for (const [stream, key] of Object.entries(value)) {
    if (!STREAM_NAME.test(stream))
      return fail("E_SETTING_TYPE", `has a stream ${show(stream)}`, "names have 1 to 64 letters, digits, _ and -");
    if (stream.startsWith(PROOF_PREFIX))
      return fail("E_SETTING_TYPE", `has a stream ${stream}`, "such names are those of `edge-setup verify`");
    const parsed = parseToken({ ...type, kind: "token" }, key);
    if (!parsed.ok) return { ...parsed, problem: `has a key of ${stream} that ${parsed.problem}` };
    const secret = parsed.value as Secret;
    const owner = owners.get(secret.reveal());
    if (owner !== undefined)
      return fail("E_SETTING_TYPE", `gives ${owner} and ${stream} the same key`, "each stream has a key of its own");
    owners.set(secret.reveal(), stream);
    keys[stream] = secret;
  }
  return ok(keys);
}

/** Keys have the form that their service gives them; no quotes, spaces, backslashes or `$`, which NGINX would read. */
function parseForeignKeys(type: SettingType & { kind: "foreign-keys" }, value: Value): ParseResult {
  if (!isMapping(value)) return wrong(type, value);
  const keys: Record<string, Secret> = {};
  for (const [target, key] of Object.entries(value)) {
    if (!STREAM_NAME.test(target)) return fail("E_SETTING_TYPE", `has a target ${show(target)}`);
    if (typeof key !== "string" || key.length > type.maxLength || !/^[A-Za-z0-9._~?&=+%:@,!*/-]+$/.test(key))
      return fail(
        "E_SETTING_TYPE",
        `has a key of ${target} that is no text without spaces and quotes`,
        "put it in quotes",
      );
    keys[target] = new Secret(key);
  }
  return ok(keys);
}

function parseElsewhere(type: SettingType & { kind: "push" | "pull" }, value: Value): ParseResult {
  const read = type.kind === "push" ? readPush(value) : readPull(value);
  if (read.ok) return ok(read.items);
  return fail("E_SETTING_TYPE", read.problem, `it is a ${describeType(type).replaceAll("`", "")}`);
}

function parseProfiles(type: SettingType & { kind: "profiles" }, value: Value): ParseResult {
  if (!isMapping(value)) return wrong(type, value);
  const profiles: Record<string, Profile> = {};
  for (const [name, given] of Object.entries(value)) {
    if (!PROFILE_NAME.test(name) || RESERVED_PROFILES.includes(name))
      return fail(
        "E_SETTING_TYPE",
        `has a profile ${show(name)}`,
        `names have 1 to 16 lower-case letters and digits, and are not ${RESERVED_PROFILES.join(", ")}`,
      );
    if (!isMapping(given)) return fail("E_SETTING_TYPE", `gives ${name} as ${show(given)}`, PROFILE_HINT);
    const unknown = Object.keys(given).find((key) => key !== "height" && key !== "video_bitrate");
    if (unknown !== undefined) return fail("E_SETTING_TYPE", `gives ${name} a ${show(unknown)}`, PROFILE_HINT);
    const height = parseInteger(type, given.height ?? null, type.minHeight, type.maxHeight);
    if (!height.ok) return inProfile(height, name, "height");
    const bitrate = parseInteger(type, given.video_bitrate ?? null, type.minBitrate, type.maxBitrate);
    if (!bitrate.ok) return inProfile(bitrate, name, "video_bitrate");
    profiles[name] = { height: Number(height.value), video_bitrate: Number(bitrate.value) };
  }
  return ok(profiles);
}

const PROFILE_HINT = "write {height: 576, video_bitrate: 1200}, in pixels and kbit/s";

function inProfile(result: ParseResult & { ok: false }, profile: string, key: string): ParseResult {
  const problem = result.code === "E_SETTING_RANGE" ? result.problem : "is not a whole number";
  return fail(result.code, `has a ${key} of ${profile} that ${problem}`, PROFILE_HINT);
}

function isMapping(value: Value): value is Readonly<Record<string, Value>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseCertNames(type: SettingType, value: Value): ParseResult {
  const wild = Array.isArray(value) && value.find((item) => typeof item === "string" && item.startsWith("*."));
  if (wild)
    return fail(
      "E_SETTING_TYPE",
      `has an item ${show(wild)}, which is proven in the DNS and not by a web server`,
      "write each name, or get such a certificate elsewhere and give it as tls_certificate",
    );
  const isName = (item: string) => HOSTNAME.test(item) || isIP(item) !== 0;
  const names = parseList(type, value, isName, "is neither a host name of the DNS nor an IP address");
  return names.ok ? ok((names.value as readonly string[]).map((name) => name.toLowerCase())) : names;
}

/** An address with or without a prefix length, as `allow` of nginx takes it. */
function isNetwork(text: string): boolean {
  const [address = "", length, more] = text.split("/");
  const bits = { 4: 32, 6: 128 }[isIP(address)];
  if (bits === undefined || more !== undefined) return false;
  return length === undefined || (/^[0-9]{1,3}$/.test(length) && Number(length) <= bits);
}

function matching(type: SettingType, value: Value, pattern: RegExp, hint?: string): ParseResult {
  return typeof value === "string" && pattern.test(value) ? ok(value) : wrong(type, value, hint);
}
