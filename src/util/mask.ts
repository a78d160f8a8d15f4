/** A secret shorter than this would mask ordinary text. */
const SHORTEST = 4;

/** Gives a function that replaces every known secret, raw or as base64, by `***`. */
export function masker(secrets: readonly string[]): (text: string) => string {
  const words = [...new Set(secrets.filter((word) => word.length >= SHORTEST))].flatMap((word) => [
    word,
    ...word.split("\n").filter((line) => line.length >= SHORTEST),
    Buffer.from(word).toString("base64"),
  ]);
  words.sort((a, b) => b.length - a.length);
  if (words.length === 0) return (text) => text;
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
  return (text) => text.replace(pattern, "***");
}
