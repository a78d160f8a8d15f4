/** A package URL (https://github.com/package-url/purl-spec): `pkg:TYPE/NAMESPACE/NAME@VERSION?QUALIFIERS`. */
export function packageUrl(
  type: string,
  path: readonly string[],
  version: string,
  qualifiers: Readonly<Record<string, string>> = {},
): string {
  const query = Object.entries(qualifiers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join("&");
  const name = path.map(encodeURIComponent).join("/");
  // `+` is a space to some readers; encodeURIComponent has it as %2B, and `:` as the specification wants it, %3A.
  return `pkg:${type}/${name}@${encodeURIComponent(version)}${query === "" ? "" : `?${query}`}`;
}
