import type { Component as LockComponent, SourceEntry, SourceLock } from "../build/sources.js";
import type { HostLook } from "./host-look.js";
import type { Manifest } from "./manifest.js";
import { packageUrl } from "./purl.js";
import type { Component, ExternalReference, Hash, Pedigree, Referable } from "./sbom-types.js";

const MODULES = "/opt/edge/nginx/modules/";
const PATCHES = "/opt/edge/nginx/made-from/";

/** NGINX and what is compiled into it, or loaded by it. */
export function buildComponents(look: HostLook, lock: SourceLock): Referable[] {
  const { manifest } = look;
  if (manifest === undefined) return [];
  const { nginx = "", nginx_patches: patches, rtmp, njs, vts } = manifest.versions;
  const entryOf = entryFinder(look, lock);
  const server = entryOf("nginx", nginx);
  return [
    manifest.packages.includes("nginx")
      ? packagedServer(look, manifest)
      : serverComponent(look, manifest, server, patches === undefined ? undefined : entryOf("nginx_patches", patches)),
    ...(rtmp === undefined || manifest.packages.includes("libnginx-mod-rtmp")
      ? []
      : [moduleComponent(rtmp, entryOf("rtmp", rtmp), "nginx-rtmp-module", ourPatches(look, manifest))]),
    ...(vts === undefined ? [] : [moduleComponent(vts, entryOf("vts", vts), "nginx-module-vts")]),
    ...(njs === undefined || manifest.packages.length > 0
      ? []
      : [njsComponent(look, manifest, njs, entryOf("njs", njs))]),
  ];
}

/**
 * The pin of what a build says that it holds: of those that fit, the one whose file it was made from. A build
 * names versions by its sources' own words, a commit by all its digits.
 */
function entryFinder(look: HostLook, lock: SourceLock) {
  const given = new Set(look.sources);
  return (component: LockComponent, version: string): SourceEntry | undefined => {
    const fitting = lock.entries.filter(
      (entry) =>
        entry.component === component &&
        (entry.version === version.replace(/^v/, "") ||
          (/^[0-9a-f]{40}$/.test(version) && version.startsWith(entry.version))),
    );
    return fitting.find(({ file }) => given.has(file)) ?? fitting[0];
  };
}

function serverComponent(
  look: HostLook,
  manifest: Manifest,
  source: SourceEntry | undefined,
  patches: SourceEntry | undefined,
): Referable {
  const { nginx = "", nginx_patches: debian } = manifest.versions;
  const upstream = packageUrl("generic", ["nginx"], nginx);
  const purl = debian === undefined ? upstream : debianSource("nginx", debian, look);
  return {
    type: "application",
    "bom-ref": purl,
    name: "nginx",
    version: debian ?? nginx,
    ...hashesOf(look, "/opt/edge/nginx/sbin/nginx"),
    ...licenseOf(source),
    purl,
    ...references([source, patches]),
    ...(patches === undefined
      ? {}
      : {
          pedigree: {
            ancestors: [{ type: "application", "bom-ref": upstream, name: "nginx", version: nginx, purl: upstream }],
            patches: [backport(patches)],
          },
        }),
    properties: buildProperties(look, manifest),
  };
}

/** What apt installed; the packages of its modules are listed as packages. */
function packagedServer(look: HostLook, manifest: Manifest): Referable {
  const { name, version, architecture } = look.packages.find((one) => one.name === "nginx") ?? {
    name: "nginx",
    version: manifest.versions.nginx ?? "",
    architecture: "any",
  };
  const purl = packageUrl("deb", [look.system.id, name], version, { arch: architecture, distro: look.system.release });
  return {
    type: "application",
    "bom-ref": purl,
    name,
    version,
    ...hashesOf(look, "/opt/edge/nginx/sbin/nginx"),
    purl,
    properties: buildProperties(look, manifest),
  };
}

function buildProperties(look: HostLook, manifest: Manifest) {
  return [
    { name: "edge-setup:build", value: look.build ?? "" },
    { name: "edge-setup:configure", value: manifest.configure },
    { name: "edge-setup:compiler", value: manifest.compiler },
  ];
}

