import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { loadAdvisories, type Part, patternsOf } from "../../../src/supply/advisories.js";
import { advisoryFindings, buildRemedy } from "../../../src/supply/advisory-findings.js";
import { findingJson, findingLines } from "../../../src/supply/finding.js";
import { hostExposed, hostFindings, hostParts, packageRemedy, packagesOf } from "../../../src/supply/host-findings.js";
import { divide, type HostLook, lookAt, parseLook } from "../../../src/supply/host-look.js";
import { DOCTOR_PARTS, hostProgram, SBOM_PARTS } from "../../../src/supply/host-script.js";
import { parseManifest, partsOfBuild } from "../../../src/supply/manifest.js";
import type { ExecOptions, Transport } from "../../../src/transport/transport.js";
import { packageRoot } from "../../../src/util/package-root.js";
import { fromPackages } from "./from-packages.js";

const NONCE = "abc123";
/** What an edge on Debian 13 answered; of its packages only some. */
const answer = await readFile(join(dirname(fileURLToPath(import.meta.url)), "fixtures/edge-trixie.txt"), "utf8");
const { advisories } = await loadAdvisories(join(packageRoot(), "nginx-build/advisories.json"));
const CLOCK = 1795665959771;

function look(change: (text: string) => string = (text) => text): HostLook {
  return parseLook("pi", divide(change(answer), NONCE), NONCE, { at: CLOCK, clock: CLOCK });
}

t.test("the program is a POSIX shell's, and says every part", async (t) => {
  const program = hostProgram(NONCE, [...DOCTOR_PARTS, ...SBOM_PARTS], patternsOf(advisories));
  for (const shell of ["dash", "bash"]) execFileSync(shell, ["-n"], { input: program });
  const said = execFileSync("dash", [], { input: program, encoding: "utf8" });
  t.same([...divide(said, NONCE).keys()], [...new Set([...DOCTOR_PARTS, ...SBOM_PARTS])]);
});

t.test("what an edge answers", async (t) => {
  t.match(look(), {
    portrait: { os: "Debian 13.8", clockSkewMs: 0 },
    sample: {
      status: "ok",
      units: [
        { name: "edge-rtmp", active: true },
        { name: "edge-http", active: true },
      ],
    },
    system: { id: "debian", release: "trixie" },
    build: "debian-1.26.3-cb47dd336504",
    manifest: { profile: "debian", versions: { nginx_patches: "1.26.3-3+deb13u7", njs: "0.8.9" } },
    release: "current",
    failedUnits: [],
    staleUnits: [],
  });
  const openssl = look().packages.find(({ name }) => name === "libssl3t64");
  t.same(openssl, {
    name: "libssl3t64",
    version: "3.5.9-1~deb13u1",
    architecture: "amd64",
    source: "openssl",
    sourceVersion: "3.5.9-1~deb13u1",
  });
});

t.test("a healthy edge, and what can be wrong with one", async (t) => {
  t.same(hostFindings("pi", look()), [
    {
      host: "pi",
      level: "ok",
      check: "host",
      text: "x86_64 host, Debian 13.8 amd64, 2 cores, 23.5 GB, 80 GB free, clock right to 1 s, units active",
    },
  ]);
  const problems = (change: (text: string) => string) =>
    hostFindings("pi", look(change)).map(({ level, check, text }) => `${level} ${check}: ${text}`);
  const [from, to] = [`part\tfailed\n`, `part\tstale\n`];
  t.same(
    problems((text) =>
      text
        .replace("unit\tedge-http 1", "unit\tedge-http 0")
        .replace(`clock\t${CLOCK}`, `clock\t${CLOCK - 600_000}`)
        .replace("available\t22308696", "available\t100000")
        .replace("\ncurrent\n", "\nrelease 1 live, 2 wanted\n")
        .replace(from, `${from}edge-snapshots.service loaded failed failed Pictures\n`)
        .replace(to, `${to}/run/edge-rtmp\n/run/../etc\n`),
    ),
    [
      "problem host: edge-http does not run",
      "problem host: its clock is 10 min behind: set it (timedatectl set-ntp true)",
      "note memory: only 97 MB of memory are free: the compile will be slow",
      "problem release: what runs is not what is wanted: release 1 live, 2 wanted",
      "problem unit: edge-snapshots.service has failed",
      "problem library: edge-rtmp runs with a library that has been replaced since it was started",
    ],
  );
});

