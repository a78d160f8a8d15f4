/**
 * Words of a line as Python's `shlex.split(line, comments=True)` gives them: quotes and backslashes as in a shell, and `#` ends
 * the line, even within a word.
 * @throws RangeError for a quote that is not closed, or a backslash at the end
 */
export function shlexWords(line: string): { readonly word: string; readonly at: number }[] {
  const words: { word: string; at: number }[] = [];
  let current: { word: string; at: number } | undefined;
  let at = 0;
  const put = (text: string) => {
    current ??= { word: "", at };
    current.word += text;
  };
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === "#") break;
    if (/\s/.test(char)) {
      if (current !== undefined) words.push(current);
      current = undefined;
      at++;
    } else if (char === "'" || char === '"') {
      put("");
      at = quoted(line, at, put);
    } else if (char === "\\") {
      if (at + 1 >= line.length) throw new RangeError("nothing follows the backslash");
      put(line.charAt(at + 1));
      at += 2;
    } else {
      put(char);
      at++;
    }
  }
  if (current !== undefined) words.push(current);
  return words;
}

/** @returns where the text goes on after the closing quote */
function quoted(line: string, from: number, put: (text: string) => void): number {
  const quote = line.charAt(from);
  for (let at = from + 1; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === quote) return at + 1;
    const next = line.charAt(at + 1);
    if (char === "\\" && quote === '"' && (next === '"' || next === "\\")) at++;
    put(line.charAt(at));
  }
  throw new RangeError("a quote is not closed");
}
