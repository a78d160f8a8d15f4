#!/bin/sh
# Runs build.sh in a root file system of a host's Debian release on this machine: natively, with a cross compiler, or
# emulated. Stands alone, as root or as any user; leaves nothing running and nothing mounted. See docs/build-local.md.
set -eu
umask 022
LC_ALL=C
export LC_ALL

# Raised when roots have to be made in another way.
FORMAT=1
# Days after which a root is made anew: compilers and libraries get security updates.
ROOT_DAYS=7
# 300 to 700 MB each; the one that was used least recently goes.
ROOTS_KEPT=4
# What a new root needs while it is made.
NEED_MB=1500

EXIT_USAGE=2

usage() {
	cat <<'EOF'
Usage: build-local.sh --system "debian RELEASE" --userland ARCH/LEVEL --sources DIR --prefix DIR --artifact FILE [options]

  --system "ID RELEASE"   the host's distribution: "debian bookworm", "debian trixie"
  --userland ARCH/LEVEL   what its programs are compiled for: amd64/x86-64, arm64/armv8-a, armhf/armv7-a, armel/armv5te
  --sources, --prefix, --sums, --profile, --jobs, --with-vts, --opt, --patches
                          as those of build.sh, which lies beside this script; --sums - reads standard input
  --artifact FILE         where the result goes: NAME.tar.gz, and beside it NAME.json, which describes it
  --method NAME           auto (default: the fastest one that makes the host's own bytes), native, cross or emulated
  --packages "NAME..."    what the compile needs (default: what the debian profile needs)
  --suites "NAME..."      suites of Debian's archive (default: RELEASE RELEASE-updates RELEASE-security)
  --mirror URL            of Debian's archive (default: http://deb.debian.org/debian); the security archive is URL-security
  --roots DIR             where root file systems are kept (default: $XDG_CACHE_HOME/edge-setup/roots)
  --check                 say whether this machine can do it, and stop
  --help                  this text

Lines on stdout are those of build.sh. Exit codes too: 2 also where this machine cannot compile for such a host.
EOF
}

step() { printf '@@step %s\n' "$*"; }
die() {
	status=$1
	shift
	printf 'build-local.sh: %s\n' "$*" >&2
	exit "$status"
}
refuse() { die $EXIT_USAGE "$1; compile it on a host of that kind (build_on: HOST, or without build_on on the host itself)"; }

system='' userland='' method=auto suites='' mirror=http://deb.debian.org/debian check=no artifact=''
packages='gcc make libc6-dev libpcre2-dev libssl-dev zlib1g-dev patch xz-utils libxml2'
sources='' prefix='' sums=''
roots=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/edge-setup/roots
here=$(cd "$(dirname "$0")" && pwd)
patches=$here/patches
# For build.sh, one argument a line.
passed=''

parse_arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--check) check=yes ;;
		--system | --userland | --sources | --prefix | --sums | --artifact | --method | --packages | --suites | --mirror | --roots | --patches | \
			--profile | --jobs | --with-vts | --opt)
			[ $# -ge 2 ] || die $EXIT_USAGE "$1 needs a value"
			case $1 in
			--system) system=$2 ;;
			--userland) userland=$2 ;;
			--sources) sources=$2 ;;
			--prefix) prefix=${2%/} ;;
			--sums) sums=$2 ;;
			--artifact) artifact=$2 ;;
			--method) method=$2 ;;
			--packages) packages=$2 ;;
			--suites) suites=$2 ;;
			--mirror) mirror=${2%/} ;;
			--roots) roots=$2 ;;
			--patches) patches=$2 ;;
			*) passed="$passed $1 $2" ;;
			esac
			shift
			;;
		*) die $EXIT_USAGE "unknown argument '$1'; --help lists them" ;;
		esac
		shift
	done
	[ -n "$system" ] || die $EXIT_USAGE "--system is missing"
	[ -n "$userland" ] || die $EXIT_USAGE "--userland is missing"
	case $method in auto | native | cross | emulated) ;; *) die $EXIT_USAGE "--method is 'auto', 'native', 'cross' or 'emulated', not '$method'" ;; esac
	case $passed in *[!A-Za-z0-9\ _-]*) die $EXIT_USAGE "'$passed' has characters that no option of build.sh takes" ;; esac
	[ $check = no ] || return 0
	[ -d "$sources" ] || die $EXIT_USAGE "the source directory '$sources' does not exist"
	case $prefix in /*/*) ;; *) die $EXIT_USAGE "--prefix is an absolute path below a directory, not '$prefix'" ;; esac
	case $artifact in /*.tar.gz) ;; *) die $EXIT_USAGE "--artifact is an absolute path that ends in .tar.gz, not '$artifact'" ;; esac
	case $roots in /*) ;; *) die $EXIT_USAGE "--roots is an absolute path, not '$roots'" ;; esac
}

# --- what can be done here -------------------------------------------------------------------------------------------

# Sets arch and triplet of the host.
choose_target() {
	release=${system#debian }
	[ "$release" != "$system" ] || refuse "there is a root file system of Debian's releases alone here, and the host is $system"
	arch=${userland%%/*}
	case $userland in
	amd64/x86-64) triplet=x86_64-linux-gnu ;;
	arm64/armv8-a) triplet=aarch64-linux-gnu ;;
	armhf/armv7-a) triplet=arm-linux-gnueabihf ;;
	armel/armv5te) triplet=arm-linux-gnueabi ;;
	# Neither Debian's compilers nor its libraries are fit for an ARMv6 (a Pi Zero or 1 says "Illegal instruction").
	armhf/armv6) refuse "Debian's armhf is for ARMv7, the host's Raspberry Pi OS for ARMv6: what Debian's compiler and libraries make does not run there" ;;
	*) refuse "nothing is known of programs for $userland here" ;;
	esac
	suites=${suites:-$release $release-updates $release-security}
}

# One message for all that is missing, before anything is made.
check_machine() {
	{ [ "$(uname -s)" = Linux ] && command -v dpkg && command -v apt-get; } >/dev/null 2>&1 ||
		refuse "a root file system is made by Debian's own tools (mmdebstrap, apt), which this machine does not have"
	own_arch=$(dpkg --print-architecture)
	missing=''
	command -v mmdebstrap >/dev/null 2>&1 || missing="$missing mmdebstrap"
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
	for tool in unshare setpriv flock; do command -v $tool >/dev/null 2>&1 || missing="$missing util-linux"; done
	if [ "$arch" != "$own_arch" ]; then
		command -v arch-test >/dev/null 2>&1 || missing="$missing arch-test"
		# By itself, or by QEMU.
		arch-test "$arch" >/dev/null 2>&1 || missing="$missing qemu-user-static binfmt-support"
	fi
	# In a user's name mmdebstrap needs a range of user ids.
	[ "$(id -u)" = 0 ] || command -v newuidmap >/dev/null 2>&1 || missing="$missing uidmap"
	[ -z "$missing" ] ||
		die $EXIT_USAGE "to compile for $system $arch here: sudo apt-get install$missing"
	[ "$(id -u)" = 0 ] || grep -qs "^$(id -un):" /etc/subuid ||
		die $EXIT_USAGE "$(id -un) has no range of user ids: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
	# shellcheck disable=SC2046 # words
	{ unshare $(namespaces) true && unshare $(making) true; } 2>/dev/null ||
		die $EXIT_USAGE "namespaces cannot be made here (in a container, by kernel.apparmor_restrict_unprivileged_userns, or with util-linux before 2.38): run it as root, or elsewhere"
}

choose_method() {
	if [ "$arch" = "$own_arch" ]; then
		[ "$method" = auto ] || [ "$method" = native ] || refuse "this machine runs programs of $arch itself; --method $method is for others"
		method=native
	else
		[ "$method" != native ] || refuse "this machine does not run programs of $arch itself"
		case $release/$arch/$method in
		# The native GCC 12.2.0-14+deb12u1 has the correction of CVE-2023-4039 (stack protection of AArch64), the cross one has not.
		bookworm/arm64/auto) method=emulated ;;
		bookworm/arm64/cross) die $EXIT_USAGE "the cross compiler of bookworm protects the stack of arm64 less than the host's own (CVE-2023-4039); use --method emulated" ;;
		*/auto) method=cross ;;
		esac
	fi
}