t.test("a host that is no edge yet has nothing to compare", async (t) => {
  const bare = look((text) =>
    text
      .replace(/part\tmanifest\n[\s\S]*?\nabc123/, "part\tmanifest\n\nabc123")
      .replace("\ncurrent\n", "\n\n")
      .replaceAll(/^unit\t(.*) 1$/gm, "unit\t$1 0")
      .replace(/^file\t.*\n/gm, ""),
  );
  t.same(
    hostFindings("pi", bare).map(({ check, text }) => [check, text]),
    [["host", "not an edge yet"]],
  );
  t.same(
    hostParts(bare, advisories).map(({ component }) => component),
    ["ffmpeg", "openssl"],
  );
});

t.test("a hostile answer lies about itself, and no more", async (t) => {
  const wild = look((text) =>
    text
      .replace('"nginx": "1.26.3"', '"nginx": "\\u001b[31m1.26.3"')
      .replace("builds/debian", "builds/../../x y")
      .replace("\ncurrent\n", "\ncur\u001b]0;x\u0007rent\n")
      .replace("debian trixie", "debian $(reboot)")
      .replace(/^ii \tffmpeg.*$/m, "ii \tffmpeg\t7:1\tffmpeg; rm -rf /\t7:1\tamd64"),
  );
  t.equal(wild.manifest, undefined);
  t.equal(wild.build, undefined);
  t.equal(wild.release, "cur]0;xrent");
  t.equal(wild.system.release, "");
  t.notOk(wild.packages.some(({ name }) => name.includes(" ")));
  t.same(divide("part\ta\n1\nabc\npart\ta\n2\nabc\nnoise\n", "abc"), new Map([["a", ["1"]]]), "the first counts");
});

t.test("advisories of an edge: what is used is a problem, the rest is counted", async (t) => {
  const exposed = { ...hostExposed("pi", look(), advisories), remedy: () => "Do something." };
  const findings = advisoryFindings(advisories, exposed, false);
  const problems = findings.filter(({ level }) => level === "problem");
  t.same(problems.map(({ id }) => id).sort(), [
    "CVE-2026-118899",
    "CVE-2026-125283",
    "CVE-2026-15176",
    "CVE-2026-42533",
    "CVE-2026-93479",
  ]);
  const map = problems.find(({ id }) => id === "CVE-2026-42533");
  t.equal(
    map?.text,
    "NGINX 1.26.3-3+deb13u7 (Debian trixie) has CVE-2026-42533 (major): Buffer overflow when using map and regex; its directives are in the configuration",
  );
  t.same(
    findings.filter(({ level }) => level === "note").map(({ text }) => text),
    [
      "16 more name NGINX 1.26.3-3+deb13u7 (Debian trixie), NJS 0.8.9: 6 in what is not compiled in, 10 in what is not used (-v lists them)",
    ],
  );
  const every = advisoryFindings(advisories, exposed, true);
  t.equal(every.filter(({ level }) => level === "note").length, 16);
  t.ok(every.some(({ text }) => /CVE-2026-56434: Use-after-free .*: not compiled in$/.test(text)));
});

t.test("NGINX from packages: what apt installed is judged, whatever it was when modules were compiled", async (t) => {
  const packaged = look((text) => fromPackages(text, "1.26.3-3+deb13u10", "0.8.9-2"));
  const [nginx, njs] = hostParts(packaged, advisories);
  t.same(nginx, { component: "nginx", version: "1.26.3-3+deb13u10", debian: "trixie" });
  t.same(njs, { component: "njs", version: "0.8.9" });
  const remedy = (part: Part) => packageRemedy(packagesOf(part, packaged));
  t.match(nginx && remedy(nginx), /--only-upgrade nginx libnginx-mod-stream$/);
  t.match(njs && remedy(njs), /--only-upgrade libnginx-mod-http-js$/);
  const compiled = look();
  t.same(njs && packagesOf(njs, compiled), [], "compiled, so nothing of apt's");
});

