import { spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { finished, pipeline } from "node:stream/promises";
import { hashFile } from "../build/digest.js";
import { partName } from "../build/download.js";
import { type AptQuestion, aptHere, aptThere } from "../bundle/apt-script.js";
import { type BundledSystem, systemKey } from "../bundle/manifest.js";
import { type IndexedPackage, indexOf, parsePackages } from "../bundle/packages-index.js";
import { readTar } from "../bundle/read-tar.js";
import type { PackedFile } from "../bundle/write-bundle.js";
import type { Transport } from "../transport/transport.js";
import { InputError, TaskError } from "../util/errors.js";
import { safeText } from "../util/safe-text.js";
import type { BundleTarget } from "./bundle-targets.js";

const MIRROR = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** What nginx-build/build.sh unpacks for a compile, and does not install. */
const UNPACKED = ["libnginx-mod-http-js", "nginx-dev"];
/** Of a program that went wrong, characters. */
const SAID = 4000;
/** A host cannot send more packages than this, bytes. */
const MAX_ANSWER = 4 * 2 ** 30;

/** Packages of one system, ready to be packed. */
export interface PackedSystem {
  readonly key: string;
  readonly about: BundledSystem;
  readonly packages: readonly IndexedPackage[];
  readonly files: readonly PackedFile[];
}

export interface PackageOptions {
  /** `$XDG_CACHE_HOME/edge-setup/debs`, where downloads stay for the next bundle. */
  readonly cacheDir: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * All packages that the play may install on a system, with all that they need. For Debian's own systems this machine's apt
 * chooses and downloads them, by Debian's keys here; else a host of that kind does, by its own sources and keys.
 * @param optional names that the play installs with other settings
 * @throws InputError where neither can; TaskError when apt fails
 */
export async function packagesFor(
  targets: readonly BundleTarget[],
  optional: readonly string[],
  options: PackageOptions,
): Promise<PackedSystem> {
  const [first] = targets;
  if (first === undefined) throw new Error("a system without targets");
  const { system, userland } = first;
  const key = systemKey(first);
  const directory = join(options.cacheDir, key);
  const question = {
    arch: userland.split("/")[0] ?? "",
    packages: [...new Set(targets.flatMap(packagesOf))].sort(),
    optional,
    alone: UNPACKED,
  };
  await mkdir(join(directory, "cache/archives"), { recursive: true });
  const from = (await isDebians(targets))
    ? await chooseHere(question, system.split(" ")[1] ?? "", directory, options)
    : await chooseThere(question, targets, directory, options);
  const packages = parsePackages(await readFile(join(directory, "Packages"), "utf8"));
  const archives = join(directory, "cache/archives");
  await keepOnly(archives, packages);
  for (const one of packages) await verify(one, join(archives, one.archive));
  const unpacked = packages.flatMap(({ name, file }) => (UNPACKED.includes(name) ? [[name, file] as const] : []));
  const bytes = packages.reduce((total, { size }) => total + size, 0);
  return {
    key,
    packages,
    about: { system, userland, from, packages: packages.length, bytes, unpacked: Object.fromEntries(unpacked) },
    files: [
      { name: `debs/${key}/Packages`, source: Buffer.from(indexOf(packages)) },
      ...packages.map((one) => ({ name: `debs/${key}/${one.file}`, source: { path: join(archives, one.archive) } })),
    ],
  };
}

function packagesOf({ value }: BundleTarget): string[] {
  return ["edge_packages", "edge_build_packages"].flatMap((variable) => {
    const names = value(variable);
    return Array.isArray(names) ? names.map(String) : [];
  });
}

/** Debian itself: Raspbian and the additions of Raspberry Pi OS have packages of their own, and so has Ubuntu. */
async function isDebians(targets: readonly BundleTarget[]): Promise<boolean> {
  const [first] = targets;
  if (first === undefined || !first.system.startsWith("debian ") || first.userland === "armhf/armv6") return false;
  if (!existsSync("/usr/bin/apt-get")) return false;
  const others = "grep -rqi raspberrypi /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null";
  for (const { transport } of targets) {
    if (transport !== undefined && (await transport.exec(others)).code === 0) return false;
  }
  return true;
}

async function chooseHere(
  question: Omit<AptQuestion, "sources">,
  release: string,
  directory: string,
  { signal, say }: PackageOptions,
): Promise<string> {
  if (!existsSync(KEYRING)) {
    throw new InputError("E_NO_KEYRING", `this machine has no ${KEYRING}, so Debian's packages cannot be verified`, {
      hint: "Install debian-archive-keyring, or make the bundle on a Debian host.",
    });
  }
  say(`packages of Debian ${release} ${question.arch} from ${MIRROR}, verified by ${KEYRING}`);
  const deb = (mirror: string, suite: string) => `deb [signed-by=${KEYRING}] ${mirror} ${suite} main`;
  const sources = [
    deb(MIRROR, release),
    deb(MIRROR, `${release}-updates`),
    deb(`${MIRROR}-security`, `${release}-security`),
  ];
  const { code, said } = await runHere(aptHere({ ...question, sources }, directory), signal);
  if (code !== 0) throw aptError(`Debian ${release} ${question.arch}`, said);
  return MIRROR;
}

/** Runs a program of sh with all that it starts as one group, which ends with the signal. */
async function runHere(program: string, signal: AbortSignal): Promise<{ code: number | null; said: string }> {
  const child = spawn("sh", [], { stdio: ["pipe", "ignore", "pipe"], detached: true });
  const said = heard();
  child.stderr.on("data", said.hear);
  const stop = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const closed = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    child.stdin.end(program);
    return { code: await closed, said: said.text() };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function chooseThere(
  question: Omit<AptQuestion, "sources">,
  targets: readonly BundleTarget[],
  directory: string,
  { signal, say }: PackageOptions,
): Promise<string> {
  const one = targets.find((target) => target.transport !== undefined);
  if (one?.transport === undefined) {
    throw new InputError("E_NO_APT", `this machine has no apt-get to choose packages of ${targets[0]?.system} with`, {
      hint: "Make the bundle on a Debian machine, or name a host of that system with --inventory, which then does it.",
    });
  }
  say(`packages of ${one.system} ${question.arch} by ${one.name}, verified by its own apt and keys`);
  const answer = partName(join(directory, "answer"));
  try {
    await receive(one.transport, aptThere({ ...question, sources: undefined }), answer, one.name, signal);
    const complain = (problem: string) => new TaskError("E_APT", `what ${one.name} sent is no archive: ${problem}`);
    for await (const file of readTar(answer, complain)) {
      if (!/^(Packages|[a-z0-9][A-Za-z0-9.+~%_-]{0,199}\.deb)$/.test(file.name)) throw complain(`it has ${file.name}`);
      const path = join(directory, file.name === "Packages" ? "" : "cache/archives", file.name);
      await pipeline(file.chunks(), createWriteStream(path));
    }
  } finally {
    await rm(answer, { force: true });
  }
  return `the apt sources of ${one.name}`;
}

/** Writes what a command of the host says into a file. */
async function receive(transport: Transport, command: string, path: string, name: string, signal: AbortSignal) {
  const file = createWriteStream(path, { flags: "wx" });
  const said = heard();
  let bytes = 0;
  const enough = new AbortController();
  const { code } = await transport.exec(command, {
    onStdout: (chunk) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER) enough.abort();
      else file.write(chunk);
    },
    onStderr: said.hear,
    signal: AbortSignal.any([signal, enough.signal]),
  });
  file.end();
  await finished(file);
  if (code !== 0) throw aptError(name, said.text());
}

/** The beginning of what a program says of itself. */
function heard() {
  let text = "";
  return {
    hear: (chunk: Buffer) => {
      if (text.length < SAID) text += chunk.toString("utf8");
    },
    text: () => safeText(text.slice(0, SAID)).trim(),
  };
}

function aptError(where: string, said: string): TaskError {
  return new TaskError("E_APT", `${where}: ${said || "apt-get fails without a word"}`, {
    hint: "apt needs the archive's mirror (a proxy stands in apt.conf; one that is being synchronised is whole again later) and 1 GB of room.",
  });
}

/** Downloads of earlier bundles that no index names any more. */
async function keepOnly(archives: string, packages: readonly IndexedPackage[]): Promise<void> {
  const wanted = new Set(packages.map(({ archive }) => archive));
  for (const name of await readdir(archives)) {
    if (name.endsWith(".deb") && !wanted.has(name)) await rm(join(archives, name));
  }
}

/** A disk may have changed since apt looked, and a host may send what it likes. */
async function verify({ name, size, sha256 }: IndexedPackage, path: string): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  const actual = info?.size === size ? await hashFile(path) : "none";
  if (actual === sha256) return;
  await rm(path, { force: true });
  throw new TaskError(
    "E_APT",
    `the package ${name} is not what its archive's index says: SHA-256 is ${actual}, expected ${sha256}`,
    {
      hint: "It was removed from the cache: run the same command again.",
    },
  );
}
