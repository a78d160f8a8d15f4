/**
 * Tag for the shell text that modules carry: raw (a backslash is a backslash), except that `$\{` stands for `${` and
 * `` \` `` for a backquote, which a template literal cannot hold otherwise. Interpolations are refused: values reach a
 * program only through `quote()`.
 */
export function sh(strings: TemplateStringsArray): string {
  if (strings.raw.length !== 1) throw new TypeError("shell library text takes no interpolation");
  return `${(strings.raw[0] ?? "").replaceAll("$\\{", "${").replaceAll("\\`", "`").trim()}\n`;
}

/** Drops comments and indentation, which the host does not need: library text holds no here-documents. */
export function compact(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

/** The lines between these two only make changes; without an end, all that follow do. */
const APPLY = "#apply";
const APPLY_END = "#end";
/** `chg` is never true in check mode, and K is never empty. */
const NEVER = String.raw`(?:chg (?:'[^']*'|"[^"]*"|\w+)|\[ -z "\$K" \]); then`;
const NEVER_LINE = new RegExp(`^(.*${NEVER} )(.*?)(; fi(?: ;;)?)$`);
const NEVER_BLOCK = new RegExp(`${NEVER}$`);

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Library text as a program in check mode holds it: without what is done only when something is changed. */
export function withoutChanges(text: string): string {
  const kept: string[] = [];
  let dropping = false;
  /** Indentation of the `if` whose branch is left out. */
  let block = -1;
  for (const line of text.split("\n")) {
    const word = line.trim();
    if (word === APPLY) dropping = true;
    else if (word === APPLY_END) dropping = false;
    if (dropping || word === APPLY_END || (block >= 0 && (word === "" || indentOf(line) > block))) continue;
    block = -1;
    const [, head, dead, tail] = NEVER_LINE.exec(line) ?? [];
    if (dead !== undefined && !/\b(else|elif)\b/.test(dead)) kept.push(`${head}:${tail}`);
    else kept.push(line);
    if (NEVER_BLOCK.test(line)) {
      kept.push(":");
      block = indentOf(line);
    }
  }
  return kept.join("\n");
}

/** A function of library text, or what stands between two. */
export interface ShellPart {
  /** undefined: statements, which every program needs. */
  readonly name: string | undefined;
  readonly text: string;
}

/** Takes library text apart, and compacts it: functions begin and end at the margin. */
export function partsOf(text: string): ShellPart[] {
  const parts: ShellPart[] = [];
  let name: string | undefined;
  let lines: string[] = [];
  const close = () => {
    const body = compact(lines.join("\n"));
    if (body !== "") parts.push({ name, text: body });
    name = undefined;
    lines = [];
  };
  for (const line of text.split("\n")) {
    const start = /^(\w+)\(\) \{/.exec(line)?.[1];
    if (start !== undefined) {
      close();
      name = start;
    }
    lines.push(line);
    if (name !== undefined && (line === "}" || (start !== undefined && line.endsWith("}")))) close();
  }
  close();
  return parts;
}

/** The parts that `roots` and statements reach, in their order. A name that stands in a text counts as a call. */
export function reached(parts: readonly ShellPart[], roots: string): ShellPart[] {
  const functions = new Map(parts.flatMap((part) => (part.name === undefined ? [] : [[part.name, part]])));
  const found = new Set<ShellPart>();
  const open = [roots];
  for (const part of parts) if (part.name === undefined) open.push(part.text);
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    for (const word of text.match(/\w+/g) ?? []) {
      const part = functions.get(word);
      if (part === undefined || found.has(part)) continue;
      found.add(part);
      open.push(part.text);
    }
  }
  return parts.filter((part) => part.name === undefined || found.has(part));
}
