import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { runProgram } from "../lab/support/lab.js";

/** Unpacked bytes that `npx edge-setup` costs a user's disk, without its dependencies. */
const LARGEST_PACKAGE = 5 * 1024 * 1024;

t.setTimeout(300_000);
const folder = t.testdir({ pack: {}, install: { "package.json": "{}" } });
const installed = join(folder, "install", "node_modules", "edge-setup");
const program = join(folder, "install", "node_modules", ".bin", "edge-setup");
// Somebody else's environment: nothing of npm's that belongs to this run, and no colours.
const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: "1" };
const edgeSetup = (...words: string[]) => runProgram([program, ...words], { cwd: folder, env });

t.before(async () => {
  const root = join(import.meta.dirname, "..", "..");
  const pack = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", join(folder, "pack")];
  const packed = await runProgram(pack, { cwd: root });
  t.equal(packed.code, 0, packed.stderr);
  const [tarball = ""] = await readdir(join(folder, "pack"));
  const install = ["npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  const result = await runProgram([...install, join(folder, "pack", tarball)], { cwd: join(folder, "install") });
  t.equal(result.code, 0, result.stderr);
});

t.test("holds what a run needs, and no more", async (t) => {
  for (const path of [
    "dist/cli/main.js",
    "playbooks/edge.yml",
    "assets/player/vendor/clappr.js",
    "nginx-build/build.sh",
    "nginx-build/keys/nginx.gpg",
    "nginx-build/advisories.json",
  ]) {
    t.ok((await stat(join(installed, path))).isFile(), path);
  }
  const top = await readdir(installed);
  t.notOk(top.includes("src") || top.includes("test"), "neither sources nor tests");
  const files = await readdir(installed, { recursive: true, withFileTypes: true });
  const own = files.filter((file) => file.isFile());
  const sizes = await Promise.all(own.map((file) => stat(join(file.parentPath, file.name))));
  const total = sizes.reduce((sum, { size }) => sum + size, 0);
  t.ok(total < LARGEST_PACKAGE, `${Math.round(total / 1024)} KB unpacked`);
});

t.test("the notices of all that is bundled travel along", async (t) => {
  const notices = await readFile(join(installed, "dist", "THIRD-PARTY-LICENSES.txt"), "utf8");
  const { dependencies } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies))
    t.match(notices, new RegExp(`^${name} \\d+\\.\\S+ {2}[A-Z]`, "m"), name);
  t.match(notices, "Permission is hereby granted, free of charge");
  for (const name of ["clappr.LICENSE", "hls.LICENSE"]) {
    t.ok((await stat(join(installed, "assets/player/vendor", name))).size > 0, name);
  }
});

t.test("--version and --help answer on stdout", async (t) => {
  const version = await edgeSetup("--version");
  t.match(version, { code: 0, stderr: "", stdout: /^edge-setup \d+\.\d+\.\d+/ });
  const help = await edgeSetup("--help");
  t.match(help, { code: 0, stderr: "" });
  t.match(help.stdout, /\bapply\b/);
});

t.test("compiled code is kept for the next run, and nothing but that of the same program is used", async (t) => {
  const cache = join(folder, "cache", "edge-setup", "code");
  const help = () =>
    runProgram([program, "help"], { cwd: folder, env: { ...env, XDG_CACHE_HOME: join(folder, "cache") } });
  const expected = await edgeSetup("help");
  t.match(await help(), expected);
  const [name = ""] = await readdir(cache);
  const file = join(cache, name);
  const kept = await readFile(file);
  t.ok(kept.length > 10_000, `${kept.length} bytes`);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  const { mtimeMs } = await stat(file);
  t.match(await help(), expected);
  t.equal((await stat(file)).mtimeMs, mtimeMs, "it is as it was");

  for (const [what, damaged] of [
    ["cut off", kept.subarray(0, kept.length / 2)],
    ["empty", Buffer.alloc(0)],
    ["with a byte that is another", Buffer.concat([kept.subarray(0, -1), Buffer.of((kept.at(-1) ?? 0) ^ 1)])],
  ] as const) {
    await writeFile(file, damaged);
    t.match(await help(), expected, what);
    t.notOk(damaged.equals(await readFile(file)), "and made anew");
  }
  // Of a chunk that is another, and then of one that looks as if it were the same: which code runs is told by its words.
  const chunks = join(installed, "dist", "chunks");
  const [chunk = ""] = (await readdir(chunks)).filter((one) => one.startsWith("dispatch-"));
  const text = await readFile(join(chunks, chunk), "utf8");
  await writeFile(join(chunks, chunk), text.replace("Examples", "EXAMPLES"));
  const time = new Date(1e12);
  await utimes(join(chunks, chunk), time, time);
  t.match((await help()).stdout, "EXAMPLES", "it was compiled");
  await writeFile(join(chunks, chunk), text);
  await utimes(join(chunks, chunk), time, time);
  t.match((await help()).stdout, "EXAMPLES", "it was not");
  await chmod(cache, 0o777);
  t.match((await help()).stdout, "Examples", "others could have written it");

  for (const place of ["/dev/null", "/proc"])
    t.match(
      await runProgram([program, "help"], { cwd: folder, env: { ...env, XDG_CACHE_HOME: place } }),
      expected,
      place,
    );
  const homeless = { cwd: join(folder, "pack"), env: { ...env, HOME: "" } };
  t.match(await runProgram([program, "help"], homeless), expected);
  t.notOk((await readdir(homeless.cwd)).includes(".cache"), "there is nowhere to keep it");
});

t.test("an inventory with a mistake is refused with its place, and exit code 2", async (t) => {
  await mkdir(join(folder, "bad"));
  const file = join(folder, "bad", "edges.yml");
  await writeFile(file, "edges:\n  hosts:\n    pi: { ansible_host: 192.0.2.1 }\n  vars: { hls_fragmnt: 2s }\n");
  const plan = await edgeSetup("plan", "-i", file, "--no-input");
  t.equal(plan.code, 2, plan.stderr);
  t.equal(plan.stdout, "");
  t.match(plan.stderr, /edges\.yml:4:\d+/);
  t.match(plan.stderr, /hls_fragment/, "the right name is suggested");
});

t.test("an unknown command is refused with exit code 2", async (t) => {
  t.equal((await edgeSetup("aply")).code, 2);
});
