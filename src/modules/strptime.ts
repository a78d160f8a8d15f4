/** Parts of a time that Python's strptime reads by number, and how many digits they have at most. */
const PARTS: Record<string, readonly [name: string, pattern: string]> = {
  Y: ["year", "\\d{4}"],
  m: ["month", "1[0-2]|0[1-9]|[1-9]"],
  d: ["day", "3[01]|[12]\\d|0[1-9]|[1-9]"],
  H: ["hour", "2[0-3]|[01]\\d|\\d"],
  M: ["minute", "[0-5]\\d|\\d"],
  S: ["second", "6[01]|[0-5]\\d|\\d"],
};

/**
 * A time by a format of Python's strptime, as `date` reads it.
 * @returns undefined when it does not fit
 * @throws RangeError for a format with other parts than year, month, day, hour, minute and second
 */
export function dateText(text: string, format: string): string | undefined {
  const pattern = format.replace(/%(.?)|[\s\S]/g, (whole, letter?: string) => {
    if (letter === undefined) return whole.replace(/[\^$\\.*+?()[\]{}|/]/, "\\$&");
    if (letter === "%") return "%";
    const part = PARTS[letter];
    if (part === undefined)
      throw new RangeError(`${format} has ${whole}: of a time's parts %Y, %m, %d, %H, %M and %S are read`);
    return `(?<${part[0]}>${part[1]})`;
  });
  const found = new RegExp(`^(?:${pattern})$`).exec(text)?.groups;
  if (found === undefined) return undefined;
  const two = (name: string, otherwise: string) => (found[name] ?? otherwise).padStart(2, "0");
  return `${found.year ?? "1900"}-${two("month", "1")}-${two("day", "1")} ${two("hour", "0")}:${two("minute", "0")}:${two("second", "0")}`;
}
