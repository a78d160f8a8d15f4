import { join } from "node:path";
import { playValues } from "../engine/play-values.js";
import { HostSession, systemClock } from "../engine/session.js";
import { parseExtraVars, withExtraVars } from "../inventory/extra-vars.js";
import { revealedVars } from "../inventory/host-value.js";
import { validateAllSettings } from "../inventory/settings/validate.js";
import type { InventoryHost } from "../inventory/types.js";
import { moduleCatalog } from "../modules/registry.js";
import { loadPlaybook } from "../playbook/load-playbook.js";
import type { Value, Vars } from "../playbook/types.js";
import { connect } from "../transport/connect.js";
import type { Transport } from "../transport/transport.js";
import { InputError, InputErrors } from "../util/errors.js";
import { packageRoot } from "../util/package-root.js";
import { Semaphore } from "../util/semaphore.js";
import { didYouMean } from "../util/suggest.js";
import type { CommandContext } from "./commands.js";
import { type FleetHost, loadFleet } from "./fleet.js";
import { type Flags, intFlag } from "./options.js";
import { textOf } from "./playbook-file.js";
import { asker, askPasswords, connectOptions } from "./reach.js";
import { vaultOf } from "./vault-passwords.js";

/** Whom a bundle is for: a host, or any of a release and an architecture. */
export interface BundleTarget {
  /** For messages. */
  readonly name: string;
  /** `debian bookworm` */
  readonly system: string;
  /** `armhf/armv7-a` */
  readonly userland: string;
  /** What a variable of the play is there. `facts` are those that the target has not said itself. */
  readonly value: (expression: string, facts?: Vars) => Value;
  /** Its host, while it is connected. */
  readonly transport?: Transport;
}

/** Debian's architectures that edges have, and the level of CPUs that Debian compiles them for. */
const LEVELS: Readonly<Record<string, string>> = {
  amd64: "x86-64",
  arm64: "armv8-a",
  armhf: "armv7-a",
  armel: "armv5te",
};
/** Debian's releases that edges have, with their numbers. */
const RELEASES: Readonly<Record<string, string>> = { bookworm: "12", trixie: "13" };

/**
 * Whom the flags mean, handed to `use`: hosts of the inventory, which are connected as long as that runs, or those of --release
 * and --arch.
 * @throws InputError for flags that contradict each other; what connecting throws
 */
export async function withTargets<T>(
  context: CommandContext,
  use: (targets: readonly BundleTarget[]) => Promise<T>,
): Promise<T> {
  const { flags } = context;
  if (flags.release !== undefined || flags.arch !== undefined) return use(await namedTargets(flags));
  const open: Transport[] = [];
  try {
    return await use(await fleetTargets(context, open));
  } finally {
    await Promise.all(open.map((transport) => transport.close().catch(() => undefined)));
  }
}

/** The play's variables for a host of these facts. */
function valuesFor(host: InventoryHost, facts: Vars, extraVars: Vars): BundleTarget["value"] {
  const file = join(packageRoot(), "playbooks", "edge.yml");
  const playbook = loadPlaybook(file, { catalog: moduleCatalog, readFile: textOf });
  const play = playbook.plays.at(-1);
  if (play === undefined) throw new Error(`${file} has no play`);
  return (expression, more = {}) => playValues(playbook, play, host, { ...more, ...facts }, extraVars)(expression);
}

async function namedTargets(flags: Flags): Promise<BundleTarget[]> {
  if (flags.inventory !== undefined || flags.limit !== undefined) {
    throw new InputError(
      "E_FLAG_VALUE",
      "--release and --arch are instead of hosts: leave out --inventory and --limit",
    );
  }
  const releases = chosen(flags.release, "release", Object.keys(RELEASES));
  const archs = chosen(flags.arch ?? "amd64", "arch", Object.keys(LEVELS));
  const extraVars = await parseExtraVars(flags["extra-vars"] ?? [], { vault: vaultOf(flags) });
  return releases.flatMap((release) =>
    archs.map((arch) => {
      const position = { file: "(flags)", line: 1, column: 1 };
      const name = `Debian ${release} ${arch}`;
      const host = withExtraVars({ name, groups: ["edges"], vars: {}, origins: {}, position }, extraVars);
      const errors = validateAllSettings([host]);
      if (errors.length > 0) throw new InputErrors(errors);
      const userland = `${arch}/${LEVELS[arch]}`;
      const number = RELEASES[release] ?? "";
      const facts = {
        distribution: "Debian",
        distribution_release: release,
        distribution_major_version: number,
        distribution_version: number,
        edge_userland: userland,
      };
      return {
        name,
        system: `debian ${release}`,
        userland,
        value: valuesFor(host, facts, revealedVars(extraVars.vars)),
      };
    }),
  );
}

/** The words of a flag, each one that is known. */
function chosen(text: string | undefined, flag: string, known: readonly string[]): string[] {
  const words = (text ?? "").split(",").filter((word) => word !== "");
  if (words.length === 0) {
    throw new InputError("E_FLAG_VALUE", `--${flag} is missing`, { hint: `It takes ${known.join(", ")}, by commas.` });
  }
  for (const word of words) {
    if (known.includes(word)) continue;
    throw new InputError("E_FLAG_VALUE", `--${flag} knows no "${word}"`, {
      hint: `${didYouMean(word, known) ?? `It takes ${known.join(", ")}.`} For other systems name a host of that kind with --inventory.`,
    });
  }
  return [...new Set(words)];
}

async function fleetTargets({ flags, signal }: CommandContext, open: Transport[]): Promise<BundleTarget[]> {
  const prompter = asker(flags);
  const fleet = await loadFleet(flags, { saveSecrets: false, passwords: await askPasswords(flags, prompter) });
  const slots = new Semaphore(intFlag(flags, "forks", 10, 1, 1000));
  const extraVars = revealedVars(fleet.extraVars.vars);
  const ask = async ({ host, access }: FleetHost): Promise<BundleTarget> => {
    const options = connectOptions(flags, prompter, signal);
    const session = new HostSession(host, {
      connect: () => connect(access.address, options),
      connectLocal: () => connect({ name: "localhost", host: "localhost", connection: "local" }, options),
      access,
      clock: systemClock,
      signal,
    });
    const transport = await session.transport();
    open.push(transport);
    const { facts } = await session.facts();
    const system = `${facts.distribution} ${facts.distribution_release}`.toLowerCase();
    const value = valuesFor(host, facts, extraVars);
    return { name: host.name, system, userland: String(facts.edge_userland), value, transport };
  };
  return Promise.all(fleet.hosts.map((one) => slots.run(() => ask(one))));
}
