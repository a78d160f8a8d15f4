import { dirname, join, resolve } from "node:path";
import { defaultCacheDir } from "../../build/fetch.js";
import { BUNDLE_FORMAT, systemKey } from "../../bundle/manifest.js";
import { type PackedFile, writeBundle } from "../../bundle/write-bundle.js";
import { installablePackages } from "../../supply/play-packages.js";
import { type ExitCode, exitCodes, InputError, InterruptedError } from "../../util/errors.js";
import { packageRoot } from "../../util/package-root.js";
import { quoteAll } from "../../util/shell.js";
import { type PackedSystem, packagesFor } from "../bundle-packages.js";
import { artifactsFor, sourcesFor } from "../bundle-sources.js";
import { type BundleTarget, withTargets } from "../bundle-targets.js";
import type { CommandContext } from "../commands.js";
import { packageVersion } from "../version.js";

/** What Ansible's apt module needs on a host, for who unpacks a bundle for Ansible. */
const FOR_ANSIBLE = "python3-apt";

/** `edge-setup bundle`: one file with all that hosts and controllers without internet need for an apply. */
export async function run(context: CommandContext): Promise<ExitCode> {
  try {
    return await make(context);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    throw new InterruptedError("E_INTERRUPTED", "The bundle was not written; what was downloaded stays in the cache.");
  }
}

async function make(context: CommandContext): Promise<ExitCode> {
  const { flags, signal, interruption } = context;
  const { output } = flags;
  if (output === undefined) {
    throw new InputError("E_FLAG_VALUE", "bundle needs a file to write", { hint: "Add -o edge-bundle.tar." });
  }
  interruption.announce = () => undefined;
  const began = performance.now();
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const cache = dirname(defaultCacheDir(process.env));
  const { systems, written } = await withTargets(context, async (targets) => {
    const sources = await sourcesFor(targets, { flags, signal, say });
    const optional = [...(await installablePackages(packageRoot())), FOR_ANSIBLE];
    const systems: PackedSystem[] = [];
    const artifacts: PackedFile[] = [];
    for (const group of bySystem(targets)) {
      const packed = await packagesFor(group, optional, { cacheDir: join(cache, "debs"), signal, say });
      systems.push(packed);
      artifacts.push(...(await artifactsFor(group, packed.packages, join(cache, "artifacts"), say)));
    }
    const about = {
      format: BUNDLE_FORMAT,
      made: dateText(process.env),
      edge_setup: packageVersion(),
      systems: Object.fromEntries(systems.map(({ key, about }) => [key, about])),
    } as const;
    const files = [...sources, ...artifacts, ...systems.flatMap((one) => one.files)];
    return { systems, written: await writeBundle(resolve(output), about, files, signal) };
  });
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const { about } of systems) {
    process.stdout.write(`${about.system} ${about.userland}: ${about.packages} packages, ${megabytes(about.bytes)}\n`);
  }
  process.stdout.write(`${output}: ${megabytes(written.bytes)} in ${seconds} s, SHA-256 ${written.sha256}\n`);
  process.stdout.write(`Next: ${quoteAll(["edge-setup", "apply", "--bundle", output])}\n`);
  return exitCodes.ok;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Hosts that take the same packages. */
function bySystem(targets: readonly BundleTarget[]): BundleTarget[][] {
  const groups = new Map<string, BundleTarget[]>();
  for (const target of targets) {
    const key = systemKey(target);
    groups.set(key, [...(groups.get(key) ?? []), target]);
  }
  return [...groups.values()];
}

/** Now, or what SOURCE_DATE_EPOCH says, for a bundle that is the same bytes again. */
function dateText({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv): string {
  const date = epoch !== undefined && /^\d{1,10}$/.test(epoch) ? new Date(Number(epoch) * 1000) : new Date();
  return `${date.toISOString().slice(0, 19)}Z`;
}
