import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { aptHere, aptThere } from "../../../src/bundle/apt-script.js";
import { indexOf, parsePackages } from "../../../src/bundle/packages-index.js";
import { librariesOf } from "../../../src/discovery/libraries.js";
import { installablePackages } from "../../../src/supply/play-packages.js";
import { root } from "../generated-files.js";

const paragraph = `Package: libssl3t64
Source: openssl
Version: 1:3.5.9-1~deb13u1
Architecture: amd64
Multi-Arch: same
Depends: libc6 (>= 2.38),
 libzstd1
Description: Secure Sockets Layer toolkit
 for people
Homepage: https://www.openssl.org/
Filename: pool/main/o/openssl/libssl3t64_3.5.9-1~deb13u1_amd64.deb
Size: 2464736
SHA256: ${"ab".repeat(32)}
`;

t.test("apt's description of a package", (t) => {
  const [one, ...more] = parsePackages(`${paragraph}\n${paragraph}`);
  t.same(more, [], "each once");
  t.match(one, {
    name: "libssl3t64",
    version: "1:3.5.9-1~deb13u1",
    file: "libssl3t64_3.5.9-1~deb13u1_amd64.deb",
    archive: "libssl3t64_1%3a3.5.9-1~deb13u1_amd64.deb",
    size: 2464736,
  });
  const index = one === undefined ? "" : indexOf([one]);
  t.match(index, "Depends: libc6 (>= 2.38),\n libzstd1\n");
  t.match(index, "Filename: ./libssl3t64_3.5.9-1~deb13u1_amd64.deb\n");
  t.notMatch(index, /Description|Homepage/);
  for (const [field, value] of [
    ["Package", "../x"],
    ["Filename", "pool/x_1_amd64.deb;rm"],
    ["SHA256", "none"],
    ["Version", "1 2"],
  ] as const) {
    const wrong = paragraph.replace(new RegExp(`^${field}: .*$`, "m"), `${field}: ${value}`);
    t.throws(() => parsePackages(wrong), /apt (describes|names)/, field);
  }
  t.end();
});

t.test("of a system's packages, those that name a build", (t) => {
  const packages = [
    "ffmpeg 7:7.1.5",
    "zlib1g 1:1.3.dfsg-1",
    "libc6 2.41-12+deb13u5",
    "libc6-dev 2.41",
    "libpcre2-8-0 10.46-1",
  ];
  t.equal(librariesOf(packages), "libc6 2.41, libpcre2-8-0 10, zlib1g 1.3");
  t.end();
});

t.test("all that a play may install", async (t) => {
  const names = await installablePackages(root);
  for (const name of [
    "certbot",
    "ffmpeg",
    "gcc",
    "nftables",
    "logrotate",
    "python3",
    "nginx",
    "libnginx-mod-http-js",
    "libnginx-mod-rtmp",
  ]) {
    t.ok(names.includes(name), name);
  }
});

/** An archive of small packages, of an architecture that this machine does not have. */
function toyArchive(t: Test): string {
  const folder = t.testdir({});
  const make = (name: string, version: string, more: string) => {
    const tree = join(folder, "tree", name);
    mkdirSync(join(tree, "DEBIAN"), { recursive: true });
    writeFileSync(
      join(tree, "DEBIAN/control"),
      `Package: ${name}\nVersion: ${version}\nArchitecture: s390x\nMaintainer: nobody <n@example.org>\nDescription: toy\n${more}`,
    );
    const file = `${name}_${version.replace(/^\d+:/, "")}_s390x.deb`;
    execFileSync("dpkg-deb", ["--build", tree, join(folder, file)], { stdio: "ignore" });
    const sum = execFileSync("sha256sum", [join(folder, file)], { encoding: "utf8" }).slice(0, 64);
    const size = readFileSync(join(folder, file)).length;
    return `Package: ${name}\nVersion: ${version}\nArchitecture: s390x\n${more}Filename: ./${file}\nSize: ${size}\nSHA256: ${sum}\n`;
  };
  const index = [
    make("toy", "1:2.0+x~1-1", "Depends: toy-library (= 3)\nRecommends: toy-films\n"),
    make("toy-library", "3", ""),
    make("toy-films", "1", ""),
    make("toy-extra", "1", ""),
    make("toy-source", "1", "Depends: toy-compiler\n"),
  ];
  writeFileSync(join(folder, "Packages"), index.join("\n"));
  return folder;
}

const noApt = spawnSync("apt-get", ["--version"]).status !== 0 ? "needs apt-get" : false;

t.test("apt chooses and downloads for another architecture", { skip: noApt }, async (t) => {
  const archive = toyArchive(t);
  const directory = join(archive, "work");
  const question = {
    arch: "s390x",
    sources: [`deb [trusted=yes] file:${archive} ./`],
    packages: ["toy"],
    optional: ["toy-extra", "toy-of-another-release"],
    alone: ["toy-source", "toy-of-another-release"],
  };
  const run = (text: string) => spawnSync("sh", [], { input: text, encoding: "utf8" });
  const done = run(aptHere(question, directory));
  t.equal(done.stderr, "");
  t.equal(done.status, 0);
  const packages = parsePackages(readFileSync(join(directory, "Packages"), "utf8"));
  t.same(
    packages.map(({ archive: name }) => name),
    ["toy-extra_1_s390x.deb", "toy-library_3_s390x.deb", "toy-source_1_s390x.deb", "toy_1%3a2.0+x~1-1_s390x.deb"],
    "with what it needs, and not what it recommends",
  );
  const failed = run(aptHere({ ...question, packages: ["toy-of-another-release"] }, directory));
  t.equal(failed.status, 1);
  t.match(failed.stderr, /finds no way to install the packages\nE: Unable to locate package toy-of-another-release/);
  const unreachable = run(aptHere({ ...question, sources: ["deb [trusted=yes] file:/nowhere ./"] }, directory));
  t.match(unreachable.stderr, /apt-get update fails\n.*nowhere/);
});

t.test("both programs are sh", { skip: spawnSync("shellcheck", ["--version"]).status !== 0 }, async (t) => {
  const question = { arch: "armhf", sources: undefined, packages: ["a", "b"], optional: ["c"], alone: ["d"] };
  const there = execFileSync("sh", ["-c", `set -- ${aptThere(question)}; printf %s "$3"`], { encoding: "utf8" });
  for (const text of [aptHere(question, "/x"), there]) {
    const { stdout } = spawnSync("shellcheck", ["-s", "sh", "-e", "SC2086", "-"], { input: text, encoding: "utf8" });
    t.equal(stdout, "");
  }
  t.same(
    readdirSync("/var/tmp").filter((name) => name.startsWith("edge-setup.")),
    [],
  );
});