# --- in a root file system --------------------------------------------------------------------------------------------

# Of our own: mounts and processes go with the first process in them. No network. A user is root in them, and nobody outside.
namespaces() {
	printf '%s' "--mount --pid --ipc --uts --net --fork --kill-child"
	[ "$(id -u)" = 0 ] || printf ' %s' "--user --map-root-user"
}

# The same for making a root: with the network, and as a user with a range of ids.
making() {
	printf '%s' "--mount --pid --fork --kill-child --mount-proc"
	[ "$(id -u)" = 0 ] || printf ' %s' "--user --map-root-user --map-auto"
}

# wait_for COMMAND...: in the background, so that a signal is taken at once; dies with this script, however that dies.
wait_for() {
	setpriv --pdeathsig KILL "$@" &
	child=$!
	status=0
	wait "$child" || status=$?
	child=''
	return "$status"
}

# What the first process in the namespaces does: the root is read-only but for what this run brings. It stays what it is and does not
# become the command: a change of user would let it live on when its parent dies.
# shellcheck disable=SC2016 # for the sh that runs it
ENTER='set -eu
root=$1 scratch=$2 builds=$3 as=$4
shift 4
mount --bind "$root" "$root"
for node in null zero random urandom; do mount --bind "/dev/$node" "$root/dev/$node"; done
mount -t proc proc "$root/proc"
mount --bind "$scratch" "$root/edge/run"
mount --bind "$scratch/tmp" "$root/tmp"
mount --bind "$scratch/builds" "$root$builds"
mount -o remount,bind,ro "$root"
status=0
$as "$root" "$@" || status=$?
exit "$status"'

