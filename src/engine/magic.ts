import { dirname, resolve } from "node:path";
import { sourceVars } from "../inventory/host-source.js";
import type { Inventory, InventoryHost } from "../inventory/types.js";
import type { Play, Playbook, Vars } from "../playbook/types.js";
import type { Moment, RunGroups } from "./groups.js";
import type { RunOptions } from "./run.js";

/** The version of ansible-core whose language this is, for playbooks that ask. */
const ANSIBLE_VERSION = { full: "2.14.18", major: 2, minor: 14, revision: 18, string: "2.14.18" };

interface MagicInput {
  readonly play: Play;
  /** Hosts of the play, failed ones among them. */
  readonly hosts: readonly string[];
  readonly batch: readonly string[];
  readonly inventory: Inventory;
  readonly playbook: Playbook;
  readonly options: Omit<RunOptions, "command" | "extraVars">;
  readonly failed: ReadonlySet<string>;
  readonly groups: RunGroups;
  readonly host: InventoryHost;
}

/** Variables that the engine itself sets, stronger than all others. */
export function magicOf(input: MagicInput): (now: Moment) => Vars {
  const { play, hosts, batch, inventory, playbook, options, failed, groups, host } = input;
  const { tags = [], skipTags = [], limit, forks = 5 } = options;
  const fixed = {
    inventory_hostname: host.name,
    inventory_hostname_short: host.name.split(".")[0] ?? host.name,
    ansible_play_hosts_all: hosts,
    ansible_play_name: play.name,
    playbook_dir: resolve(dirname(playbook.file)),
    ...sourceVars(host.name, inventory),
    ansible_check_mode: options.check,
    ansible_diff_mode: options.diff ?? false,
    ansible_run_tags: tags.length === 0 ? ["all"] : tags,
    ansible_skip_tags: skipTags,
    ...(limit === undefined ? {} : { ansible_limit: limit }),
    ansible_forks: forks,
    ansible_verbosity: 0,
    ansible_version: ANSIBLE_VERSION,
    ansible_inventory_sources: (inventory.sources ?? [inventory.file]).map((one) =>
      one.includes(",") ? one : resolve(one),
    ),
  };
  let known: { readonly state: string; readonly vars: Vars } | undefined;
  return (now) => {
    const state = `${groups.version} ${now} ${failed.size}`;
    if (known?.state !== state) {
      const alive = (names: readonly string[]) => names.filter((name) => !failed.has(name));
      const active = alive(batch);
      const vars = {
        ...fixed,
        play_hosts: active,
        ansible_play_batch: active,
        ansible_play_hosts: alive(hosts),
        groups: groups.all(now),
        group_names: groups.namesOf(host, now),
      };
      known = { state, vars };
    }
    return known.vars;
  };
}
