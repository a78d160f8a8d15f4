import { machineScript } from "../discovery/machine-script.js";
import { compact, sh } from "../modules/sh.js";

/** What is gathered together, in one part of the program. */
export type FactGroup = keyof typeof GROUPS;

interface Group {
  /** Files whose lines count. */
  readonly files?: string;
  /** Shell of the part. `o NAME VALUE` answers; what a command prints may stand behind it. */
  readonly script?: string;
  /** It needs the environment as the login or sudo made it. */
  readonly early?: true;
  /** What it says depends on who asks. */
  readonly asUser?: true;
  readonly needs?: readonly FactGroup[];
}

const DMI = "/sys/devices/virtual/dmi/id/";

/** Each costs bytes and processes, so a host is asked for those that a playbook names. */
const GROUPS = {
  env: { early: true, asUser: true, script: 'o env "$(env -0 | base64 -w0)"\n' },
  local: {
    early: true,
    asUser: true,
    script: sh`
for _f in /etc/ansible/facts.d/*.fact; do
  if [ ! -e "$_f" ]; then
    if [ -L "$_f" ]; then o fact "$_f - 0"; fi
    continue
  fi
  case $(ls -ldL "$_f") in
    ???[xs]*)
      _d=$(mktemp -d)
      "$_f" >"$_d/o" 2>"$_d/e" </dev/null
      o fact "$_f x $? $(base64 -w0 "$_d/o") $(base64 -w0 "$_d/e")"
      rm -rf "$_d"
      ;;
    *) o fact "$_f r 0 $(base64 -w0 "$_f")" ;;
  esac
done
`,
  },
  date: {
    script: sh`
_x=$(printf 'now\n1 Jan\n1 Jul\n' | date -f - '+%s %Y-%m-%d %H:%M:%S %Z %z %A %w %W %N')
o date
echo "$_x"
`,
  },
  // As Python's getfqdn(): the names that the address of the name has.
  fqdn: {
    script: sh`
_x=$(getent hosts "$_n")
o fqdn "$(getent hosts "$\{_x%% *}" || hostname -f)"
`,
  },
  network: {
    files:
      "/sys/class/net/*/address /sys/class/net/*/mtu /sys/class/net/*/type /sys/class/net/*/bridge/bridge_id " +
      "/sys/class/net/*/bonding/mode",
    script: sh`
if h ip; then
  o route4 "$(ip -4 route get 8.8.8.8)"
  o addr
  ip -o addr show
fi
`,
  },
  route6: { needs: ["network"], script: 'h ip && o route6 "$(ip -6 route get 2404:6800:400a:800::1012)"\n' },
  links: {
    needs: ["network", "route6"],
    files:
      "/sys/class/net/*/operstate /sys/class/net/*/flags /sys/class/net/*/speed /sys/class/net/*/bridge/stp_state " +
      "/sys/class/net/*/bonding/[!m]* /sys/class/net/*/bonding/miimon /sys/class/net/*/bonding_slave/perm_hwaddr",
    script: sh`
for _l in /sys/class/net/*/; do
  _l=$\{_l%/}
  _n=$\{_l##*/}
  if [ -e "$_l/device" ]; then o pciid "$_n $(readlink "$_l/device")"; fi
  if [ -e "$_l/device/driver/module" ]; then o module "$_n $(readlink -f "$_l/device/driver/module")"; fi
  if [ -d "$_l/bonding_slave" ]; then o slave "$_n"; fi
  for _x in "$_l"/brif/*; do if [ -e "$_x" ]; then o port "$_n $\{_x##*/}"; fi; done
  if h ethtool; then
    o "features $_n"
    ethtool -k "$_n"
    o "timestamping $_n"
    ethtool -T "$_n"
  fi
done
`,
  },
  dns: { files: "/etc/resolv.conf" },
  cmdline: { files: "/proc/cmdline" },
  uptime: { files: "/proc/uptime" },
  loadavg: { files: "/proc/loadavg" },
  machine_id: { files: "/var/lib/dbus/machine-id /etc/machine-id" },
  dmi: { asUser: true, files: `${DMI}[bc]* ${DMI}product_[nsuv]* ${DMI}sys_vendor` },
  iscsi: { asUser: true, files: "/etc/iscsi/initiatorname.iscsi" },
  nvme: { files: "/etc/nvme/hostnqn" },
  fc: { files: "/sys/class/fc_host/*/port_name" },
  fips: { files: "/proc/sys/crypto/fips_enabled" },
  apparmor: { script: "if [ -e /sys/kernel/security/apparmor ]; then o apparmor yes; fi\n" },
  selinux: {
    files: "/sys/fs/selinux/enforce /sys/fs/selinux/policyvers /etc/selinux/config",
    script: 'o selinux "$(ls -d /usr/lib/libselinux.so.1 /lib/*/libselinux.so.1 /usr/lib/*/libselinux.so.1)"\n',
  },
  ssh: {
    files: "/etc/ssh/ssh_host_*_key.pub /etc/openssh/ssh_host_*_key.pub /etc/ssh_host_*_key.pub",
  },
  chroot: {
    asUser: true,
    script: sh`
if [ -n "$debian_chroot" ]; then o chroot yes; else
  o inodes "$(stat -c %d:%i / /proc/1/root/. | tr '\n' ' ')"
  o rootfs "$(stat -fc %T /)"
fi
`,
  },
  lsb: {
    files: "/etc/lsb-release",
    script: sh`
if h lsb_release; then
  o lsb
  lsb_release -a
fi
`,
  },
  caps: {
    asUser: true,
    script: sh`
if h capsh; then
  o caps
  capsh --print
fi
`,
  },
  user: {
    asUser: true,
    script: sh`
o passwd "$(getent passwd "$\{LOGNAME:-$\{USER:-$(id -un)}}" || getent passwd "$(id -u)")"
`,
  },
  virtual: {
    asUser: true,
    files: `/proc/1/cgroup /run/systemd/container ${DMI}product_[nf]a* ${DMI}sys_vendor ${DMI}bios_vendor /proc/xen/capabilities`,
    script: sh`
for _x in /proc/vz /proc/lve /proc/bc /.dockerenv /.dockerinit /proc/xen /dev/kvm /rhev; do
  if [ -e "$_x" ]; then o exists "$_x"; fi
done
o files
grep -aH ^VxID: /proc/self/status
grep -aHE '^(kvm|vboxdrv|virtio) ' /proc/modules
grep -aHE '^machine' /proc/cpuinfo
if [ -r /proc/1/environ ]; then
  o environ
  tr '\0' '\n' </proc/1/environ | grep container=
fi
if h dmidecode; then
  o dmidecode
  dmidecode -s system-product-name
fi
`,
  },
  mounts: {
    asUser: true,
    script: sh`
if [ -e /etc/mtab ]; then _m=/etc/mtab; else _m=/proc/mounts; fi
set --
_b=
o mtab
while read -r _d _p _t _x; do
  case $_d in
    /* | *:/*)
      echo "$_d $_p $_t $_x"
      case $_p in *\\*) _p=$(printf %b "$_p") ;; esac
      set -- "$@" "$_p"
      case " $_b " in *" $_d "*) ;; *) _b="$_b $_d" ;; esac
      ;;
  esac
done <"$_m"
o statfs
for _p in "$@"; do stat -fc '%S %s %b %a %c %d %n' -- "$_p"; done
if h findmnt; then
  o findmnt
  findmnt --list --noheadings --notruncate -o TARGET,SOURCE
fi
_x=
if h lsblk; then
  _x=$(lsblk --list --noheadings --paths --output NAME,UUID --exclude 2)
  o lsblk
  echo "$_x"
fi
if h udevadm; then
  for _d in $_b; do
    o udev "$_d $(udevadm info --query property --name "$_d" | grep ^ID_FS_UUID=)"
  done
fi
`,
  },
  devices: {
    asUser: true,
    files:
      "/sys/block/*/device/vendor /sys/block/*/device/model /sys/block/*/device/sas_address /sys/block/*/device/sas_device_handle " +
      "/sys/block/*/device/serial /sys/block/*/removable /sys/block/*/size /sys/block/*/queue/discard_granularity " +
      "/sys/block/*/queue/rotational /sys/block/*/queue/scheduler /sys/block/*/queue/logical_block_size /sys/block/*/*/start " +
      "/sys/block/*/*/size /sys/block/*/holders/*/dm/name /sys/block/*/*/holders/*/dm/name",
    script: sh`
o block
for _x in /sys/block/*; do echo "$_x $(readlink "$_x")"; done
for _x in /sys/block/*/slaves/* /sys/block/*/holders/dm-* /sys/block/*/*/holders/dm-*; do
  if [ -e "$_x" ]; then echo "$_x"; fi
done
o disk
find /dev/disk/by-id /dev/disk/by-uuid /dev/disk/by-label -maxdepth 1 -type l -printf '%p %l\n'
if h lspci; then
  o lspci
  lspci -D
fi
if h sg_inq; then
  for _x in /sys/block/*; do
    _x=$\{_x##*/}
    o sg_inq "$_x $(sg_inq "/dev/$_x" | grep -E '(Unit serial|Serial) number:')"
  done
fi
`,
  },
  lvm: {
    asUser: true,
    script: sh`
if [ "$(id -u)" = 0 ] && h vgs; then
  for _x in vgs lvs pvs; do
    o "$_x" found
    "$_x" --noheadings --nosuffix --units g --separator ,
  done
  if h dmsetup; then for _x in /dev/dm-*; do if [ -e "$_x" ]; then
    o dm "$_x $(dmsetup info -C --noheadings -o name "$_x")"
  fi; done; fi
fi
`,
  },
} as const satisfies Readonly<Record<string, LooseGroup>>;