# in_root COMMAND...: as nobody. NGINX's own test would give files to others if it were root, and a user's namespace has no others.
in_root() {
	as="chroot --userspec=65534:65534"
	[ "$(id -u)" = 0 ] || as="unshare --user --map-user=65534 --map-group=65534 --keep-caps chroot"
	# shellcheck disable=SC2046 # words
	wait_for unshare $(namespaces) sh -c "$ENTER" sh "$root" "$scratch" "${prefix%/*}" "$as" \
		/usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/nonexistent EDGE_BUILD_ARCH="$arch" "$@"
}

# --- root file systems -----------------------------------------------------------------------------------------------

# The name tells all that a root depends on.
choose_root() {
	kind=$(printf '%s\n' "$FORMAT" "$packages" "$suites" "$mirror" | sha256sum | cut -c1-8)
	name=$release-$arch-$method-$kind
	root=$roots/$name
}

# A directory for this run alone. Those of runs that were killed go: nobody holds their lock, or they have had none for a minute.
make_scratch() {
	mkdir -p "$roots"
	for old in "$roots"/.run.*; do
		[ -d "$old" ] || continue
		if [ -f "$old/lock" ]; then flock -n "$old/lock" true || continue; else [ -n "$(find "$old" -maxdepth 0 -mmin +1)" ] || continue; fi
		remove "$old"
	done
	scratch=$(mktemp -d "$roots/.run.XXXXXX")
	exec 6>"$scratch/lock"
	flock 6
	mkdir "$scratch/new" "$scratch/sources" "$scratch/build" "$scratch/tmp" "$scratch/builds" "$scratch/artifact"
	chmod 755 "$scratch"
	[ "$(id -u)" != 0 ] || chown 65534:65534 "$scratch/build" "$scratch/tmp" "$scratch/builds" "$scratch/artifact"
}

