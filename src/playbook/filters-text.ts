/** Filters on text: Jinja's own and those of ansible.builtin (plugins/filter/core.py). */
import { argument, needInt, needText } from "./filter-helpers.js";
import type { Call, FilterTable } from "./plugin.js";
import { compileRegex, regexExec, regexReplace } from "./python-regex.js";
import { capitalize, replaceText, split, splitLines, strip } from "./python-text.js";
import { asText, codePoints, NativeText, type Rt, str, Tuple, truthy, ValueProblem } from "./python-values.js";

/** `shlex.quote`. */
export function shellQuote(text: string): string {
  if (text === "") return "''";
  return /[^A-Za-z0-9_@%+=:,./-]/.test(text) ? `'${text.replaceAll("'", `'"'"'`)}'` : text;
}

function regexOf(pattern: Rt | undefined, ignoreCase: Rt | undefined, multiline: Rt | undefined): RegExp {
  return compileRegex(needText(pattern === undefined ? "" : pattern, "the pattern"), {
    ignoreCase: ignoreCase !== undefined && truthy(ignoreCase),
    multiline: multiline !== undefined && truthy(multiline),
  });
}

/** Text of str, int and float alike, as Ansible's to_text(nonstring='simplerepr'). */
function simpleText(value: Rt): string {
  return str(value);
}

function title(text: string): string {
  return text
    .split(/([-\s({[<]+)/u)
    .filter((item) => item !== "")
    .map((item) => {
      const [first = "", ...rest] = codePoints(item);
      return first.toUpperCase() + rest.join("").toLowerCase();
    })
    .join("");
}

function indent(text: string, call: Call): string {
  const width = argument(call, 0, 4);
  const padding = asText(width) ?? " ".repeat(Math.max(0, needInt(width, "indent's width")));
  const blank = truthy(argument(call, 2, false));
  const lines = splitLines(`${text}\n`);
  const body = lines.map((line, index) => (index === 0 || (line === "" && !blank) ? line : padding + line)).join("\n");
  return truthy(argument(call, 1, false)) ? padding + body : body;
}

function truncate(text: string, call: Call): string {
  const length = needInt(argument(call, 0, 255), "truncate's length");
  const end = needText(argument(call, 2, "..."), "truncate's end");
  const given = argument(call, 3, null);
  const leeway = given === null ? 5 : needInt(given, "truncate's leeway");
  const points = codePoints(text);
  const keep = length - codePoints(end).length;
  if (keep < 0 || leeway < 0) throw new ValueProblem("truncate's length is shorter than its end");
  if (points.length <= length + leeway) return text;
  const cut = points.slice(0, keep).join("");
  if (truthy(argument(call, 1, false))) return cut + end;
  const space = cut.lastIndexOf(" ");
  return (space < 0 ? cut : cut.slice(0, space)) + end;
}

function regexSearch(subject: Rt, call: Call): Rt {
  const [pattern, ...groups] = call.args;
  const match = regexExec(regexOf(pattern, call.keywords.ignorecase, call.keywords.multiline), simpleText(subject));
  const wanted = groups.map((group) => {
    const text = needText(group, "a group of regex_search");
    const found = /^\\g<(\S+)>/.exec(text) ?? /^\\(\d+)/.exec(text);
    if (found?.[1] === undefined) throw new ValueProblem(`regex_search does not know the group "${text}"`);
    return found[1];
  });
  if (match === undefined) return null;
  if (wanted.length === 0) return match[0];
  return wanted.map((group) => {
    if (!/^\d+$/.test(group) && (match.groups === undefined || !(group in match.groups)))
      throw new ValueProblem(`no such group "${group}"`);
    if (/^\d+$/.test(group) && Number(group) >= match.length) throw new ValueProblem(`no such group ${group}`);
    return (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? null;
  });
}

function regexFindall(subject: Rt, call: Call): Rt {
  const regex = regexOf(call.args[0], call.args[2], call.args[1]);
  return Array.from(simpleText(subject).matchAll(regex), (match) => {
    if (match.length <= 2) return match[1] ?? (match.length === 2 ? "" : match[0]);
    return Tuple.of2(match.slice(1).map((group) => group ?? ""));
  });
}

export const textFilters: FilterTable = {
  string: { params: [], run: (subject) => new NativeText(str(subject)) },
  lower: { params: [], run: (subject) => str(subject).toLowerCase() },
  upper: { params: [], run: (subject) => str(subject).toUpperCase() },
  title: { params: [], run: (subject) => title(str(subject)) },
  capitalize: {
    params: [],
    run: (subject) => capitalize(str(subject)),
  },
  trim: {
    params: ["chars"],
    run: (subject, call) =>
      strip(str(subject), call.args[0] === undefined ? undefined : needText(call.args[0], "trim's chars")),
  },
  replace: {
    params: ["old", "new", "count"],
    required: 2,
    run: (subject, call) => {
      const count = argument(call, 2, null);
      return replaceText(
        str(subject),
        str(argument(call, 0, "")),
        str(argument(call, 1, "")),
        count === null ? -1 : needInt(count, "replace's count"),
      );
    },
  },
  split: {
    params: ["sep", "maxsplit"],
    run: (subject, call) => {
      const separator = argument(call, 0, null);
      return split(
        needText(subject, "what split works on"),
        separator === null ? undefined : needText(separator, "split's separator"),
        needInt(argument(call, 1, -1), "split's maxsplit"),
      );
    },
  },
  regex_replace: {
    params: ["pattern", "replacement", "ignorecase", "multiline"],
    run: (subject, call) =>
      regexReplace(
        regexOf(call.args[0], call.args[2], call.args[3]),
        needText(argument(call, 1, ""), "the replacement"),
        simpleText(subject),
      ),
  },
  regex_search: { params: ["regex"], required: 1, rest: true, keywords: ["ignorecase", "multiline"], run: regexSearch },
  regex_findall: { params: ["regex", "multiline", "ignorecase"], required: 1, run: regexFindall },
  regex_escape: {
    params: ["re_type"],
    run: (subject, call) => {
      const type = needText(argument(call, 0, "python"), "re_type");
      if (type === "python") return simpleText(subject).replace(/[()[\]{}?*+\-|^$\\.&~# \t\n\r\v\f]/g, "\\$&");
      if (type !== "posix_basic") throw new ValueProblem(`re_type is "python" or "posix_basic", not "${type}"`);
      return simpleText(subject).replace(/[\].[^$*\\]/g, "\\$&");
    },
  },
  indent: {
    params: ["width", "first", "blank"],
    run: (subject, call) => indent(needText(subject, "what indent works on"), call),
  },
  truncate: {
    params: ["length", "killwords", "end", "leeway"],
    run: (subject, call) => truncate(needText(subject, "what truncate works on"), call),
  },
  quote: {
    params: [],
    keepMark: true,
    run: (subject) => {
      const text = subject === null ? "" : str(subject);
      const quoted = shellQuote(text);
      // Python hands the very object back when nothing needs quotes.
      return quoted === text && subject instanceof NativeText ? subject : quoted;
    },
  },
};
