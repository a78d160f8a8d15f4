import { InputError } from "../util/errors.js";

/** Ansible's collectors on Linux: the facts of each, by beginnings that end in * or whole names, and what it needs of others. */
interface Collector {
  readonly facts: string;
  /** More names that stand for it. */
  readonly ids?: string;
  readonly needs?: string;
  /** Part of what is gathered always, unless !min is said. */
  readonly min?: true;
}

const COLLECTORS: Readonly<Record<string, Collector>> = {
  platform: {
    facts:
      "system kernel kernel_version machine python_version architecture machine_id fqdn hostname nodename domain userspace_* edge_*",
    ids: "system kernel kernel_version machine python_version architecture machine_id",
    min: true,
  },
  distribution: {
    facts: "distribution* os_family",
    ids: "distribution_version distribution_release distribution_major_version os_family",
    min: true,
  },
  lsb: { facts: "lsb", min: true },
  selinux: { facts: "selinux selinux_python_present", min: true },
  apparmor: { facts: "apparmor", min: true },
  chroot: { facts: "is_chroot", ids: "is_chroot" },
  fips: { facts: "fips", min: true },
  python: { facts: "python", min: true },
  caps: {
    facts: "system_capabilities*",
    ids: "system_capabilities system_capabilities_enforced",
    min: true,
  },
  pkg_mgr: { facts: "pkg_mgr", needs: "distribution", min: true },
  service_mgr: { facts: "service_mgr", needs: "platform distribution", min: true },
  cmdline: { facts: "cmdline proc_cmdline", min: true },
  date_time: { facts: "date_time", min: true },
  env: { facts: "env", min: true },
  loadavg: { facts: "loadavg" },
  ssh_pub_keys: {
    facts: "ssh_host_key_*",
    ids: "ssh_host_pub_keys ssh_host_key_dsa_public ssh_host_key_rsa_public ssh_host_key_ecdsa_public ssh_host_key_ed25519_public",
    min: true,
  },
  user: {
    facts: "user_* real_user_id real_group_id effective_user_id effective_group_id",
    ids: "user_id user_uid user_gid user_gecos user_dir user_shell real_user_id effective_user_id effective_group_ids",
    min: true,
  },
  virtual: {
    facts: "virtualization_*",
    ids: "virtualization_type virtualization_role virtualization_tech_guest virtualization_tech_host",
  },
  hardware: {
    facts:
      "processor* mem* swap* bios_* board_* chassis_* form_factor product_* system_vendor devices device_links uptime_seconds lvm mounts",
    ids: "processor processor_cores processor_count mounts devices",
    needs: "platform",
  },
  dns: { facts: "dns", min: true },
  fibre_channel_wwn: { facts: "fibre_channel_wwn" },
  // Links have names of their own.
  network: {
    facts: "",
    ids: "interfaces default_ipv4 default_ipv6 all_ipv4_addresses all_ipv6_addresses",
    needs: "platform distribution",
  },
  iscsi: { facts: "iscsi_iqn", ids: "interfaces default_ipv4 default_ipv6 all_ipv4_addresses all_ipv6_addresses" },
  nvme: { facts: "hostnqn", ids: "interfaces default_ipv4 default_ipv6 all_ipv4_addresses all_ipv6_addresses" },
  local: { facts: "local", min: true },
  facter: { facts: "facter*" },
  ohai: { facts: "ohai*" },
};

const words = (text = "") => text.split(" ").filter(Boolean);
const NAMES = Object.keys(COLLECTORS);
const idsOf = (name: string) => words(COLLECTORS[name]?.ids);
const VALID: ReadonlySet<string> = new Set(NAMES.flatMap((name) => [name, ...idsOf(name)]));
const MIN: ReadonlySet<string> = new Set(NAMES.filter((name) => COLLECTORS[name]?.min === true));

/** Names of what is gathered for `gather_subset`, by Ansible's rules. @throws InputError for one that there is none of */
function chosen(subset: readonly string[]): ReadonlySet<string> {
  const added = new Set(MIN);
  const left = new Set<string>();
  const named = new Set<string>();
  for (const entry of subset) {
    if (entry === "all") for (const name of VALID) added.add(name);
    else if (entry === "min") for (const name of MIN) added.add(name);
    else if (entry === "!all") {
      for (const name of VALID) if (!MIN.has(name)) left.add(name);
    } else if (entry === "!min") for (const name of MIN) left.add(name);
    else if (entry.startsWith("!")) for (const name of [entry.slice(1), ...idsOf(entry.slice(1))]) left.add(name);
    else if (!VALID.has(entry)) {
      throw new InputError("E_MODULE_ARGUMENT", `gather_subset: there is no subset "${entry}".`, {
        hint: `all, min, or ${NAMES.join(", ")}; each may have a ! before it.`,
      });
    } else {
      named.add(entry);
      added.add(entry);
    }
  }
  return new Set([...added].filter((name) => !left.has(name) || named.has(name)));
}

/** Whether a fact, by its name without `ansible_`, is among those that a `gather_subset` asks for. */
export function subsetHas(subset: readonly string[]): (name: string) => boolean {
  const names = chosen(subset);
  const direct = NAMES.filter((name) => names.has(name) || idsOf(name).some((id) => names.has(id)));
  const gathered = new Set(direct.flatMap((name) => [name, ...words(COLLECTORS[name]?.needs)]));
  return (fact) => gathered.has(collectorOf(fact));
}

function collectorOf(fact: string): string {
  const fits = (pattern: string) => (pattern.endsWith("*") ? fact.startsWith(pattern.slice(0, -1)) : fact === pattern);
  return NAMES.find((name) => words(COLLECTORS[name]?.facts).some(fits)) ?? "network";
}