# What mmdebstrap was making belongs to all ids of a user's range.
remove() {
	if [ "$(id -u)" = 0 ]; then rm -rf "$1"; else unshare --user --map-root-user --map-auto rm -rf "$1"; fi
}

# Several builds use a root at once; who makes or removes it does so alone.
ensure_root() {
	exec 7>>"$root.lock"
	flock 7
	touch "$root.lock"
	if is_good; then
		step "root file system $name"
	else
		remove "$root"
		make_room
		make_root
		is_good || die 1 "the compiler of the new root file system $root does not answer"
	fi
	flock -s 7
}

is_good() {
	[ -f "$root/edge/made" ] && [ -z "$(find "$root/edge/made" -mtime "+$ROOT_DAYS")" ] || return 1
	mkdir -p "$root${prefix%/*}"
	[ "$(in_root cc -dumpmachine)" = "$triplet" ]
}

make_room() {
	kept=0
	# shellcheck disable=SC2012 # names of ours
	ls -t "$roots" | while read -r lock; do
		case $lock in *.lock) kept=$((kept + 1)) ;; *) continue ;; esac
		[ "$kept" -gt "$ROOTS_KEPT" ] || continue
		if flock -n "$roots/$lock" true; then
			remove "$roots/${lock%.lock}"
			rm -f "$roots/$lock"
		fi
	done
	free_mb=$(df -Pk "$roots" | awk 'NR == 2 { print int($4 / 1024) }')
	[ "$free_mb" -ge "$NEED_MB" ] || die 1 "$roots has $free_mb MB free and a root file system needs $NEED_MB MB; free some space or give another --roots"
}

