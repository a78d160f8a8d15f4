import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { loadLock } from "../../../src/build/sources.js";
import { divide, parseLook } from "../../../src/supply/host-look.js";
import { playPackages } from "../../../src/supply/play-packages.js";
import { packageUrl } from "../../../src/supply/purl.js";
import { type PlayerLibrary, sbomOf } from "../../../src/supply/sbom.js";
import type { Component } from "../../../src/supply/sbom-types.js";
import { packageRoot } from "../../../src/util/package-root.js";
import { fromPackages } from "./from-packages.js";

const root = packageRoot();
/** What an edge on Debian 13 answered; of its packages only some. */
const answer = await readFile(join(dirname(fileURLToPath(import.meta.url)), "fixtures/edge-trixie.txt"), "utf8");
const CLAPPR = "29ec93089f5a11f914579b533b0a6820a22edf1a53e45c41e0cfa9e74c596564";
const known = {
  lock: await loadLock(join(root, "nginx-build/sources.lock.json")),
  version: "0.1.0",
  packages: await playPackages(root),
  libraries: [
    { name: "@clappr/core", version: "0.17.0", license: "BSD-3-Clause", file: "clappr.js", sha256: CLAPPR },
    { name: "other", version: "9", license: "MIT", file: "hls.worker.js", sha256: "0".repeat(64) },
    { name: "absent", version: "9", license: "MIT", file: "absent.js", sha256: "0".repeat(64) },
  ],
};

function sbom(change: (text: string) => string = (text) => text) {
  const look = parseLook("pi", divide(change(answer), "abc123"), "abc123", { at: 0, clock: 0 });
  return sbomOf("pi", look, known);
}

function find(name: string, bom = sbom()): Component | undefined {
  return bom.components.find((one) => one.name === name);
}

t.test("package URLs", async (t) => {
  t.equal(packageUrl("npm", ["@clappr", "core"], "0.17.0"), "pkg:npm/%40clappr/core@0.17.0");
  t.equal(
    packageUrl("deb", ["debian", "ffmpeg"], "7:7.1.5-0+deb13u1", { distro: "trixie", arch: "amd64" }),
    "pkg:deb/debian/ffmpeg@7%3A7.1.5-0%2Bdeb13u1?arch=amd64&distro=trixie",
  );
});

t.test("the document: unique references, all of them known, the same bytes for the same host", async (t) => {
  const bom = sbom();
  t.match(bom, {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { timestamp: "2026-11-26T03:47:52.000Z", component: { type: "device", name: "pi" } },
  });
  t.match(bom.serialNumber ?? "", /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal(JSON.stringify(sbom()), JSON.stringify(bom));
  t.not(sbom((text) => text.replaceAll("7.1.5", "7.1.6")).serialNumber, bom.serialNumber);
  const walk = (all: readonly Component[]): string[] =>
    all.flatMap((one) => [
      ...(one["bom-ref"] === undefined ? [] : [one["bom-ref"]]),
      ...walk(one.components ?? []),
      ...walk(one.pedigree?.ancestors ?? []),
    ]);
  const refs = walk([bom.metadata.component, ...bom.metadata.tools.components, ...bom.components]);
  t.equal(new Set(refs).size, refs.length, "none twice");
  for (const { ref, dependsOn } of bom.dependencies)
    for (const one of [ref, ...dependsOn]) t.ok(refs.includes(one), one);
});

t.test("NGINX of Debian's sources: both files, what Debian fixed, and what it is linked with", async (t) => {
  const bom = sbom();
  t.match(find("nginx"), {
    version: "1.26.3-3+deb13u7",
    purl: "pkg:deb/debian/nginx@1.26.3-3%2Bdeb13u7?arch=source&distro=trixie",
    licenses: [{ license: { id: "BSD-2-Clause" } }],
    externalReferences: [{ url: /orig\.tar\.gz$/ }, { url: /debian\.tar\.xz$/ }],
    pedigree: { ancestors: [{ name: "nginx", version: "1.26.3" }], patches: [{ type: "backport" }] },
    properties: [{ name: "edge-setup:build", value: "debian-1.26.3-cb47dd336504" }, {}, {}],
  });
  const own = bom.dependencies.find(({ ref }) => ref === find("nginx")?.["bom-ref"])?.dependsOn ?? [];
  for (const name of ["libssl3t64", "libpcre2-8-0", "libnginx-mod-rtmp", "libnginx-mod-http-js"]) {
    t.ok(
      own.some((ref) => ref.includes(`/${name}@`)),
      name,
    );
  }
  t.match(find("libnginx-mod-rtmp"), {
    purl: "pkg:deb/debian/libnginx-mod-rtmp@1.2.2%2Bdfsg?arch=source",
    pedigree: {
      patches: [{ type: "unofficial", diff: { url: "nginx-build/patches/rtmp-01-hls-playlist.patch" } }, {}, {}],
    },
  });
});

t.test("NGINX of upstream's sources: a forge's projects, the tar's hash, the file that was given", async (t) => {
  const versions =
    '"versions": {"nginx": "1.30.4", "nginx_patches": null, "rtmp": "6c7719d0ba32e00b563ec70bd43dad11960fa9c4", "njs": "1.0.0", "vts": "0.2.7"}';
  const upstream = sbom((text) =>
    text
      .replace('"profile": "debian"', '"profile": "upstream"')
      .replace(/"versions": .*\}/, versions)
      .replace(/[0-9a-f]{64} {2}nginx_1\.26\.3\.orig\.tar\.gz/, `${"b".repeat(64)}  tar:nginx-release-1.30.4.tar.gz`),
  );
  t.match(find("nginx", upstream), {
    purl: "pkg:generic/nginx@1.30.4",
    externalReferences: [{ url: /refs\/tags\/release-1\.30\.4/, comment: /decompressed tar/ }],
  });
  t.match(find("nginx-rtmp-module", upstream), {
    purl: "pkg:github/arut/nginx-rtmp-module@6c7719d0ba32e00b563ec70bd43dad11960fa9c4",
    pedigree: { patches: [{}, {}, {}] },
  });
  t.match(find("nginx-module-vts", upstream), { purl: "pkg:github/vozlt/nginx-module-vts@0.2.7" });
  t.match(find("njs", upstream), { purl: "pkg:github/nginx/njs@1.0.0" });
});