/** As a group while the table is made: what it needs is named before all names are there. */
type LooseGroup = Omit<Group, "needs"> & { readonly needs?: readonly string[] };

export const ALL_GROUPS = Object.keys(GROUPS) as readonly FactGroup[];

const about = (name: FactGroup): Group => GROUPS[name] as Group;

/** Groups with those that they need, in the order of the table. */
export function completed(asked: Iterable<FactGroup>): FactGroup[] {
  const wanted = new Set([...asked].flatMap((name) => [name, ...(about(name).needs ?? [])]));
  return ALL_GROUPS.filter((name) => wanted.has(name));
}

/** Whether the answer depends on whom the play's tasks run as. */
export function asksAsUser(groups: Iterable<FactGroup>): boolean {
  return [...groups].some((name) => about(name).asUser === true);
}

const head = sh`
o() { printf '\036%s\t%s\n' "$1" "$2"; }
h() { command -v "$1" >/dev/null; }
`;

const places = sh`
LC_ALL=C
PATH=$\{PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
exec 2>/dev/null
_x=$(uname -snrvm)
o uname "$_x"
_n=$\{_x#* }
_n=$\{_n%% *}
o id "$(id)"
o login "$SUDO_UID $SUDO_USER"
o files
`;

const FILES = "/etc/os-release /etc/debian_version /proc/1/comm /proc/device-tree/model";

