import { join } from "node:path";
import t from "tap";
import { entryByFile, loadLock, neededSources, parseLock, profileFor } from "../../../src/build/sources.js";
import { InputError } from "../../../src/util/errors.js";
import { packageRoot } from "../../../src/util/package-root.js";
import { lockJson } from "./lock-fixture.js";

const LOCK_FILE = join(packageRoot(), "nginx-build/sources.lock.json");

t.test("the shipped lock names the files of each profile", async (t) => {
  const lock = await loadLock(LOCK_FILE);
  const files = (sources: "upstream" | "debian", release: string, options = {}) =>
    neededSources(lock, profileFor(lock, sources, release), options).map((entry) => entry.file);
  t.same(files("upstream", "trixie"), [
    "nginx-1.30.6.tar.gz",
    "nginx-rtmp-module-6c7719d.tar.gz",
    "njs-1.0.2.tar.gz",
    "nginx-module-vts-0.2.7.tar.gz",
  ]);
  t.same(files("upstream", "jammy", { versions: { nginx: "1.30.4-git", njs: "1.0.0" } }), [
    "nginx-release-1.30.4.tar.gz",
    "nginx-rtmp-module-6c7719d.tar.gz",
    "njs-1.0.0.tar.gz",
    "nginx-module-vts-0.2.7.tar.gz",
  ]);
  t.equal(
    files("upstream", "trixie", { versions: { rtmp: "38ca192" } })[1],
    "nginx-http-flv-module-38ca192.tar.gz",
    "rtmp_module: http-flv",
  );
  t.same(files("debian", "trixie"), [
    "nginx_1.26.3.orig.tar.gz",
    "nginx_1.26.3-3+deb13u7.debian.tar.xz",
    "libnginx-mod-rtmp_1.2.2+dfsg.orig.tar.xz",
  ]);
  t.same(files("debian", "bookworm", { given: ["vts"] }), [
    "nginx_1.22.1.orig.tar.gz",
    "nginx_1.22.1-9+deb12u9.debian.tar.xz",
    "libnginx-mod-rtmp_1.2.2+dfsg.orig.tar.xz",
    "nginx-module-vts-0.2.7.tar.gz",
  ]);
  const debian = profileFor(lock, "debian", "trixie");
  t.equal(
    neededSources(lock, debian, { versions: debian.securityVersions })[1]?.file,
    "nginx_1.26.3-3+deb13u11.debian.tar.xz",
  );
});

t.test("what the shipped lock promises", async (t) => {
  const lock = await loadLock(LOCK_FILE);
  for (const entry of lock.entries) {
    t.ok(entry.sha256 ?? entry.tarSha256, `${entry.file} has a hash`);
    t.ok(entry.urls.length >= 2, `${entry.file} has a second place`);
    const forge = entry.urls.some((url) => url.includes("/archive/refs/") || url.includes("codeload"));
    if (forge && entry.key !== "1.0.2") t.ok(entry.tarSha256, `${entry.file} survives recompression`);
  }
  t.equal(entryByFile(lock, "njs-1.0.0.tar.gz")?.affecting.length, 3);
  t.equal(entryByFile(lock, "nothing.tar.gz"), undefined);
});

t.test("a release without Debian sources, and a version without a pin, are named with what there is", async (t) => {
  const lock = await loadLock(LOCK_FILE);
  t.throws(() => profileFor(lock, "debian", "noble"), { code: "E_PROFILE_UNKNOWN", hint: /trixie, bookworm/ });
  const upstream = profileFor(lock, "upstream", "noble");
  t.throws(() => neededSources(lock, upstream, { versions: { nginx: "1.20.0" } }), {
    code: "E_VERSION_UNKNOWN",
    message: /pins no nginx 1\.20\.0/,
    hint: /1\.30\.6/,
  });
});

t.test("a wrong lock is refused with the place", async (t) => {
  const good = () => lockJson({ rtmp: ["https://a.example/x"], nginx: ["https://a.example/y"] });
  const cases: [name: string, damage: (lock: ReturnType<typeof good>) => void, message: RegExp][] = [
    ["short hash", (l) => Object.assign(l.edge_lock.components.nginx["1"], { sha256: "abc" }), /nginx\.1\.sha256/],
    ["no hash", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { tar_sha256: undefined }), /neither sha256/],
    [
      "path as file",
      (l) => Object.assign(l.edge_lock.components.rtmp["1"], { file: "../x.tar.gz" }),
      /plain file name/,
    ],
    ["no url", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { urls: [] }), /urls is empty/],
    ["bad url", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { urls: ["here"] }), /"here", which is no URL/],
    ["tar hash of xz", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { file: "r.tar.xz" }), /no \.tar\.gz/],
    ["twice", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { file: "nginx-1.tar.xz" }), /no \.tar\.gz|twice/],
    [
      "no date",
      (l) => Object.assign(l.edge_lock.components.rtmp["1"], { date: undefined }),
      /rtmp\.1\.date is not a text/,
    ],
    ["vague date", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { date: "soon" }), /date is not YYYY-MM-DD/],
    ["no CVEs", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { cves: undefined }), /cves is not an object/],
    [
      "half of CVEs",
      (l) => Object.assign(l.edge_lock.components.rtmp["1"], { cves: { fixed: [] } }),
      /cves\.affecting/,
    ],
    ["no licence", (l) => Object.assign(l.edge_lock.components.rtmp["1"], { license: "" }), /rtmp\.1\.license/],
    [
      "no fingerprint",
      (l) =>
        Object.assign(l.edge_lock.components.rtmp["1"], {
          signature: { urls: ["https://a.example/x.asc"], signers: ["c8464d549af75c0a"] },
        }),
      /signature\.signers holds "c8464d549af75c0a", which is no fingerprint/,
    ],
    [
      "nobody signs",
      (l) =>
        Object.assign(l.edge_lock.components.rtmp["1"], { signature: { urls: ["https://a.example/x"], signers: [] } }),
      /signers is empty/,
    ],
    ["format", (l) => Object.assign(l.edge_lock, { format: 2 }), /format is 2/],
    ["profile", (l) => Object.assign(l.edge_lock.profiles.upstream.versions, { nginx: "9" }), /pins no nginx 9/],
    ["component", (l) => Object.assign(l.edge_lock.components, { php: {} }), /unknown component "php"/],
  ];
  for (const [name, damage, message] of cases) {
    const lock = good();
    damage(lock);
    t.throws(() => parseLock(JSON.stringify(lock), "lock.json"), { message }, name);
  }
  t.throws(() => parseLock("{", "lock.json"), { code: "E_LOCK_INVALID" });
  t.throws(() => parseLock("[]", "lock.json"), InputError);
  await t.rejects(loadLock("/nonexistent/lock.json"), { code: "E_LOCK_INVALID", message: /cannot read/ });
});
