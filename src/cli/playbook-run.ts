import { type RunOutcome, runPlaybook } from "../engine/run.js";
import { revealedVars } from "../inventory/host-value.js";
import { maskedTexts } from "../inventory/masked-texts.js";
import { loadPlaybook } from "../playbook/load-playbook.js";
import type { Playbook, Vars } from "../playbook/types.js";
import type { EmitEvent } from "../report/events.js";
import { connect } from "../transport/connect.js";
import type { ConnectOptions } from "../transport/transport.js";
import { InputError } from "../util/errors.js";
import { DEFAULT_FORKS, type Flags, intFlag } from "./options.js";
import type { PlayHosts } from "./play-hosts.js";
import { checkTags, fromDisk, tagWords, textOf } from "./playbook-file.js";

export interface PlaybookRun {
  readonly playbook: Playbook;
  readonly hosts: PlayHosts;
  readonly flags: Flags;
  readonly connectOptions: ConnectOptions;
  readonly emit: EmitEvent;
  readonly signal: AbortSignal;
  /** Of no host, and shown by nothing: answers to what plays ask for. */
  readonly secrets: readonly string[];
}

/** Loads a playbook, in which extra vars may name hosts and files, and checks the tags that are asked for. @throws InputErrors with every problem of all its files */
export function readPlaybook(file: string, flags: Flags, extraVars: Vars): Playbook {
  if (textOf(file) === undefined) {
    throw new InputError("E_NO_PLAYBOOK", `the playbook ${file} does not exist`);
  }
  const playbook = loadPlaybook(file, { ...fromDisk, extraVars });
  checkTags(playbook, tagWords(flags.tags), "--tags");
  checkTags(playbook, tagWords(flags["skip-tags"]), "--skip-tags");
  return playbook;
}

/**
 * Runs a playbook that is not the product's own, on the hosts that its plays name.
 * @throws EdgeError for mistakes in flags; what fails on a host is in the outcome
 */
export async function runAnyPlaybook(run: PlaybookRun): Promise<RunOutcome> {
  const { playbook, hosts, flags, connectOptions, emit, signal, secrets } = run;
  const check = flags.check === true || flags["dry-run"] === true;
  return await runPlaybook({
    playbook,
    inventory: hosts.inventory,
    connect: (_host, _signal, access) => connect(access.address, connectOptions),
    connectLocal: () => connect({ name: "localhost", host: "localhost", connection: "local" }, connectOptions),
    access: hosts.access,
    delegates: { names: hosts.inventory.hosts.map((host) => host.name), find: hosts.reach },
    options: {
      ...{ command: "play", check, diff: flags.diff === true },
      forks: intFlag(flags, "forks", DEFAULT_FORKS, 1, 1000),
      limit: hosts.limit?.join(","),
      tags: tagWords(flags.tags),
      skipTags: tagWords(flags["skip-tags"]),
      extraVars: revealedVars(hosts.extraVars.vars),
    },
    emit,
    signal,
    secrets: [...secrets, ...hosts.inventory.hosts.flatMap((host) => maskedTexts(host))],
  });
}
