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
    .filter((line) => line !== "" && !(line.startsWith("#") && !line.startsWith("#!")))
    .join("\n");
}

/** Ends the part of a library that a program in check mode needs: what stands below is called only to make changes. */
const APPLY_MARK = "\n#apply\n";

/** Library text as a program holds it; in check mode without the part that makes changes. */
export function libraryText(text: string, check: boolean): string {
  const at = text.indexOf(APPLY_MARK);
  return compact(check && at >= 0 ? text.slice(0, at) : text);
}