# With a cross compiler the tools are this machine's, and all else the host's.
root_packages() {
	for package in $packages; do
		case $method/$package in
		cross/gcc) echo "gcc-$triplet" | tr _ - ;;
		cross/make | cross/patch | cross/xz-utils) echo "$package" ;;
		cross/*) echo "$package:$arch" ;;
		*) echo "$package" ;;
		esac
	done | paste -s -d, -
}

archive_lines() {
	for suite in $suites; do
		case $suite in
		*-security) echo "deb $mirror-security $suite main" ;;
		*) echo "deb $mirror $suite main" ;;
		esac
	done
}

# How this machine reaches the archive, it reaches it for a root.
apt_settings() {
	echo 'Acquire::Languages "none";'
	apt-config dump | grep -E '^Acquire::(https?::(Proxy|Timeout)|Check-Valid-Until|Check-Date|Retries|ForceIPv4)' | grep -v '"";$' || :
}

make_root() {
	step "making the root file system $name (once)"
	archive_lines >"$scratch/sources.list"
	apt_settings >"$scratch/apt.conf"
	architectures=$arch
	[ "$method" != cross ] || architectures=$own_arch,$arch
	# shellcheck disable=SC2016,SC2046 # for mmdebstrap's shell; words
	TMPDIR=$scratch/tmp wait_for unshare $(making) mmdebstrap --mode=root --quiet --variant=essential --format=tar \
		--architectures="$architectures" --aptopt="$scratch/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(root_packages)" --customize-hook='mkdir "$1/edge"' \
		--customize-hook="cd \"\$1/edge\" && APT_CONFIG=\"\$MMDEBSTRAP_APT_CONFIG\" apt-get -qq download libnginx-mod-http-js:$arch || :" \
		"$release" "$scratch/root.tar" "$scratch/sources.list" >"$scratch/log" 2>&1 || {
		tail -n 15 "$scratch/log" >&2
		die 1 "mmdebstrap made no root file system of $system for $arch"
	}
	tar -xf "$scratch/root.tar" -C "$scratch/new" --no-same-owner --exclude='./dev/*'
	rm "$scratch/root.tar"
	finish_root "$scratch/new"
	mv "$scratch/new" "$root"
}

# What nodes and directories are mounted upon; a cross compiler by the names that build.sh calls.
finish_root() {
	mkdir -p "$1/edge/run"
	for node in null zero random urandom; do : >"$1/dev/$node"; done
	if [ "$method" = cross ]; then
		for tool in gcc ar strip; do ln -s "/usr/bin/$triplet-$tool" "$1/usr/local/bin/$tool"; done
		ln -s gcc "$1/usr/local/bin/cc"
	fi
	: >"$1/edge/made"
}

# --- the build -------------------------------------------------------------------------------------------------------

bring() {
	if [ -n "$sums" ]; then
		cat "$([ "$sums" = - ] && echo /dev/stdin || echo "$sums")" >"$scratch/sources/SHA256SUMS"
	elif [ -f "$sources/SHA256SUMS" ]; then
		cp "$sources/SHA256SUMS" "$scratch/sources/"
	fi
	if [ -f "$scratch/sources/SHA256SUMS" ]; then
		sed -n 's/^[0-9a-fA-F]\{64\} [ *]\(tar:\)\{0,1\}//p' "$scratch/sources/SHA256SUMS"
	else
		ls "$sources"
	fi | while read -r file; do cp "$sources/$file" "$scratch/sources/"; done
	bring_njs
	cp "$here/build.sh" "$scratch/"
	mkdir "$scratch/patches"
	find "$patches" -maxdepth 1 -name '*.patch' -exec cp {} "$scratch/patches/" \;
	chmod -R a+rX "$scratch/sources" "$scratch/patches" "$scratch/build.sh"
}

# Debian's NJS, which apt verified when the root was made; where there are hashes, build.sh takes nothing without one.
bring_njs() {
	for deb in "$scratch/sources"/*.deb; do [ ! -f "$deb" ] || return 0; done
	for deb in "$root/edge"/*.deb; do
		[ -f "$deb" ] || continue
		cp "$deb" "$scratch/sources/"
		[ ! -f "$scratch/sources/SHA256SUMS" ] || (cd "$root/edge" && sha256sum "${deb##*/}") >>"$scratch/sources/SHA256SUMS"
	done
}

build() {
	# shellcheck disable=SC2086 # words without spaces, checked above
	in_root sh /edge/run/build.sh $passed --system "$system" --userland "$userland" --sources /edge/run/sources --patches /edge/run/patches \
		--prefix "$prefix" --work /edge/run/build --artifact "/edge/run/artifact/build.tar.gz"
}

# The description comes last: where it is, its archive is whole.
hand_over() {
	mkdir -p "${artifact%/*}"
	rm -f "${artifact%.tar.gz}.json"
	for part in tar.gz json; do
		cp "$scratch/artifact/build.$part" "$artifact.$$.part"
		mv "$artifact.$$.part" "${artifact%.tar.gz}.$part"
	done
}

# Ends the first process in the namespaces, if there is one yet: when that one has ended, all others have.
stop() {
	trap '' INT TERM HUP
	if [ -n "$child" ]; then
		first=$(cat "/proc/$child/task/$child/children" 2>/dev/null) || first=''
		# shellcheck disable=SC2086 # one, or none
		kill -KILL ${first:-$child} 2>/dev/null || :
		wait "$child" || :
	fi
	exit "$1"
}

main() {
	parse_arguments "$@"
	choose_target
	check_machine
	choose_method
	if [ "$check" = yes ]; then
		echo "$system $userland: $method"
		exit 0
	fi
	choose_root
	child='' scratch=''
	trap '[ -z "$scratch" ] || remove "$scratch"' EXIT
	trap 'stop 130' INT
	trap 'stop 143' TERM HUP
	make_scratch
	ensure_root
	bring
	build
	hand_over
}

main "$@"