const base = sh`
grep -aHE '^([pP]roces|[vV]endor|cpu c|phys|CPU p|sibl|model n|Mem|Buf|Cach|Swap|Cpus_allowed:)' /proc/cpuinfo /proc/meminfo /proc/self/status
if [ -d /run/systemd/system ]; then o systemd yes; fi
for _c in apt dpkg sudo flock systemctl systemd-run curl wget tar gzip dnf apk pacman zypper; do
  if h "$_c"; then o has "$_c"; fi
done
for _b in /opt/edge/builds/*/.complete /var/lib/edge-setup/library/*; do if [ -f "$_b" ]; then o build "$_b"; fi; done
o df
df -PkT /
o libraries
awk '/^Package: (libc6|libssl3(t64)?|libpcre2-8-0|zlib1g|dpkg)$/{p=$2} p=="dpkg"&&/^Arch/{print p,$2;p=""} p&&/^Version:/{print p,$2;p=""} /^Provides:.*nginx-abi/' /var/lib/dpkg/status || o bits "$(getconf LONG_BIT)"
`;

/**
 * Gathers facts in one go: lines of 0x1e, a name, a tab, a value; what a command prints stands behind such a line, and
 * lines of files behind the file's name. Only reads; each source may be missing. Most of its time are processes, so it
 * has few of them, and the controller picks out what it needs.
 */
export function factsProgram(asked: Iterable<FactGroup>): string {
  const groups = completed(asked).map(about);
  const scripts = (early: boolean) =>
    groups.filter((group) => (group.early ?? false) === early).map(({ script = "" }) => script);
  const files = [FILES, ...groups.flatMap(({ files = [] }) => files)];
  const parts = [head, ...scripts(true), places, `grep -aH '' ${files.join(" ")}\n`, base, ...scripts(false)];
  return compact(`${parts.join("")}${machineScript}o end ok\n`);
}
