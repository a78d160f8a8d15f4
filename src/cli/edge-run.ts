import { renameSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ArtifactCache } from "../build/artifacts.js";
import { cacheDir as cacheDirOf } from "../build/cache-dir.js";
import { defaultCacheDir } from "../build/fetch.js";
import { makeSourceResolver, sourceWords } from "../build/resolver.js";
import { loadLock } from "../build/sources.js";
import { fileKind } from "../engine/language.js";
import { type RunOutcome, runPlaybook } from "../engine/run.js";
import { revealedVars } from "../inventory/host-value.js";
import { maskedTexts } from "../inventory/masked-texts.js";
import type { InventoryHost } from "../inventory/types.js";
import { moduleCatalog } from "../modules/registry.js";
import { loadPlaybook } from "../playbook/load-playbook.js";
import { parseNoted } from "../playbook/value-templates.js";
import { nowText } from "../report/events.js";
import { connect } from "../transport/connect.js";
import { packageRoot } from "../util/package-root.js";
import { certificateGuard, GUARD_ASKS } from "./certificate-guard.js";
import type { ConvergeOptions } from "./converge.js";
import { EDGES, type Fleet, type FleetHost } from "./fleet.js";
import type { HeadStart } from "./head-start.js";
import { type OpenBundle, openBundle } from "./open-bundle.js";
import { DEFAULT_FORKS, intFlag } from "./options.js";
import { packedPlaybooks } from "./packed-playbooks.js";
import { checkTags, tagWords, textOf } from "./playbook-file.js";

/**
 * Runs playbooks/edge.yml on the fleet.
 * @param head the connections, which go no further before all files are found good
 * @throws EdgeError for mistakes in flags and files; what fails on a host is in the outcome
 */
export async function runEdgePlaybook(options: ConvergeOptions, head: HeadStart): Promise<RunOutcome> {
  const { flags, fleet, emit, signal, connectOptions } = options;
  const forks = intFlag(flags, "forks", DEFAULT_FORKS, 1, 1000);
  const byName = new Map(fleet.hosts.map((one) => [one.host.name, one]));
  const ofFleet = (host: InventoryHost): FleetHost => {
    const known = byName.get(host.name);
    if (known === undefined) throw new Error(`${host.name} is not of this fleet`);
    return known;
  };
  const root = packageRoot();
  const tags = tagWords(flags.tags);
  const skipTags = tagWords(flags["skip-tags"]);
  const cacheDir = defaultCacheDir(process.env);
  const artifactDir = cacheDirOf(process.env, "artifacts");
  const artifacts = new ArtifactCache({
    directory: artifactDir,
    onWarning: (text) => emit({ type: "message", time: nowText(), level: "warning", text }),
  });
  const bundle = flags.bundle === undefined ? undefined : await openBundle(flags.bundle, process.env, signal);
  if (bundle !== undefined) artifacts.takeOver(join(bundle.directory, "artifacts"));
  await head.begin();
  await head.underWay();
  try {
    const playbook = loadPlaybook(join(root, "playbooks", "edge.yml"), {
      catalog: moduleCatalog,
      readFile: textOf,
      packed: packedPlaybooks(root),
    });
    checkTags(playbook, tags, "--tags");
    checkTags(playbook, skipTags, "--skip-tags");
    head.logIn();
    parseNoted().catch(() => undefined);
    return await runPlaybook({
      playbook,
      inventory: fleetInventory(fleet),
      connect: (host, _signal, access) => head.take(host.name) ?? connect(access.address, connectOptions),
      connectLocal: () => connect({ name: "localhost", host: "localhost", connection: "local" }, connectOptions),
      access: (host) => ofFleet(host).access,
      delegates: { names: fleet.inventory.hosts.map((host) => host.name), find: fleet.reach },
      options: {
        command: options.command,
        check: options.check,
        diff: flags.diff === true,
        forks,
        tags,
        skipTags,
        mistakesFirst: true,
        extraVars: {
          ...revealedVars(fleet.extraVars.vars),
          edge_source_cache: cacheDir,
          edge_artifact_cache: artifactDir,
          edge_restart_streams: flags["restart-streams"] === true,
          edge_upgrade_again: flags["try-again"] === true,
          ...bundleVars(bundle),
        },
      },
      emit,
      signal,
      secrets: fleet.hosts.flatMap((one) => maskedTexts(one.host, one.settings)),
      resolveMissingSource: sourceFetcher(options, root, cacheDir, bundle),
      // A build that is damaged is none.
      fileKind: (path, follow) => (artifacts.owns(path) && !artifacts.has(path) ? undefined : fileKind(path, follow)),
      placeFile: (part, dest) => (artifacts.owns(dest) ? artifacts.accept(part, dest) : renameSync(part, dest)),
      canResolveSource: (path) => dirname(resolve(path)) === cacheDir,
      guards: (host) => certificateGuard(ofFleet(host), { emit, signal }),
      guardsAsk: GUARD_ASKS,
    });
  } finally {
    await artifacts.tidy();
    await bundle?.close();
  }
}

const bundleVars = (bundle: OpenBundle | undefined) => (bundle === undefined ? {} : { edge_bundle: bundle.directory });

/** Fetches a pinned source into the cache, once a host needs it: most runs need none. */
function sourceFetcher(
  { flags, emit, signal }: ConvergeOptions,
  root: string,
  cacheDir: string,
  bundle: OpenBundle | undefined,
) {
  const say = (level: "info" | "warning", text: string) => emit({ type: "message", time: nowText(), level, text });
  let resolver: Promise<(path: string) => Promise<void>> | undefined;
  const makeResolver = async () =>
    makeSourceResolver({
      lock: await loadLock(join(root, "nginx-build", "sources.lock.json")),
      cacheDir,
      sourceDirs: [
        ...(flags["source-dir"] === undefined ? [] : [resolve(flags["source-dir"])]),
        ...(bundle === undefined ? [] : [join(bundle.directory, "sources")]),
      ],
      ...(bundle === undefined ? {} : { fetch: refuseToFetch }),
      signal,
      onSource: (entry, source) => {
        const { level, text } = sourceWords(entry, source);
        say(level, text);
      },
      onWarning: (text) => say("warning", text),
    });
  return async (path: string): Promise<void> => {
    resolver ??= makeResolver();
    await (await resolver)(path);
  };
}

/** In place of the network, for a run that has a bundle. */
const refuseToFetch = () => Promise.reject(new Error("a run with --bundle asks no network, and its bundle lacks it"));

/** The inventory with the hosts as the fleet has them: extra vars and secrets included, and only the chosen ones. */
function fleetInventory({ inventory, hosts }: Fleet) {
  const chosen = hosts.map((one) => one.host);
  const names = new Set(chosen.map((host) => host.name));
  const groups = Object.entries(inventory.groups).map(([group, members]) => [
    group,
    members.filter((member) => names.has(member)),
  ]);
  return {
    file: inventory.file,
    hosts: chosen,
    groups: Object.fromEntries(groups) as Record<string, readonly string[]>,
    select: (pattern: string) =>
      pattern === EDGES
        ? chosen
        : inventory.select(pattern).flatMap((host) => chosen.filter((one) => one.name === host.name)),
  };
}
