import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A place in shell text where a value stands in quotes of the text's own, instead of in those that `quote` gives it. */
const RAW = /'\$\{(?!quote\(|quoteAll\(|quotePlus\(|call\(|word\(|pathWord\()((?:[^{}]|\{[^{}]*\})*)\}/g;
/** Lines for people, and shell's own expansions. */
const OTHER = /Error\(|value\.replace\(|^\s*(?:\/\/|\*|\/\*)|_PLACE = |message|reason:/;

/** What needs no quotes, and why. */
const PLAIN: Readonly<Record<string, string>> = {
  'check ? "1" : ""': "one of two words",
  'options.diff ? "1" : ""': "one of two words",
  'options.later ? "1" : ""': "one of two words",
  'options.notified.has(index + 1) ? "1" : "\'\'"': "one of two words",
  'target.local ? "1" : ""': "one of two words",
  "options.start": "a number",
  'numbers.join(" ")': "numbers",
  '[...numbers].map((index) => index + 1).join(" ")': "numbers",
  "contentDigest(name)": "hexadecimal",
  "info.digest": "hexadecimal",
  "outcome.status": "one of five words",
  yes: "true or false",
  '[...segment.units].join(" ")': "names that PLAIN_UNIT allows",
  'value === "" ? "\'\'" : quote(value)': "quoted",
  'value === "" ? "\'\'" : quote(fallback.text)': "quoted",
  "makeDirectory([RUN_PLACE, TMP_PLACE])": "our own text",
  made: "our own text",
  'text(args, "umask")': "octal digits",
  'text(args, "job")': "a crontab's, of a line that is quoted as a whole",
  "job.ref.name": "said to people",
  digest: "hexadecimal",
  "booted.call": "a number",
  "booted.seconds": "a number",
  "attempts - 1": "a number",
  "wish.timeoutMs / 1000": "said to people",
  path: "made by pathWord",
  value: "of an argument's name, or of a header, before it is a word",
  file: "a word that the module has made",
};

/** Raw values in the shell text that files of a folder write, as `file: expression`. */
export function rawWords(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    if (!name.endsWith(".ts") || name === "sh.ts") return [];
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    return lines.flatMap((line) => {
      if (OTHER.test(line) || !line.includes("`")) return [];
      const found = [...line.matchAll(RAW)].flatMap(([, expression = ""]) => expression);
      return found
        .filter((expression) => PLAIN[expression] === undefined)
        .map((expression) => `${name}: ${expression}`);
    });
  });
}
