import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hashFile } from "../build/digest.js";
import { defaultCacheDir, fetchSource } from "../build/fetch.js";
import { sourceWords } from "../build/resolver.js";
import { loadLock, type SourceEntry } from "../build/sources.js";
import type { IndexedPackage } from "../bundle/packages-index.js";
import type { PackedFile } from "../bundle/write-bundle.js";
import { librariesOf } from "../discovery/libraries.js";
import type { Value } from "../playbook/types.js";
import { packageRoot } from "../util/package-root.js";
import type { BundleTarget } from "./bundle-targets.js";
import type { Flags } from "./options.js";

interface SourceOptions {
  readonly flags: Flags;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The sources that the hosts' builds take, verified, with their signatures where they have them. @throws what `fetchSource` throws */
export async function sourcesFor(targets: readonly BundleTarget[], options: SourceOptions): Promise<PackedFile[]> {
  const { flags, signal, say } = options;
  const lock = await loadLock(join(packageRoot(), "nginx-build", "sources.lock.json"));
  const wanted = new Set(targets.flatMap(({ value }) => pins(value("edge_sources"))));
  const entries = lock.entries.filter((entry) => wanted.has(pinOf(entry)));
  const packed: PackedFile[] = [];
  for (const entry of entries) {
    const cacheDir = defaultCacheDir(process.env);
    const sourceDirs = flags["source-dir"] === undefined ? [] : [resolve(flags["source-dir"])];
    const source = await fetchSource(entry, { cacheDir, sourceDirs, signal, onWarning: say });
    say(sourceWords(entry, source).text);
    packed.push({ name: `sources/${entry.file}`, source: { path: source.path } });
    const signature = `${source.path}.asc`;
    if (source.signature.status === "good")
      packed.push({ name: `sources/${entry.file}.asc`, source: { path: signature } });
  }
  return packed;
}

const pinOf = ({ component, key }: Pick<SourceEntry, "component" | "key">) => `${component} ${key}`;

/** Of a list of {key: component, value: version}. */
function pins(sources: Value): string[] {
  if (!Array.isArray(sources)) return [];
  return sources.flatMap((one) =>
    typeof one === "object" && one !== null && !Array.isArray(one) ? [`${one.key} ${one.value}`] : [],
  );
}

/**
 * Builds of the cache that hosts of one system would take: those of their fingerprints, whole.
 * @param packages of that system, with which a host that is not there yet would be linked
 */
export async function artifactsFor(
  targets: readonly BundleTarget[],
  packages: readonly IndexedPackage[],
  cacheDir: string,
  say: (text: string) => void,
): Promise<PackedFile[]> {
  const packed: PackedFile[] = [];
  const facts = { edge_libraries: librariesOf(packages.map(({ name, version }) => `${name} ${version}`)) };
  for (const id of new Set(targets.map(({ value }) => String(value("edge_build_id", facts))))) {
    const path = join(cacheDir, `${id}.tar.gz`);
    const about = join(cacheDir, `${id}.json`);
    const fits = existsSync(path) && existsSync(about) && (await hashFile(path)) === (await hashIn(about));
    say(fits ? `build ${id} from the cache` : `no build ${id} in the cache: hosts compile it themselves`);
    if (!fits) continue;
    packed.push({ name: `artifacts/${id}.tar.gz`, source: { path } });
    packed.push({ name: `artifacts/${id}.json`, source: { path: about } });
  }
  return packed;
}

/** The hash that the description of a build gives; undefined where it gives none. */
async function hashIn(about: string): Promise<unknown> {
  try {
    const json: unknown = JSON.parse(await readFile(about, "utf8"));
    return typeof json === "object" && json !== null && "sha256" in json ? json.sha256 : undefined;
  } catch {
    return undefined;
  }
}
