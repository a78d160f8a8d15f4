#!/bin/sh
# Memory for a compiler on a host that has too little: swap for the time of a build, used by build.sh where it lies beside it.
#
#   swap.sh on NEED_MB AVAILABLE_MB SWAP DIR   SWAP: auto, off, or a size such as 512M
#   swap.sh off DIR                            removes it
#
# auto: only where NEED_MB is more than there is. Compressed memory (zram) where the kernel has it, else a file in DIR where
# there is room for one. What is made is noted in DIR first, so that what a kill or a power cut left is removed by the next run.
# Never fails: a build without it is slow, or ends with the compiler's own words.
set -eu
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

# MB that stay free on the disk beside a swap file: what the build itself takes, and what a nearly full card needs.
KEEP_FREE_MB=400
# Smaller is not worth it.
LEAST_MB=128

say() { printf 'swap: %s\n' "$*"; }

# EDGE_SWAP_MEMINFO and EDGE_SWAP_SYS stand in for the host in tests.
memory() { awk -v key="$1:" '$1 == key { print int($2 / 1024) }' "${EDGE_SWAP_MEMINFO:-/proc/meminfo}"; }
sys=${EDGE_SWAP_SYS:-/sys}

# "DEVICE PID" of what is in use, and by whom.
note_in() { printf '%s/swap.note' "$1"; }

off() {
	note=$(note_in "$1")
	[ -f "$note" ] || return 0
	read -r device owner <"$note" || :
	# Another build's, which goes on.
	[ -z "${owner:-}" ] || [ "$owner" = "$PPID" ] || ! [ -d "/proc/$owner" ] || return 0
	case ${device:-} in
	/dev/zram[0-9]*)
		swapoff "$device" 2>/dev/null || :
		{ echo "${device#/dev/zram}" >"$sys/class/zram-control/hot_remove"; } 2>/dev/null || :
		;;
	/*)
		swapoff "$device" 2>/dev/null || :
		rm -f "$device"
		;;
	esac
	rm -f "$note"
	[ -z "${device:-}" ] || say "removed $device"
}

# How many MB are wanted, by the setting; 0 for none.
wanted() {
	case $3 in
	off) echo 0 ;;
	auto)
		lacking=$(($1 - $2 - $(memory SwapFree)))
		if [ "$lacking" -le 0 ]; then
			echo 0
		elif [ "$lacking" -lt $LEAST_MB ]; then
			echo $LEAST_MB
		else
			echo "$lacking"
		fi
		;;
	*[Gg]) echo $((${3%[Gg]} * 1024)) ;;
	*[Mm]) echo "${3%[Mm]}" ;;
	*) echo "$3" ;;
	esac
}

zram() {
	[ -e "$sys/class/zram-control/hot_add" ] || modprobe zram 2>/dev/null || return 1
	# A container sees the control of the host's devices, reading which makes one, and may not set it up.
	[ -w "$sys/class/zram-control/hot_remove" ] || return 1
	number=$(cat "$sys/class/zram-control/hot_add" 2>/dev/null) || return 1
	echo "/dev/zram$number $PPID" >"$note"
	{ echo "${1}M" >"$sys/block/zram$number/disksize"; } 2>/dev/null && mkswap "/dev/zram$number" >/dev/null 2>&1 &&
		swapon -p 100 "/dev/zram$number" 2>/dev/null || return 1
	say "$1 MB of compressed memory (zram) for the time of the build"
}

file() {
	free_mb=$(df -Pk "$dir" | awk 'NR == 2 { print int($4 / 1024) }')
	if [ "$free_mb" -lt $(($1 + KEEP_FREE_MB)) ]; then
		say "no room for a swap file of $1 MB in $dir, which has $free_mb MB free"
		return 1
	fi
	echo "$dir/swap $PPID" >"$note"
	# Written, not set aside: a file with holes is no swap.
	( umask 077 && dd if=/dev/zero of="$dir/swap" bs=1048576 count="$1" 2>/dev/null ) &&
		mkswap "$dir/swap" >/dev/null 2>&1 && swapon "$dir/swap" 2>/dev/null || return 1
	say "$1 MB of swap on the disk for the time of the build"
}

on() {
	dir=$4
	note=$(note_in "$dir")
	off "$dir"
	[ ! -f "$note" ] || return 0
	size=$(wanted "$1" "$2" "$3")
	[ "$size" -gt 0 ] || return 0
	for way in zram file; do
		if "$way" "$size"; then return 0; fi
		off "$dir" >/dev/null
	done
	say "this host takes no swap; the compiler may run out of memory"
}

case ${1-} in
on) [ $# = 5 ] && shift && on "$@" ;;
off) [ $# = 2 ] && off "$2" ;;
*)
	echo "usage: swap.sh on NEED_MB AVAILABLE_MB auto|off|SIZE DIR, swap.sh off DIR" >&2
	exit 2
	;;
esac
