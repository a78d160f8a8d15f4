/** What does the work of modules that the subset does not have, by their names without a collection. */

const dnf = "Hosts are of Debian's family: use apt, or package.";
const otherManager = "Hosts are of Debian's family, where packages come by apt: use apt, or command for this manager.";
const container =
  "Use command with docker or podman, with changed_when and a check of its own, or a unit by template and systemd_service.";
const cloud = "It talks to a service's API from here: use uri, or command on localhost by delegate_to.";
const database = "Use command with the database's own client, and changed_when.";
const windows = "Hosts are Linux machines of Debian's family.";
const firewall =
  "Use template for the rules and systemd_service for what loads them, or command with its own client and changed_when.";
const network = "Hosts are Linux machines that run a POSIX shell.";
const facts = "Facts are gathered at the start of a play; use setup, or command with register.";
const pythonOnly = "It needs Python on the host, and hosts need none: use command with the program itself.";
const storage = "Use command with its own program, with creates or changed_when.";
const certificate = "Use command with openssl and creates.";
const selinux = "Debian's family does not run SELinux.";
const key = "Use copy to put the key into /etc/apt/keyrings, and signed-by=FILE in the line of apt_repository.";

const GROUPS: readonly (readonly [hint: string, names: string])[] = [
  [dnf, "dnf yum dnf5 yum_repository rpm_key zypper zypper_repository redhat_subscription rhn_register urpmi"],
  [otherManager, "pacman apk homebrew homebrew_cask pkgng portage openbsd_pkg opkg flatpak snap swupd"],
  [
    container,
    "docker_container docker_image docker_network docker_volume docker_compose docker_compose_v2 docker_login docker_prune " +
      "docker_swarm docker_stack docker_container_exec docker_host_info podman_container podman_image lxd_container",
  ],
  [
    cloud,
    "k8s k8s_info helm helm_repository ec2 ec2_instance s3 s3_object route53 azure_rm_virtualmachine gcp_compute_instance " +
      "digital_ocean cloudflare_dns github_release slack telegram mail grafana_dashboard hcloud_server terraform",
  ],
  [
    database,
    "mysql_db mysql_user mysql_query mysql_variables postgresql_db postgresql_user postgresql_query postgresql_privs " +
      "postgresql_ext mongodb_user redis influxdb_database",
  ],
  [
    windows,
    "win_command win_shell win_copy win_file win_package win_service win_feature win_reboot win_user win_regedit win_updates",
  ],
  [firewall, "ufw iptables firewalld nftables iptables_state"],
  [network, "ios_command ios_config nxos_config junos_config eos_config cli_command cli_config"],
  [facts, "gather_facts mount_facts listen_ports_facts"],
  [pythonOnly, "pip pipx easy_install gem npm composer bower cpanm django_manage htpasswd pear"],
  [storage, "filesystem lvg lvol parted crypttab luks_device zfs zpool aix_lvol swapfile"],
  [
    certificate,
    "openssl_privatekey openssl_csr openssl_dhparam x509_certificate openssh_keypair acme_certificate openssl_pkcs12",
  ],
  [selinux, "selinux seboolean sefcontext seport selogin"],
  [key, "apt_key apt_rpm"],
];

const SINGLE: Readonly<Record<string, string>> = {
  deb822_repository: "Use copy: a .sources file in /etc/apt/sources.list.d, and apt with update_cache.",
  synchronize: "Use copy, whose src may be a directory, or unarchive; or command with rsync by delegate_to: localhost.",
  add_host: "Put the host into the inventory; group_by makes groups while a playbook runs.",
  expect: "Use command with stdin, or an option of the program that asks nothing.",
  include_vars: "Use vars_files of the play.",
  ini_file: "Use lineinfile with a regexp, or template for the whole file.",
  xml: "Use template for the whole file, or replace.",
  json_patch: "Use template for the whole file.",
  pam_limits: "Use lineinfile in /etc/security/limits.d, or copy.",
  modprobe: "Use copy into /etc/modules-load.d, and command modprobe with changed_when.",
  alternatives: "Use command with update-alternatives and changed_when.",
  locale_gen: "Use lineinfile in /etc/locale.gen, and a handler with locale-gen.",
  capabilities: "Use command with setcap and changed_when.",
  archive: "Use command with tar and creates.",
  at: "Use command with at, or a timer by template and systemd_service.",
  acl: "Use command with setfacl and changed_when.",
  patch: "Use copy of the patched file, or command with patch.",
  subversion: "Use command with svn and creates.",
  hg: "Use command with hg and creates.",
  make: "Use command with make, with creates or changed_when.",
  import_role: "Use import_tasks.",
  validate_argument_spec: "Use assert.",
  sysvinit: "Use service, which is systemd here.",
  runit: "Use service, which is systemd here.",
  supervisorctl: "Use command with supervisorctl, or a unit by template and systemd_service.",
  nmcli: "Use copy of a connection's file, and a handler with nmcli.",
  netplan: "Use copy into /etc/netplan, and a handler with netplan apply.",
  interfaces_file: "Use template for the file in /etc/network/interfaces.d.",
  sudoers: "Use copy into /etc/sudoers.d with validate: visudo -cf %s.",
  dconf: "Use command with dconf and changed_when.",
  gconftool2: "Use command with gconftool-2 and changed_when.",
  monit: "Use a unit by template and systemd_service.",
  logrotate: "Use copy into /etc/logrotate.d.",
  maven_artifact: "Use get_url with a checksum.",
  win_ping: windows,
};

const ALTERNATIVES: ReadonlyMap<string, string> = new Map([
  ...GROUPS.flatMap(([hint, names]) => names.split(" ").map((name): [string, string] => [name, hint])),
  ...Object.entries(SINGLE),
]);

/** What to use instead of a module, by any of its names. */
export function alternativeTo(module: string): string | undefined {
  return ALTERNATIVES.get(module.slice(module.lastIndexOf(".") + 1));
}
