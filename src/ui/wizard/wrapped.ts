/** A line as lines at most so wide, cut at spaces, the rest moved in: a reason is worth reading to its end. */
export function wrapped(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  const at = line.lastIndexOf(" ", width);
  const cut = at > width / 2 ? at : width;
  return [line.slice(0, cut), ...wrapped(`    ${line.slice(cut).trim()}`, width)];
}
