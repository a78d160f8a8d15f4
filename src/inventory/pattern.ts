import { InputError } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import type { InventoryHost } from "./types.js";

type Groups = Readonly<Record<string, readonly string[]>>;

/**
 * Hosts that match Ansible's pattern, in inventory order: names of groups and hosts, `*`, `?`, `[abc]`, `~regex`,
 * `group[0]`, `group[0:2]`, joined by `,` or `:`; `&group` keeps only its hosts, `!group` drops them.
 * @param lenient a part that names nothing adds nothing, and nothing may be left
 * @throws InputError for a part that names nothing, and when nothing is left
 */
export function selectHosts(
  pattern: string,
  hosts: readonly InventoryHost[],
  groups: Groups,
  { lenient = false }: { readonly lenient?: boolean } = {},
): readonly InventoryHost[] {
  const parts = splitPattern(pattern, hosts);
  if (parts.length === 0) {
    const what = pattern.trim() === "" ? "is empty" : `${JSON.stringify(pattern)} cannot be read`;
    throw new InputError("E_PATTERN", `the host pattern ${what}`, { hint: "write all, a group, or a host" });
  }
  const names = hosts.map((host) => host.name);
  const match = (part: string) => matchPart(part, names, groups, lenient);
  const plain = parts.filter((part) => !/^[&!]/.test(part));
  let selected = new Set((plain.length === 0 ? ["all"] : plain).flatMap(match));
  for (const part of parts.filter((p) => p.startsWith("&"))) {
    const kept = new Set(match(part.slice(1)));
    selected = new Set([...selected].filter((name) => kept.has(name)));
  }
  for (const part of parts.filter((p) => p.startsWith("!")))
    for (const name of match(part.slice(1))) selected.delete(name);
  if (selected.size === 0 && !lenient)
    throw new InputError("E_PATTERN", `no host is left of the pattern ${JSON.stringify(pattern)}`, {
      hint: `the inventory has ${listNames(names)}`,
    });
  return hosts.filter((host) => selected.has(host.name));
}

/** With a comma only commas part; else colons do, except in brackets and in a host's own name (IPv6). */
function splitPattern(pattern: string, hosts: readonly InventoryHost[]): string[] {
  if (hosts.some((host) => host.name === pattern)) return [pattern];
  const parts = pattern.includes(",") ? pattern.split(",") : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

function matchPart(part: string, hosts: readonly string[], groups: Groups, lenient: boolean): readonly string[] {
  if (hosts.includes(part)) return [part];
  const [, base = part, subscript] = part.startsWith("~")
    ? []
    : (/^(.+)\[(-?[0-9]+(?::-?[0-9]*)?)\]$/.exec(part) ?? []);
  const test = matcher(base, part);
  const matchedGroups = Object.keys(groups).filter(test);
  const found = new Set(matchedGroups.flatMap((group) => groups[group] ?? []));
  if (matchedGroups.length === 0 || /^~|[.?*[]/.test(base)) for (const host of hosts.filter(test)) found.add(host);
  const result = subscript === undefined ? [...found] : slice([...found], subscript);
  if (result.length > 0 || lenient) return result;
  const known = [...Object.keys(groups), ...hosts];
  if (matchedGroups.length > 0)
    throw new InputError("E_PATTERN", `${part} has no hosts`, { hint: "add hosts to the group, or name another" });
  const what = /^~|[*?[]/.test(part) ? "matches" : "is called";
  throw new InputError("E_PATTERN", `no group or host ${what} ${JSON.stringify(part)}`, {
    hint: didYouMean(part, known) ?? `the inventory has ${listNames(known)}`,
  });
}

/** Ansible's subscripts: both ends belong to the range, and negative ones count from the end. */
function slice(names: readonly string[], subscript: string): readonly string[] {
  const [first = "", last] = subscript.split(":");
  const index = (text: string) => (Number(text) < 0 ? names.length + Number(text) : Number(text));
  if (last === undefined) return names.slice(index(first), index(first) + 1);
  return names.slice(index(first), last === "" ? undefined : index(last) + 1);
}

function matcher(pattern: string, part: string): (name: string) => boolean {
  try {
    const regex = pattern.startsWith("~") ? new RegExp(`^(?:${pattern.slice(1)})`) : globRegex(pattern);
    return (name) => regex.test(name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError("E_PATTERN", `the host pattern ${JSON.stringify(part)} cannot be read: ${why}`);
  }
}

/** Python's fnmatch: `*`, `?`, `[abc]`, `[!abc]`. */
function globRegex(glob: string): RegExp {
  const source = glob.replace(/\[(!?)([^\]]+)\]|[\s\S]/g, (char, not: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${set.replace(/[\\^\]]/g, "\\$&")}]`;
    if (char === "*") return ".*";
    if (char === "?") return ".";
    return char.replace(/[.+^${}()|[\]\\/-]/, "\\$&");
  });
  return new RegExp(`^${source}$`);
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown || "no hosts";
}
