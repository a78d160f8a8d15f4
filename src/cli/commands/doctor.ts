import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { defaultCacheDir } from "../../build/fetch.js";
import { loadLock, profileFor, type SourceLock } from "../../build/sources.js";
import { type Advisory, loadAdvisories, type Part, patternsOf } from "../../supply/advisories.js";
import { advisoryFindings, buildRemedy } from "../../supply/advisory-findings.js";
import { controllerFindings, programVersion } from "../../supply/controller.js";
import { type Finding, findingJson, findingLines } from "../../supply/finding.js";
import { hostExposed, hostFindings, packageRemedy, packagesOf } from "../../supply/host-findings.js";
import { type HostLook, lookAt } from "../../supply/host-look.js";
import { DOCTOR_PARTS } from "../../supply/host-script.js";
import { chosenSources, partsOfSources, profileKind, recipeOptions, templateLines } from "../../supply/pins.js";
import { EdgeError, type ExitCode, exitCodes } from "../../util/errors.js";
import { packageRoot } from "../../util/package-root.js";
import { Semaphore } from "../../util/semaphore.js";
import type { CommandContext } from "../commands.js";
import type { FleetHost } from "../fleet.js";
import { DEFAULT_INVENTORY } from "../inventory-hosts.js";
import { intFlag } from "../options.js";
import { asker } from "../reach.js";
import { fleetToWatch, watchedHost } from "../watch-fleet.js";

const DEFAULT_FORKS = 10;

/** What ships and says what is safe. */
interface Knowledge {
  readonly lock: SourceLock;
  readonly advisories: readonly Advisory[];
  readonly date: string;
  readonly upstream: readonly Part[];
}

/** `edge-setup doctor`: this machine, then each host: one connection and one command. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, words, signal, interruption } = context;
  const known = await knowledge();
  const levels = new Set<Finding["level"]>();
  const say = (finding: Finding) => {
    levels.add(finding.level);
    if (flags.json === true) process.stdout.write(`${findingJson(finding, new Date().toISOString())}\n`);
    else process.stdout.write(`${findingLines(finding).join("\n")}\n`);
  };
  const noHosts = words.length === 0 && flags.inventory === undefined && !existsSync(DEFAULT_INVENTORY);
  const fleet = noHosts ? undefined : await fleetToWatch(context);
  interruption.announce = () => undefined;
  for (const finding of await controllerFindings(controller(known))) say(finding);
  if (fleet === undefined) for (const finding of await pinFindings(known, flags.verbose === true)) say(finding);
  const forks = new Semaphore(intFlag(flags, "forks", DEFAULT_FORKS, 1, 1000));
  const prompter = asker(flags);
  const examined = (fleet?.hosts ?? []).map((one) => forks.run(() => examine(one, known, context, prompter), signal));
  // In the inventory's order, each as soon as those before it are done.
  for (const findings of examined) for (const finding of await findings) say(finding);
  if (signal.aborted) return interruption.exitCode;
  if (levels.has("unreachable")) return exitCodes.unreachable;
  return levels.has("problem") ? exitCodes.taskFailed : exitCodes.ok;
}

async function knowledge(): Promise<Knowledge> {
  const folder = join(packageRoot(), "nginx-build");
  const [lock, list] = await Promise.all([
    loadLock(join(folder, "sources.lock.json")),
    loadAdvisories(join(folder, "advisories.json")),
  ]);
  return { lock, advisories: list.advisories, date: list.date, upstream: upstreamParts(lock) };
}

/** What a host gets that names nothing. */
function upstreamParts(lock: SourceLock): readonly Part[] {
  const profile = profileFor(lock, "upstream", "");
  const defaults = { nginx_from: "source", nginx_sources: "upstream", nginx_vts: "auto", rtmp_module: "rtmp" };
  const sources = chosenSources(lock, profile, { ...defaults, nginx_version: undefined, njs_version: undefined });
  return partsOfSources(sources, profile);
}

function controller({ date }: Knowledge) {
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    engines: { node: string };
  };
  return {
    node: process.version,
    oldestNode: manifest.engines.node.replace(/^>=/, ""),
    cacheDir: defaultCacheDir(process.env),
    knownHosts: join(process.env.HOME ?? homedir(), ".ssh", "known_hosts"),
    listDate: date,
    now: Date.now(),
    versionOf: programVersion,
  };
}

/** Without hosts: what this package would build. */
async function pinFindings({ advisories, upstream }: Knowledge, every: boolean): Promise<Finding[]> {
  const [options, configuration] = await Promise.all([recipeOptions(packageRoot()), templateLines(packageRoot())]);
  const remedy = (advisory: Advisory, part: Part) =>
    buildRemedy(advisory, part, { apply: "", pinned: [], upstream: [] });
  return advisoryFindings(advisories, { parts: upstream, options, configuration, remedy }, every);
}

async function examine(
  one: FleetHost,
  known: Knowledge,
  { flags, signal }: CommandContext,
  prompter: ReturnType<typeof asker>,
): Promise<Finding[]> {
  const { connect, name, become, becomePassword } = watchedHost(one, flags, prompter);
  const patterns = patternsOf(known.advisories);
  try {
    const transport = await connect(signal);
    try {
      const look = await lookAt(transport, {
        name,
        become,
        becomePassword,
        parts: DOCTOR_PARTS,
        patterns,
        now: Date.now,
        signal,
      });
      return [...hostFindings(name, look), ...hostAdvisories(one, look, known, flags.verbose === true)];
    } finally {
      await transport.close();
    }
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return [{ host: name, level: "unreachable", check: "connection", text: error.message, ...hint }];
  }
}

function hostAdvisories({ host, settings }: FleetHost, look: HostLook, known: Knowledge, every: boolean): Finding[] {
  const { lock, advisories, upstream } = known;
  const plan = {
    apply: `edge-setup apply -l ${host.name}`,
    pinned: pinnedParts(lock, settings.values, look),
    upstream,
  };
  const remedy = (advisory: Advisory, part: Part) => {
    const packages = packagesOf(part, look);
    return packages.length > 0 ? packageRemedy(packages) : buildRemedy(advisory, part, plan);
  };
  return advisoryFindings(advisories, { ...hostExposed(host.name, look, advisories), remedy }, every);
}

/** What `apply` would build on the host now; nothing where the lock has no sources for its release. */
function pinnedParts(lock: SourceLock, values: FleetHost["settings"]["values"], look: HostLook): Part[] {
  try {
    const profile = profileFor(lock, profileKind(values), look.system.release);
    return partsOfSources(chosenSources(lock, profile, values), profile);
  } catch (error) {
    if (error instanceof EdgeError) return [];
    throw error;
  }
}
