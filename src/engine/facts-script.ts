import { sh } from "../modules/sh.js";

/**
 * Gathers facts in one go, as the user who logs in: lines of 0x1e, a name, a tab, a value. Only reads; each source may
 * be missing.
 */
export const factsScript = sh`
LC_ALL=C
PATH=$\{PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
o() { printf '\036%s\t%s\n' "$1" "$2"; }
f() { if [ -r "$2" ]; then IFS= read -r _v <"$2"; o "$1" "$_v"; fi; }
o uname "$(uname -s -r -m)"
o nodename "$(uname -n)"
o kernel_version "$(uname -v)"
o ids "$(id -u) $(id -g) $(id -un)"
o date "$(date '+%s %Y-%m-%d %H:%M:%S %Z %z')"
if [ -r /etc/os-release ]; then
  while IFS= read -r _v; do o os "$_v"; done </etc/os-release
fi
f debian_version /etc/debian_version
f machine_id /etc/machine-id
f init /proc/1/comm
f uptime /proc/uptime
if [ -r /proc/device-tree/model ]; then o board "$(tr -d '\000' </proc/device-tree/model)"; fi
f product_name /sys/class/dmi/id/product_name
f system_vendor /sys/class/dmi/id/sys_vendor
if [ -d /run/systemd/system ]; then o systemd yes; fi
for _c in apt dpkg sudo flock systemctl systemd-run curl wget tar gzip dnf apk pacman zypper; do
  if command -v "$_c" >/dev/null 2>&1; then o has "$_c"; fi
done
if command -v dpkg >/dev/null 2>&1; then o dpkg_arch "$(dpkg --print-architecture)"; fi
o bits "$(getconf LONG_BIT 2>/dev/null)"
o nproc "$(nproc 2>/dev/null)"
while read -r _k _v _u; do
  case $_k in MemTotal: | MemFree: | MemAvailable: | Buffers: | Cached: | SwapTotal: | SwapFree: | SwapCached:) o mem "$_k$_v" ;; esac
done </proc/meminfo
grep -E '^(processor|physical id|cpu cores|siblings|model name|Model|Hardware|Revision)[[:space:]]*:' /proc/cpuinfo 2>/dev/null |
  while IFS= read -r _v; do o cpu "$_v"; done
if command -v ip >/dev/null 2>&1; then
  o route4 "$(ip -4 route get 8.8.8.8 2>/dev/null | head -n 1)"
  o route6 "$(ip -6 route get 2404:6800:400a:800::1012 2>/dev/null | head -n 1)"
  ip -o addr show 2>/dev/null | while IFS= read -r _v; do o addr "$_v"; done
fi
df -lPkT 2>/dev/null | while IFS= read -r _v; do o df "$_v"; done
while read -r _d _m _t _p _r; do
  case $_d in /*) o mount "$_d $_m $_t $_p" ;; esac
done </proc/self/mounts
o fqdn "$(hostname -f 2>/dev/null || uname -n)"
if command -v systemd-detect-virt >/dev/null 2>&1; then o virt "$(systemd-detect-virt 2>/dev/null)"; fi
for _v in HOME USER LOGNAME SHELL LANG PATH PWD TERM; do eval "_x=\$\{$_v-}"; if [ -n "$_x" ]; then o env "$_v=$_x"; fi; done
o end ok
`;