t.test("NGINX from packages: the distribution's, with modules that were compiled for it", async (t) => {
  const bom = sbom((text) => fromPackages(text, "1.26.3-3+deb13u10", "0.8.9-1"));
  t.match(find("nginx", bom), {
    type: "application",
    purl: "pkg:deb/debian/nginx@1.26.3-3%2Bdeb13u10?arch=amd64&distro=trixie",
    properties: [{ name: "edge-setup:build" }, {}, {}],
  });
  t.equal(bom.components.filter(({ name }) => name === "nginx").length, 1);
  t.match(find("libnginx-mod-http-js", bom), { version: "0.8.9-1", description: undefined });
  t.match(find("libnginx-mod-rtmp", bom), { pedigree: { patches: [{}, {}, {}] } }, "compiled, with our patches");
  const depends = bom.dependencies.find(({ ref }) => ref === find("nginx", bom)?.["bom-ref"])?.dependsOn ?? [];
  for (const name of ["libnginx-mod-stream", "libnginx-mod-http-js", "libnginx-mod-rtmp"])
    t.ok(depends.includes(find(name, bom)?.["bom-ref"] ?? ""), name);

  const debians = sbom((text) => fromPackages(text, "1.26.3-3+deb13u10", "0.8.9-1", ["libnginx-mod-rtmp"]));
  t.match(find("libnginx-mod-rtmp", debians), { version: "1:1.2.2+dfsg-6", pedigree: undefined });
});

t.test("packages, the player's libraries, our scripts", async (t) => {
  t.match(find("ffmpeg"), { version: "7:7.1.5-0+deb13u1", purl: /arch=amd64/ });
  t.equal(find("libavcodec61"), undefined, "what the play does not name is apt's");
  t.match(find("@clappr/core"), { version: "0.17.0", licenses: [{ license: { id: "BSD-3-Clause" } }] });
  t.match(find("other"), { version: undefined, purl: undefined, description: /is not that of this edge-setup/ });
  t.equal(find("absent"), undefined);
  const scripts = find("edge-setup")?.components ?? [];
  t.match(
    scripts.find(({ name }) => name === "/opt/edge/bin/edge-release"),
    { type: "file", hashes: [{ alg: "SHA-256" }] },
  );
  t.ok(scripts.some(({ name }) => name === "/etc/edge/live/njs/edge.js"));
});

t.test("the packages that the play installs, by its own files", async (t) => {
  for (const name of ["certbot", "ffmpeg", "python3", "gcc", "libssl-dev", "xz-utils"])
    t.ok(known.packages.includes(name), name);
});

t.test("the player's libraries as built", async (t) => {
  const vendor = join(root, "assets/player/vendor");
  const libraries = JSON.parse(await readFile(join(vendor, "libraries.json"), "utf8")) as PlayerLibrary[];
  t.same(
    libraries.map(({ name }) => name),
    ["@clappr/core", "@clappr/hlsjs-playback", "hls.js"],
  );
  for (const { file, sha256, version, license } of libraries) {
    t.equal(
      createHash("sha256")
        .update(await readFile(join(vendor, file)))
        .digest("hex"),
      sha256,
    );
    t.match(version, /^\d+\.\d+\.\d+$/);
    t.match(license, /^(BSD-3-Clause|Apache-2\.0)$/);
  }
});
