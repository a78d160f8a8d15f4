/** Filters on addresses. */
import { argument, needText } from "./filter-helpers.js";
import type { FilterTable } from "./plugin.js";
import { asText, isDict, isList, iterate, makeDict, type Rt, str, Undefined, ValueProblem } from "./python-values.js";

/** `urllib.parse.quote`, which leaves a slash alone; in a query a blank is a plus. */
function quoteUrl(value: Rt, inQuery: boolean): string {
  let out = "";
  for (const byte of Buffer.from(str(value), "utf8")) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(char) || (char === "/" && !inQuery)) out += char;
    else if (char === " " && inQuery) out += "+";
    else out += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

function urlEncode(subject: Rt): string {
  if (asText(subject) !== undefined || !(isDict(subject) || isList(subject))) return quoteUrl(subject, false);
  const pairs = isDict(subject) ? Object.entries(subject) : subject.map((pair) => iterate(pair));
  return pairs
    .map((pair) => {
      const [key, value] = pair;
      if (pair.length !== 2 || key === undefined || value === undefined || value instanceof Undefined)
        throw new ValueProblem("urlencode works on text, dicts and lists of pairs");
      return `${quoteUrl(key, true)}=${quoteUrl(value, true)}`;
    })
    .join("&");
}

function urlDecode(text: string): string {
  const plain = text.replaceAll("+", " ");
  return plain.replace(/(?:%[0-9a-fA-F]{2})+/g, (codes) =>
    Buffer.from(codes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}

/** `urllib.parse.urlsplit`. */
function urlSplit(url: string): Record<string, Rt> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Python takes them off
  let rest = url.replace(/^[\x00-\x20]+/, "").replace(/[\t\r\n]/g, "");
  const cut = (pattern: RegExp): string | undefined => {
    const match = pattern.exec(rest);
    if (match === null) return undefined;
    rest = rest.slice(match[0].length);
    return match[1] ?? "";
  };
  const scheme = (cut(/^([A-Za-z][A-Za-z0-9+.-]*):/) ?? "").toLowerCase();
  const netloc = cut(/^\/\/([^/?#]*)/) ?? "";
  if (netloc.includes("[") !== netloc.includes("]"))
    throw new ValueProblem(`"${url}" is no URL: its brackets do not fit`);
  const [beforeHash = "", fragment = ""] = splitOnce(rest, "#");
  const [path = "", query = ""] = splitOnce(beforeHash, "?");
  const at = netloc.lastIndexOf("@");
  const [username, password] = at < 0 ? [] : splitOnce(netloc.slice(0, at), ":");
  const host = netloc.slice(at + 1);
  const [, bracketed, after = ""] = /^[^[]*\[([^\]]*)\](.*)$/s.exec(host) ?? [];
  const [plainHost = "", plainPort] = splitOnce(host, ":");
  const port = bracketed === undefined ? plainPort : splitOnce(after, ":")[1];
  const name = bracketed ?? plainHost;
  if (port !== undefined && port !== "" && !(/^\d+$/.test(port) && Number(port) <= 65535))
    throw new ValueProblem(`"${url}" is no URL: its port is no number from 0 to 65535`);
  return {
    fragment,
    hostname: name === "" ? null : lowerHost(name),
    netloc,
    password: password ?? null,
    path,
    port: port === undefined || port === "" ? null : Number(port),
    query,
    scheme,
    username: username ?? null,
  };
}

/** A zone (`fe80::1%eth0`) keeps its case. */
function lowerHost(name: string): string {
  const [host = "", zone] = splitOnce(name, "%");
  return host.toLowerCase() + (zone === undefined ? "" : `%${zone}`);
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

export const urlFilters: FilterTable = {
  urlencode: { params: [], run: urlEncode },
  urldecode: { params: [], run: (subject) => urlDecode(needText(subject, "what urldecode works on")) },
  urlsplit: {
    params: ["query"],
    run: (subject, call) => {
      const parts = urlSplit(needText(subject, "a URL"));
      const wanted = needText(argument(call, 0, ""), "the part of a URL");
      if (wanted === "") return makeDict(Object.entries(parts));
      const part = parts[wanted];
      if (part === undefined)
        throw new ValueProblem(`a URL has no part "${wanted}"`, `One of ${Object.keys(parts).join(", ")}.`);
      return part;
    },
  },
};
