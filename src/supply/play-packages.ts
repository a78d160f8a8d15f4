import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Names of packages that the play installs, of every profile: what playbooks/vars/derived.yml and the lock say. */
export async function playPackages(root: string): Promise<string[]> {
  const [derived, { profiles }] = await Promise.all([
    readFile(join(root, "playbooks", "vars", "derived.yml"), "utf8"),
    readLock(root),
  ]);
  const lines = derived.match(/^edge_(runtime_)?packages: .*$/gm) ?? [];
  const own = [...lines.join("\n").matchAll(/'([a-z0-9][a-z0-9.+-]+)'/g)].flatMap(([, name]) => name ?? []);
  const all = Object.values(profiles).flatMap(({ packages: { debian, runtime = [] } }) => [...debian, ...runtime]);
  return [...new Set([...own, ...all])].sort();
}

/** The same, and what else a play may install: packages that one task alone is for, and the distribution's modules of NGINX. */
export async function installablePackages(root: string): Promise<string[]> {
  const folder = join(root, "playbooks", "tasks");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".yml"));
  const tasks = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
  const alone = tasks.flatMap((text) => [
    ...text.matchAll(/^ +ansible\.builtin\.apt:\n +name: ([a-z0-9][a-z0-9.+-]*)$/gm),
  ]);
  const { profiles } = await readLock(root);
  const modules = Object.values(profiles).flatMap(({ dynamic }) => Object.values(dynamic ?? {}));
  const derived = await readFile(join(root, "playbooks", "vars", "derived.yml"), "utf8");
  const known = (/^edge_known_nginx_packages: \[(.*)\]$/m.exec(derived)?.[1] ?? "").split(", ");
  const names = [...alone.map(([, name = ""]) => name), ...modules.map((module) => module.package), ...known];
  return [...new Set([...(await playPackages(root)), ...names])].sort();
}

async function readLock(root: string): Promise<Lock["edge_lock"]> {
  const text = await readFile(join(root, "nginx-build", "sources.lock.json"), "utf8");
  return (JSON.parse(text) as Lock).edge_lock;
}

interface Lock {
  readonly edge_lock: {
    readonly profiles: Readonly<Record<string, Profile>>;
  };
}

interface Profile {
  readonly packages: { readonly debian: readonly string[]; readonly runtime?: readonly string[] };
  readonly dynamic?: Readonly<Record<string, { readonly package: string }>>;
}
