import { createHash } from "node:crypto";
import type { SourceLock } from "../build/sources.js";
import type { HostLook } from "./host-look.js";
import { packageUrl } from "./purl.js";
import { buildComponents, hashesOf } from "./sbom-build.js";
import type { Bom, Component, Referable } from "./sbom-types.js";

/** A JavaScript library of the player, as built into this package. */
export interface PlayerLibrary {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** The file that it is in, below the player's vendor directory. */
  readonly file: string;
  /** SHA-256 of that file. */
  readonly sha256: string;
}

/** What this package knows, beside what the host says. */
export interface SbomKnowledge {
  readonly lock: SourceLock;
  /** Version of edge-setup. */
  readonly version: string;
  /** Names of packages that the play installs. */
  readonly packages: readonly string[];
  readonly libraries: readonly PlayerLibrary[];
}

const VENDOR = "/opt/edge/www/vendor/";
/** Directories of files that are ours. */
const OURS = ["/opt/edge/bin/", "/etc/edge/live/njs/"];
/** Modules of NGINX, compiled in or loaded. */
const MODULE = /^(nginx-(rtmp|http-flv)-module|nginx-module-vts|njs|libnginx-mod-(rtmp|http-js|stream))$/;
/** Packages with the libraries that NGINX is linked with. */
const LINKED = /^(libssl3(t64)?|libpcre2-8-0|zlib1g|libcrypt1|libc6)$/;

/**
 * What edge-setup brought to a host, as CycloneDX 1.6: NGINX and its modules with their sources and patches, the packages
 * that the play installs and those that NGINX is linked with, the player's libraries, our scripts. The same host gives
 * the same bytes.
 */
export function sbomOf(host: string, look: HostLook, known: SbomKnowledge): Bom {
  const components = [
    ...buildComponents(look, known.lock),
    ...packageComponents(look, known.packages),
    ...libraryComponents(look, known.libraries),
    ...scriptComponents(look, known.version),
  ].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  const root: Referable = { type: "device", "bom-ref": `edge:${host}`, name: host, description: look.portrait.os };
  const bom: Bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      ...(look.changedAt === undefined ? {} : { timestamp: new Date(look.changedAt * 1000).toISOString() }),
      tools: { components: [ours(known.version)] },
      component: root,
    },
    components,
    dependencies: [
      { ref: root["bom-ref"], dependsOn: components.map((one) => one["bom-ref"]) },
      ...components.map((one) => ({ ref: one["bom-ref"], dependsOn: dependsOn(one, components) })),
    ],
  };
  const { $schema, bomFormat, specVersion, ...rest } = bom;
  return { $schema, bomFormat, specVersion, serialNumber: serialOf(bom), ...rest };
}

/** NGINX on its modules and on the libraries that it is linked with; of packages apt knows more. */
function dependsOn(one: Referable, all: readonly Referable[]): string[] {
  if (one.name !== "nginx") return [];
  return all.filter(({ name }) => LINKED.test(name) || MODULE.test(name)).map((other) => other["bom-ref"]);
}

function packageComponents({ packages, system, manifest }: HostLook, wanted: readonly string[]): Referable[] {
  const ofBuild = manifest?.packages ?? [];
  return (
    packages
      .filter(({ name }) => wanted.includes(name) || LINKED.test(name) || ofBuild.includes(name))
      // Described with the build.
      .filter(({ name }) => name !== "nginx" || !ofBuild.includes(name))
      .map(({ name, version, architecture }) => {
        const purl = packageUrl("deb", [system.id, name], version, { arch: architecture, distro: system.release });
        return { type: LINKED.test(name) ? "library" : "application", "bom-ref": purl, name, version, purl };
      })
  );
}

function libraryComponents(look: HostLook, libraries: readonly PlayerLibrary[]): Referable[] {
  return libraries.flatMap(({ name, version, license, file, sha256 }): Referable[] => {
    const there = look.hashes.get(VENDOR + file);
    if (there === undefined) return [];
    const same = there === sha256;
    const path = name.split("/");
    const purl = packageUrl("npm", path, version);
    return [
      {
        type: "library",
        "bom-ref": same ? purl : `file:${VENDOR}${file}#${name}`,
        name,
        // A file of another edge-setup holds another version, perhaps.
        ...(same ? { version, licenses: [{ license: { id: license } }], purl } : {}),
        description: `In ${VENDOR}${file}${same ? "" : ", which is not that of this edge-setup"}`,
      },
    ];
  });
}

function scriptComponents(look: HostLook, version: string): Referable[] {
  const files = [...look.hashes.keys()].filter((path) => OURS.some((folder) => path.startsWith(folder)));
  if (files.length === 0) return [];
  const components = files
    .sort()
    .map((path): Component => ({ type: "file", "bom-ref": `file:${path}`, name: path, ...hashesOf(look, path) }));
  const own = ours(version);
  return [{ ...own, "bom-ref": own.purl, components }];
}

function ours(version: string) {
  const purl = packageUrl("npm", ["edge-setup"], version);
  return {
    type: "application",
    name: "edge-setup",
    version,
    licenses: [{ license: { id: "Apache-2.0" } }],
    purl,
  } as const;
}

/** From the content, so that it is the same for the same content (RFC 9562, version 8). */
function serialOf(bom: Bom): string {
  const hex = createHash("sha256").update(JSON.stringify(bom)).digest("hex");
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
