/** Messages of the loader and what class of reason each is; `$1` is what it names. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /(?:keyword of a play|keyword of a task|module) "(?:ansible\.builtin\.)?(?:roles|role|include_role|import_role)"/,
    "roles",
  ],
  [/^(?:unknown )?(?:keyword of [a-z_ ]+|keyword or module) "(with_\w+)"/, "keyword $1"],
  [/^(?:unknown )?(?:keyword or )?module "([^"]+)"/, "module $1"],
  [/^(?:unknown )?keyword of ([a-z_ ]+) "([^"]+)"/, "keyword of $1: $2"],
  [/^(?:unknown )?argument of (\w+) "([^"]+)"/, "argument $2 of $1"],
  [/^(\w+) does not take "([^"]+)" here/, "argument $2 of $1"],
  [/the file .* does not exist/, "a file that is not there"],
  [/there is no role/, "a role that is not there"],
  [
    /^(?:Unexpected .* in YAML|Missing closing|Implicit keys|Nested mappings|All collection items)/,
    "YAML that cannot be read",
  ],
  [/the file .* must be a (mapping|list)/, "a file that is no $1, perhaps encrypted"],
  [/the arguments of (\w+) must be a mapping/, "key=value arguments"],
  [/notifies/, "a handler that is not there"],
  [/filter "?([\w.]+)"?/, "filter $1"],
  [/test "?([\w.]+)"?/, "test $1"],
  [/lookup "?([\w.]+)"?/, "lookup $1"],
];

/** The class of a message, so that the same reason is counted once for all playbooks. */
export function reasonOf(message: string): string {
  for (const [pattern, reason] of REASONS) {
    const found = pattern.exec(message);
    if (found !== null)
      return reason
        .replace(/\$(\d)/g, (_, number: string) => found[Number(number)] ?? "")
        .replace(/ansible\.builtin\./, "");
  }
  return message
    .replace(/"[^"]*"/g, "…")
    .replace(/\b\d+\b/g, "N")
    .slice(0, 100);
}
