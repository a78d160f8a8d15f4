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