function backport({ fixed }: SourceEntry): Pedigree["patches"][number] {
  return { type: "backport", resolves: fixed.map((id) => ({ type: "security", id })) };
}

function moduleComponent(
  version: string,
  entry: SourceEntry | undefined,
  name: string,
  pedigree?: Pedigree,
): Referable {
  const purl = entry === undefined ? packageUrl("generic", [name], version) : sourceUrl(entry, version);
  return {
    type: "library",
    "bom-ref": purl,
    name: /^pkg:[a-z]+\/(?:.*\/)?([^/@]+)@/.exec(purl)?.[1] ?? name,
    version,
    ...licenseOf(entry),
    purl,
    ...references([entry]),
    ...(pedigree === undefined ? {} : { pedigree }),
  };
}

function njsComponent(
  look: HostLook,
  { profile }: Manifest,
  version: string,
  entry: SourceEntry | undefined,
): Referable {
  if (profile === "upstream") return moduleComponent(version, entry, "njs");
  const purl = packageUrl("deb", [look.system.id, "libnginx-mod-http-js"], version, { distro: look.system.release });
  return {
    type: "library",
    "bom-ref": purl,
    name: "libnginx-mod-http-js",
    version,
    description: "The module of the distribution's package, unpacked and not installed",
    ...hashesOf(look, `${MODULES}ngx_http_js_module.so`),
    licenses: [{ license: { id: "BSD-2-Clause" } }],
    purl,
  };
}

/** The patches that it was made with, of the set for the module that is in. */
function ourPatches(look: HostLook, { httpFlv }: Manifest): Pedigree | undefined {
  const set = httpFlv ? "flv-" : "rtmp-";
  const names = [...look.hashes.keys()]
    .filter((path) => path.startsWith(PATCHES + set))
    .map((path) => path.slice(PATCHES.length));
  if (names.length === 0) return undefined;
  return {
    patches: names.sort().map((name) => ({ type: "unofficial", diff: { url: `nginx-build/patches/${name}` } })),
    notes: "Of edge-setup; the diffs are in its package.",
  };
}

/** A project of a forge by its commit or tag, a source of Debian's pool by its version. */
function sourceUrl({ urls, key }: SourceEntry, built: string): string {
  const [, owner, repository] = /^https:\/\/github\.com\/([^/]+)\/([^/]+)\//.exec(urls[0] ?? "") ?? [];
  if (owner !== undefined && repository !== undefined) return packageUrl("github", [owner, repository], built);
  const name = /\/pool\/main\/[^/]+\/([^/]+)\//.exec(urls[0] ?? "")?.[1] ?? "source";
  return packageUrl("deb", ["debian", name], key, { arch: "source" });
}

function debianSource(name: string, version: string, { system }: HostLook): string {
  return packageUrl("deb", ["debian", name], version, { arch: "source", distro: system.release });
}

function licenseOf(entry: SourceEntry | undefined): Pick<Component, "licenses"> {
  return entry === undefined ? {} : { licenses: [{ license: { id: entry.license } }] };
}

function references(entries: readonly (SourceEntry | undefined)[]): Pick<Component, "externalReferences"> {
  const found = entries.flatMap((entry): ExternalReference[] => {
    const [url] = entry?.urls ?? [];
    if (entry === undefined || url === undefined) return [];
    const content = entry.tarSha256 ?? entry.sha256 ?? "";
    const of = entry.tarSha256 === undefined ? {} : { comment: "The hash is of the decompressed tar." };
    return [{ type: "source-distribution", url, ...of, hashes: [{ alg: "SHA-256", content }] }];
  });
  return found.length === 0 ? {} : { externalReferences: found };
}

/** Of a file as it is on the host. */
export function hashesOf(look: HostLook, path: string): { readonly hashes?: readonly Hash[] } {
  const content = look.hashes.get(path);
  return content === undefined ? {} : { hashes: [{ alg: "SHA-256", content }] };
}
