/** Facts that Ansible gathers and that are not gathered here, by their names without `ansible_`, each with the reason. */
const hardware = "It is of the machine's hardware: ask for it by a command with register.";
const python = "Hosts need no Python.";
const times = "It is another one at every look: ask for it by a command with register.";

const NOT_GATHERED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    (
      "bios_date bios_vendor bios_version board_asset_tag board_name board_serial board_vendor board_version chassis_asset_tag " +
      "chassis_serial chassis_vendor chassis_version device_links devices fibre_channel_wwn form_factor hostnqn iscsi_iqn lvm " +
      "product_serial product_uuid product_version"
    )
      .split(" ")
      .map((name) => [name, hardware]),
  ),
  python,
  python_version: python,
  loadavg: times,
  apparmor: "Look at /sys/kernel/security/apparmor with stat.",
  selinux: "Debian's hosts do not use it.",
  fips: "Look at /proc/sys/crypto/fips_enabled with slurp.",
  is_chroot: "Look at ansible_virtualization_type.",
  local: "Files of /etc/ansible/facts.d are not run: read them with slurp.",
  lsb: "Use ansible_distribution and its like.",
  system_capabilities: "Ask for them by a command with register.",
  virtualization_tech_guest: "Look at ansible_virtualization_type.",
  virtualization_tech_host: "Look at ansible_virtualization_type.",
  virtualization_role: "Look at ansible_virtualization_type.",
};

/** Why a fact is not there; undefined for one that is, or that is none of Ansible's. @param name without `ansible_` */
export function notGathered(name: string): string | undefined {
  return Object.hasOwn(NOT_GATHERED, name) ? NOT_GATHERED[name] : undefined;
}
