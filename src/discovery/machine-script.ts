import { sh } from "../modules/sh.js";

/**
 * Part of programs that look at a host, of few bytes and processes: where its root lies (the block device's folder in
 * /sys, `rotational` and, of mmc, `SD` or `MMC`), and whether a Raspberry Pi is slowed down. The program around it has
 * `o NAME VALUE`, and discards errors.
 */
export const machineScript = sh`
_r=
while read -r _ _ _v _ _x _; do if [ "$_x" = / ]; then _r=$_v; fi; done </proc/self/mountinfo
_r=$(readlink -f "/sys/dev/block/$_r")
for _x in "$_r"/slaves/*; do if [ -e "$_x" ]; then _r=$(readlink -f "$_x"); fi; done
o root_device "$_r"
for _x in "$_r" "$\{_r%/*}"; do
  if [ -r "$_x/queue/rotational" ]; then
    read -r _v <"$_x/queue/rotational"
    o root_rotational "$_v"
    _v=
    read -r _v <"$_x/device/type"
    o root_type "$_v"
  fi
done
if command -v vcgencmd >/dev/null; then o throttled "$(vcgencmd get_throttled)"; else
  for _x in /sys/devices/platform/soc*/soc*:firmware/get_throttled; do
    if [ -r "$_x" ]; then read -r _v <"$_x"; o throttled "0x$_v"; fi
  done
fi
`;