t.test("packages of the distribution, and what to do", async (t) => {
  const old = look((text) => text.replaceAll("7:7.1.5-0+deb13u1", "7:7.1.4-0+deb13u1"));
  const [part] = hostParts(old, advisories).filter(({ component }) => component === "ffmpeg");
  const exposed = { ...hostExposed("pi", old, advisories), parts: part === undefined ? [] : [part] };
  const remedy = () => packageRemedy(part === undefined ? [] : packagesOf(part, old));
  t.match(advisoryFindings(advisories, { ...exposed, remedy }, false), [
    {
      id: "CVE-2026-8461",
      text: /^FFmpeg 7:7\.1\.4-0\+deb13u1 \(Debian trixie\) has CVE-2026-8461/,
      hint: /--only-upgrade ffmpeg /,
    },
  ]);
  t.same(
    hostParts(
      look((text) => text.replace("debian trixie", "ubuntu noble")),
      advisories,
    ).length,
    2,
    "of others only the build",
  );
  t.same(
    advisoryFindings(
      advisories,
      { ...hostExposed("pi", look(), advisories), parts: [{ component: "vts", version: "0.2.7" }], remedy },
      false,
    ),
    [{ host: "pi", level: "ok", check: "advisory", text: "no advisory names VTS 0.2.7" }],
  );
});

t.test("what to do about a build", async (t) => {
  const one = advisories.find(({ id }) => id === "CVE-2026-15176");
  if (one === undefined) throw new Error("not in the list");
  const nginx = (version: string, debian?: string) => ({ component: "nginx", version, debian });
  const say = (part: ReturnType<typeof nginx>, pinned: string) =>
    buildRemedy(one, part, { apply: "edge-setup apply -l pi", pinned: [nginx(pinned)], upstream: [nginx("1.30.6")] });
  t.equal(say(nginx("1.30.4"), "1.30.6"), "`edge-setup apply -l pi` builds 1.30.6, which has the fix.");
  t.match(
    say(nginx("1.26.3-3+deb13u7", "trixie"), "1.26.3"),
    /^Debian's .*u10 has the fix, .*: upstream builds 1\.30\.6/,
  );
  t.match(
    buildRemedy(one, nginx("1.30.4"), { apply: "", pinned: [], upstream: [nginx("1.30.5")] }),
    /^1\.30\.6 has the fix, and is not what this edge-setup builds/,
  );
});

t.test("manifests", async (t) => {
  const upstream = parseManifest(
    '{"profile":"upstream","versions":{"nginx":"1.30.4","njs":"1.0.0","vts":"v0.2.6","rtmp":"6c7719d0"},"features":{"http_flv":true}}',
  );
  t.match(upstream, { httpFlv: true, configure: "" });
  t.same(upstream && partsOfBuild(upstream, "trixie"), [
    { component: "nginx", version: "1.30.4" },
    { component: "njs", version: "1.0.0" },
    { component: "vts", version: "0.2.6" },
  ]);
  for (const text of ["", "[]", "null", "{}", '{"versions":{"nginx":7}}']) t.equal(parseManifest(text), undefined);
});

t.test("lines and JSON", async (t) => {
  const finding = {
    host: "pi",
    level: "problem",
    check: "advisory",
    text: "is old",
    hint: "Do it.",
    url: "https://a.example",
  } as const;
  t.same(findingLines(finding), ["pi  PROBLEM  is old", "  Do it.", "  https://a.example"]);
  t.same(findingLines({ level: "note", check: "x", text: "so", hint: "no" }), ["here  note  so"]);
  t.same(JSON.parse(findingJson(finding, "T")), { type: "doctor.finding", version: 1, time: "T", ...finding });
});

t.test("one exec; a host that says nothing is told why", async (t) => {
  const fake = (code: number, stderr: string, say: string) => {
    const commands: string[] = [];
    const exec = async (command: string, options: ExecOptions) => {
      commands.push(command);
      options.onStdout?.(Buffer.from(say));
      return { code, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.from(stderr) };
    };
    return { commands, transport: { exec } as unknown as Transport };
  };
  const options = {
    name: "pi",
    become: { method: "sudo", user: "root", needsPassword: false },
    becomePassword: undefined,
    parts: DOCTOR_PARTS,
    patterns: ["x"],
    now: () => 0,
    signal: new AbortController().signal,
  } as const;
  const mute = fake(1, "sudo: a password is required", "");
  await t.rejects(lookAt(mute.transport, options), { code: "E_SUDO_PASSWORD_REQUIRED" });
  t.equal(mute.commands.length, 1);
  await t.rejects(lookAt(fake(0, "", "hello\n").transport, options), { code: "E_NO_ANSWER" });
});
