import { sh } from "../modules/sh.js";
import { machineScript } from "./machine-script.js";

const lookScript = sh`
LC_ALL=C
PATH=$\{PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
exec 2>/dev/null
o() { printf '%s\t%s\n' "$1" "$2"; }
o clock "$(date +%s%3N)"
o model "$(tr -d '\000' </proc/device-tree/model)"
o product "$(cat /sys/class/dmi/id/product_name)"
o machine "$(uname -m)"
o arch "$(dpkg --print-architecture)"
if [ -r /etc/os-release ]; then . /etc/os-release; fi
o id "$\{ID-}"
o version "$\{VERSION_ID-}"
o name "$\{NAME-}"
o point "$(cat /etc/debian_version)"
o cores "$(nproc)"
while read -r _k _v _; do case $_k in MemTotal:) o total "$_v";; MemAvailable:) o available "$_v";; SwapTotal:) o swap "$_v";; esac; done </proc/meminfo
df -Pk / | { read -r _; read -r _ _ _ _f _; o free "$_f"; }
o parts "$(sed -n 's/^CPU part[^:]*: //p' /proc/cpuinfo | sort -u | tr '\n' ' ')"
o uid "$(id -u)"
if command -v sudo >/dev/null; then if sudo -n true </dev/null; then o sudo free; else o sudo asks; fi; fi
o addresses "$(hostname -I)"
if [ -d /run/systemd/system ]; then o systemd yes; fi
`;

/**
 * What a wizard shows of a host: lines of a name, a tab, a value. Only reads; each source may be missing. Run as the user
 * who logs in, so that `sudo -n` tells what that user may do.
 */
export const portraitScript = `${lookScript}${machineScript}o end ok\n`;
