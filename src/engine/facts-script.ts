import { machineScript } from "../discovery/machine-script.js";
import { sh } from "../modules/sh.js";

const ownScript = sh`
LC_ALL=C
PATH=$\{PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
exec 2>/dev/null
o() { printf '\036%s\t%s\n' "$1" "$2"; }
h() { command -v "$1" >/dev/null; }
o uname "$(uname -snrvm)"
o id "$(id)"
o date "$(date '+%s %Y-%m-%d %H:%M:%S %Z %z %A %w %W %N')"
o files
grep -aH '' /etc/os-release /etc/debian_version /etc/machine-id /proc/1/comm /proc/uptime /proc/self/mounts \
  /proc/device-tree/model /sys/class/dmi/id/product_name /sys/class/dmi/id/sys_vendor /etc/resolv.conf /proc/cmdline \
  /sys/class/net/*/address /sys/class/net/*/mtu
grep -aHE '^(proces|vendor|phys|cpu c|CPU p|sibl|model n|Mem|Buf|Cach|Swap)' /proc/cpuinfo /proc/meminfo
if [ -d /run/systemd/system ]; then o systemd yes; fi
for _c in apt dpkg sudo flock systemctl systemd-run curl wget tar gzip dnf apk pacman zypper; do
  if h "$_c"; then o has "$_c"; fi
done
if h dpkg; then o dpkg_arch "$(dpkg --print-architecture)"; else o bits "$(getconf LONG_BIT)"; fi
o nproc "$(nproc)"
for _b in /opt/edge/builds/*/.complete; do if [ -f "$_b" ]; then o build "$_b"; fi; done
if h ip; then
  o route4 "$(ip -4 route get 8.8.8.8)"
  o route6 "$(ip -6 route get 2404:6800:400a:800::1012)"
  o addr
  ip -o addr show
fi
o df
df -lPkT
o libraries
awk '/^Package: (libc6|libssl3(t64)?|libpcre2-8-0|zlib1g)$/{p=$2} p&&/^Version:/{print p,$2;p=""} /^Provides:.*nginx-abi/' /var/lib/dpkg/status
o fqdn "$(hostname -f)"
if h systemd-detect-virt; then o virt "$(systemd-detect-virt)"; fi
for _v in HOME USER LOGNAME SHELL LANG PATH PWD TERM; do eval "_x=\$\{$_v-}"; if [ -n "$_x" ]; then o env "$_v=$_x"; fi; done
`;

/**
 * Gathers facts in one go, as the user who logs in: lines of 0x1e, a name, a tab, a value; what a command prints stands
 * behind such a line, and lines of files behind the file's name. Only reads; each source may be missing. Most of its
 * time are processes, so it has few of them, and the controller picks out what it needs.
 */
export const factsScript = `${ownScript}${machineScript}o end ok\n`;
