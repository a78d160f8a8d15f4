import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Names of packages that the play installs, of every profile: what playbooks/vars/derived.yml and the lock say. */
export async function playPackages(root: string): Promise<string[]> {
  const [derived, lock] = await Promise.all([
    readFile(join(root, "playbooks", "vars", "derived.yml"), "utf8"),
    readFile(join(root, "nginx-build", "sources.lock.json"), "utf8"),
  ]);
  const line = /^edge_packages: .*$/m.exec(derived)?.[0] ?? "";
  const own = [...line.matchAll(/'([a-z0-9][a-z0-9.+-]+)'/g)].flatMap(([, name]) => name ?? []);
  const { profiles } = (JSON.parse(lock) as Lock).edge_lock;
  return [...new Set([...own, ...Object.values(profiles).flatMap((profile) => profile.packages.debian)])].sort();
}

interface Lock {
  readonly edge_lock: {
    readonly profiles: Readonly<Record<string, { readonly packages: { readonly debian: readonly string[] } }>>;
  };
}
