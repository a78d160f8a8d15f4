import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A place in shell text where a value stands in quotes of the text's own, instead of in those that `quote` gives it. */
const RAW = /'\$\{(?!quote\(|quoteAll\(|quotePlus\(|call\(|word\(|pathWord\()((?:[^{}]|\{[^{}]*\})*)\}/g;
/** Lines for people, and shell's own expansions. */
const OTHER = /Error\(|value\.replace\(|^\s*(?:\/\/|\*|\/\*)|_PLACE = |message|reason:|Could not /;

/** What needs no quotes, and why. */
const PLAIN: Readonly<Record<string, string>> = {
  'numbers.join(" ")': "numbers",
  '[...numbers].map((index) => index + 1).join(" ")': "numbers",
  '[...segment.units].join(" ")': "names that PLAIN_UNIT allows",
  '[...units].join(" ")': "names that PLAIN_UNIT allows",
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
