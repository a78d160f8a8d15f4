import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuildProfile,
  neededSources,
  type ProfileKind,
  type SourceEntry,
  type SourceLock,
} from "../build/sources.js";
import type { Part } from "./advisories.js";

/** What chooses the sources of a host's build, from its settings. */
export interface BuildChoice {
  readonly nginx_from: string;
  readonly nginx_sources: string;
  readonly nginx_vts: string;
  readonly nginx_version: string | undefined;
  readonly njs_version: string | undefined;
  readonly rtmp_module: string;
}

/** The fork that has HTTP-FLV; playbooks/vars/derived.yml chooses the same. */
const FLV = "38ca192";

/** What Debian's pool has for modules of its packages; the same is chosen there. */
const DEBIAN_RTMP = "1.2.2+dfsg";

/** Which profiles a choice is of. */
export function profileKind({ nginx_from, nginx_sources }: BuildChoice): ProfileKind {
  if (nginx_from === "packages") return "packages";
  return nginx_sources === "debian" ? "debian" : "upstream";
}

/** The sources that the play takes for a host. @throws InputError for a version that the lock does not pin */
export function chosenSources(lock: SourceLock, profile: BuildProfile, choice: BuildChoice): SourceEntry[] {
  const versions = {
    ...(choice.nginx_version === undefined ? {} : { nginx: choice.nginx_version }),
    ...(choice.njs_version === undefined ? {} : { njs: choice.njs_version }),
    ...(choice.nginx_sources === "debian" ? { rtmp: DEBIAN_RTMP } : {}),
    ...(choice.rtmp_module === "http-flv" ? { rtmp: FLV } : {}),
  };
  const given = choice.nginx_vts === "include" ? (["vts"] as const) : [];
  const all = neededSources(lock, profile, { versions, given });
  const left = [...(hasVts(choice) ? [] : ["vts"]), ...(choice.rtmp_module === "package" ? ["rtmp"] : [])];
  return all.filter(({ component }) => !left.includes(component));
}

function hasVts({ nginx_vts, nginx_sources }: BuildChoice): boolean {
  return nginx_vts === "include" || (nginx_vts === "auto" && nginx_sources === "upstream");
}

/** What advisories may name of a set of sources. Debian's patches stand for its NGINX. */
export function partsOfSources(sources: readonly SourceEntry[], profile: BuildProfile): Part[] {
  const debian = profile.name.startsWith("debian-") ? profile.name.slice(7) : undefined;
  const patches = sources.find(({ component }) => component === "nginx_patches");
  return sources.flatMap(({ component, version }): Part[] => {
    if (component === "nginx_patches") return [];
    if (component === "nginx" && patches !== undefined) return [{ component, version: patches.version, debian }];
    return [{ component, version }];
  });
}

/** The options that build.sh gives to NGINX's configure, as one text: what its own text says, whatever the profile. */
export async function recipeOptions(root: string): Promise<string> {
  const text = await readFile(join(root, "nginx-build", "build.sh"), "utf8");
  const composed = /^compose_configure\(\) \{\n[\s\S]*?^\}/m.exec(text)?.[0] ?? "";
  const given = composed.match(/ --with-[a-z0-9_]+(?![a-z0-9_-])/g) ?? [];
  const lists = [...text.matchAll(/for module in ((?:[a-z0-9_ \t\n]|\\)+); do\n\s*printf ' --without-(http|stream)_/g)];
  const left = lists.flatMap(([, modules = "", kind = ""]) =>
    (modules.match(/[a-z0-9_]+/g) ?? []).map((module) => ` --without-${kind}_${module}_module`),
  );
  return [...given, ...left].join("").trim();
}

/** Every line that a configuration of this package can have, and of its scripts. */
export async function templateLines(root: string): Promise<string[]> {
  const folder = join(root, "assets", "nginx");
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")));
  return texts.flatMap((text) => text.split("\n"));
}
