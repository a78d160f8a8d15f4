import { type Play, type Playbook, type PlayNode, partsOf, type TaskNode } from "../playbook/types.js";
import { ALL_GROUPS, type FactGroup } from "./facts-script.js";
import { templateFiles, templateText } from "./template-texts.js";

/** The facts of each group; what every program gathers is in none. */
const FACTS: Readonly<Record<FactGroup, string>> = {
  env: "env",
  local: "local",
  date: "date_time",
  fqdn: "fqdn domain",
  network: "default_ipv4 all_ipv4_addresses all_ipv6_addresses",
  route6: "default_ipv6",
  links: "interfaces",
  dns: "dns",
  cmdline: "cmdline proc_cmdline",
  uptime: "uptime_seconds",
  loadavg: "loadavg",
  machine_id: "machine_id",
  dmi:
    "bios_date bios_vendor bios_version board_asset_tag board_name board_serial board_vendor board_version chassis_asset_tag " +
    "chassis_serial chassis_vendor chassis_version form_factor product_name product_serial product_uuid product_version " +
    "system_vendor",
  iscsi: "iscsi_iqn",
  nvme: "hostnqn",
  fc: "fibre_channel_wwn",
  fips: "fips",
  apparmor: "apparmor",
  selinux: "selinux selinux_python_present",
  ssh: ["dsa", "rsa", "ecdsa", "ed25519"]
    .map((kind) => `ssh_host_key_${kind}_public ssh_host_key_${kind}_public_keytype`)
    .join(" "),
  chroot: "is_chroot",
  lsb: "lsb",
  caps: "system_capabilities system_capabilities_enforced",
  user:
    "user_id user_uid user_gid user_gecos user_dir user_shell real_user_id real_group_id effective_user_id " +
    "effective_group_id",
  virtual: "virtualization_type virtualization_role virtualization_tech_guest virtualization_tech_host",
  mounts: "mounts",
  devices: "devices device_links",
  lvm: "lvm",
};

const GROUP_OF: ReadonlyMap<string, FactGroup> = new Map(
  ALL_GROUPS.flatMap((group) => FACTS[group].split(" ").map((name): [string, FactGroup] => [name, group])),
);
/** Facts of every program, without `ansible_`. */
const ALWAYS =
  /^(system|kernel|kernel_version|machine|architecture|userspace_.*|nodename|hostname|distribution.*|os_family|service_mgr|pkg_mgr|processor.*|mem(total|free|ory)_mb|swap.*|edge_.*)$/;
/** Variables of connections, roles, loops and the run, which are no links of the host. */
const NO_LINKS =
  /^(host|port|user|connection|become.*|ssh_.*|password|private_.*|loop.*|index_var|search_path|failed_.*|parent_.*|role_.*|collection.*|managed|limit|python.*|pipelining|remote_tmp.*|shell_.*|play_.*|facter.*|ohai.*|config_file|inventory.*|version|check_mode|diff_mode|forks|run_tags|skip_tags|verbosity|async_.*|group_priority|services|packages|job_id|facts)$/;
/** Links as they are usually called. */
const LINK =
  /^(eth|en[opsxi]|wl|br|bond|tun|tap|wg|docker|veth|vlan|usb|wan|lan|ib|ppp|dummy|team|virbr|host)\d|^(en|wl)[opsx]\w+$|^(br|wl)_|^lo$/;

/** A fact by its name without `ansible_`: the group that has it, `links` for what may be a link's name. */
export function groupOf(name: string): FactGroup | undefined {
  const group = GROUP_OF.get(name);
  if (group !== undefined || ALWAYS.test(name) || NO_LINKS.test(name)) return group;
  return "links";
}

/** Groups with a fact that a filter shows. @param shows of names without `ansible_` */
export function groupsShown(shows: (name: string) => boolean): FactGroup[] {
  const found = ALL_GROUPS.filter((group) => FACTS[group].split(" ").some(shows));
  // Which links there are is known when they have been looked at.
  return found.includes("links") || !shows("eth0") ? found : [...found, "links"];
}

const MENTION = /ansible_(\w+)(?:\s*(?:\.\s*(\w+)|\[\s*['"](\w+)['"]))?|hostvars\[[^\]]*\](?!\s*[.[])/g;

/** What texts of a playbook ask of a host. */
export class AskedFacts {
  readonly groups = new Set<FactGroup>();
  /** Some fact is named, be it one that every program gathers. */
  any = false;
  readonly #seen = new Set<unknown>();

  /** Facts that a text names. */
  text(text: string): void {
    if (!text.includes("ansible_") && !text.includes("hostvars")) return;
    for (const [, variable, attribute, index] of text.matchAll(MENTION)) {
      const name = variable === "facts" ? (attribute ?? index) : variable;
      if (name === undefined) this.#all();
      else this.#name(name);
    }
  }

  #all(): void {
    this.any = true;
    for (const group of ALL_GROUPS) this.groups.add(group);
  }

  #name(name: string): void {
    const group = groupOf(name);
    this.any ||= group !== undefined || ALWAYS.test(name);
    if (group !== undefined && (group !== "links" || name === "interfaces" || LINK.test(name))) this.groups.add(group);
  }

  /** Facts that the strings within something name; the trees of expressions are passed over, as their source is there, too. */
  within(value: unknown): void {
    if (typeof value === "string") this.text(value);
    if (typeof value !== "object" || value === null || this.#seen.has(value)) return;
    this.#seen.add(value);
    for (const [key, part] of Object.entries(value)) if (key !== "expr" && key !== "position") this.within(part);
  }

  play(play: Play): void {
    for (const nodes of [play.preTasks, play.tasks, play.postTasks, play.handlers]) this.#nodes(nodes, play);
    const { preTasks: _, tasks: __, postTasks: ___, handlers: ____, ...rest } = play;
    this.within(rest);
  }

  #nodes(nodes: readonly PlayNode[], play: Play): void {
    for (const node of nodes) {
      if (node.kind === "block") this.#nodes(partsOf(node), play);
      else if (node.kind === "include") {
        this.within(node.task);
        this.#nodes(node.known ?? [], play);
      } else this.#task(node, play);
    }
  }

  #task(node: TaskNode, play: Play): void {
    this.within(node);
    const src = node.module === "template" ? node.args.src?.value : undefined;
    if (typeof src === "string" && !src.includes("{{"))
      for (const path of templateFiles(node, play) ?? []) this.#template(path);
    if (node.module !== "setup") return;
    this.any = true;
    // Its result shows all that it gathers.
    if (node.register !== undefined) this.#all();
  }

  #template(path: string): void {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    this.text(templateText(path) ?? "");
  }
}

/** What one run asks of its hosts. */
export class RunFacts {
  readonly #playbook = new AskedFacts();
  readonly #named = new Set<Play>();
  readonly #more = new Set<FactGroup>();

  constructor({ plays }: Playbook) {
    for (const play of plays) {
      const own = new AskedFacts();
      own.play(play);
      if (own.any) this.#named.add(play);
      for (const group of own.groups) this.#playbook.groups.add(group);
    }
  }

  /** Whether a play names any fact. */
  isNamedIn(play: Play): boolean {
    return this.#named.has(play);
  }

  /** Facts that turned out to be needed: the other hosts are asked for them at once. */
  add(groups: Iterable<FactGroup>): void {
    for (const group of groups) this.#more.add(group);
  }

  groupsFor(...vars: readonly unknown[]): ReadonlySet<FactGroup> {
    const own = new AskedFacts();
    for (const part of vars) own.within(part);
    return new Set([...this.#playbook.groups, ...this.#more, ...own.groups]);
  }
}
