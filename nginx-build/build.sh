#!/bin/sh
# Compiles NGINX with the RTMP, NJS and VTS modules from pinned sources into one directory. Stands alone: needs a C
# compiler, make, the development files of PCRE2, OpenSSL and zlib, and nothing from the network except, in the profiles
# debian and packages, apt. See docs/build.md.
set -eu
umask 022
# Command output is parsed below; messages and sorting must not depend on the operator's language.
LC_ALL=C
export LC_ALL
# What else of the caller's environment would get into the result.
unset CC CFLAGS CPPFLAGS LDFLAGS CPATH C_INCLUDE_PATH LIBRARY_PATH LD_RUN_PATH COMPILER_PATH GCC_EXEC_PREFIX MAKEFLAGS NJS_OPENSSL

# Raised when the recipe changes in a way that makes old objects useless.
RECIPE=1
# MB kept for the rest of the system, and what one compiler process may take: the largest translation unit was measured
# at 74 MB on 64-bit and 54 MB on 32-bit hosts with -O1 -g0 (docs/build.md).
RESERVE_MB=100
PER_JOB_MB_64=100
PER_JOB_MB_32=70
# Sources unpacked, objects and the result: 60 MB measured; the rest is what a nearly full card needs to stay usable.
NEED_MB=200

EXIT_USAGE=2

usage() {
	cat <<'EOF'
Usage: build.sh --sources DIR --prefix DIR [options]

  --profile NAME     upstream (default): NGINX, RTMP, NJS and VTS compiled in.
                     debian:   Debian's NGINX source with its patches, RTMP compiled in, NJS as Debian's dynamic module.
                     packages: modules for the NGINX that apt installed, which with its NJS and stream is what runs.
  --sources DIR      holds the source archives; where DIR/SHA256SUMS exists, only files listed there are used, verified
  --prefix DIR       where the result goes; appears there complete or not at all
  --sums FILE        hashes of the sources, in place of DIR/SHA256SUMS
  --patches DIR      our own patches: rtmp-*.patch, or flv-*.patch for nginx-http-flv-module (default: the directory "patches" beside this script, where there is one)
  --work DIR         where to compile (default: PREFIX.work); kept after a failure or an interruption, and resumed
  --jobs N|auto      compilers at once (default auto, also 0: by processors and free memory)
  --with-vts yes|no|auto  default auto: when its source is there (in the upstream profile it has to be there)
  --with-rtmp yes|no  default yes; no: in the profile packages, RTMP is that of its package too
  --nginx-abi TEXT   in the profile packages, refuse another NGINX than one of this nginx-abi, such as 1.26.3-1
  --opt O1|O2        optimisation (default O1)
  --swap auto|off|SIZE  swap for the time of the build (default auto: where memory is too little for one compiler); needs root
  --system TEXT      refuse to compile on another system than this one, such as "debian bookworm"
  --userland TEXT    refuse to compile for another userland than this one, such as "armhf/armv7-a"
  --artifact FILE    pack the result into FILE (NAME.tar.gz, the same bytes each time) for hosts of the same kind; what it is goes to
                     NAME.json, what it took to NAME.log.json
  --keep-work        do not remove the work directory after success
  --list             print what would be built from which files with how many jobs, and stop
  --help             this text

Lines "@@step NAME" and "@@progress DONE TOTAL FILE" on stdout tell how far it is. Everything else goes to WORK/build.log.
Exit codes: 0 built (or already there), 1 failed, 2 wrong usage or a source missing or wrong, 130/143 interrupted.
EOF
}

say() { printf '%s\n' "$@"; }
step() { printf '@@step %s\n' "$*"; }
die() {
	status=$1
	shift
	printf 'build.sh: %s\n' "$*" >&2
	exit "$status"
}

profile=upstream sources='' prefix='' work='' jobs=auto with_vts=auto with_rtmp=yes nginx_abi='' opt=O1 keep_work=no list=no
sums='' system='' userland='' artifact='' swap=auto
own_patches=$(dirname "$0")/patches
own_swap=$(dirname "$0")/swap.sh

parse_arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--list) list=yes ;;
		--keep-work) keep_work=yes ;;
		--profile | --sources | --prefix | --patches | --work | --jobs | --with-vts | --with-rtmp | --nginx-abi | --opt | --swap | --sums | --system | --userland | --artifact)
			[ $# -ge 2 ] || die $EXIT_USAGE "$1 needs a value"
			case $1 in
			--profile) profile=$2 ;;
			--sources) sources=$2 ;;
			--prefix) prefix=$2 ;;
			--patches) own_patches=$2 ;;
			--work) work=$2 ;;
			--jobs) jobs=$2 ;;
			--with-vts) with_vts=$2 ;;
			--with-rtmp) with_rtmp=$2 ;;
			--nginx-abi) nginx_abi=$2 ;;
			--opt) opt=$2 ;;
			--swap) swap=$2 ;;
			--sums) sums=$2 ;;
			--system) system=$2 ;;
			--userland) userland=$2 ;;
			--artifact) artifact=$2 ;;
			esac
			shift
			;;
		*) die $EXIT_USAGE "unknown argument '$1'; --help lists them" ;;
		esac
		shift
	done
	case $profile in upstream | debian | packages) ;; *) die $EXIT_USAGE "--profile is 'upstream', 'debian' or 'packages', not '$profile'" ;; esac
	[ -n "$sources" ] || die $EXIT_USAGE "--sources is missing"
	[ -n "$prefix" ] || [ "$list" = yes ] || die $EXIT_USAGE "--prefix is missing"
	prefix=${prefix:-/opt/edge/builds/unnamed}
	prefix=${prefix%/}
	work=${work:-$prefix.work}
	sums=${sums:-$sources/SHA256SUMS}
	for dir in "$sources" "$prefix" "$work"; do
		# nginx's configure and makefiles do not quote paths.
		case $dir in
		/*) ;;
		*) die $EXIT_USAGE "'$dir' is not an absolute path" ;;
		esac
		case $dir in *[!A-Za-z0-9_./+~-]*) die $EXIT_USAGE "'$dir' has characters that NGINX's makefiles cannot take" ;; esac
	done
	case $own_patches in /*) ;; *) own_patches=$PWD/$own_patches ;; esac
	case $own_swap in /*) ;; *) own_swap=$PWD/$own_swap ;; esac
	case ${swap%[MmGg]} in auto | off) ;; '' | *[!0-9]*) die $EXIT_USAGE "--swap is 'auto', 'off' or a size such as 512M, not '$swap'" ;; esac
	case $jobs in auto) ;; 0) jobs=auto ;; '' | *[!0-9]*) die $EXIT_USAGE "--jobs is a number or 'auto', not '$jobs'" ;; esac
	case $with_vts in yes | no | auto) ;; *) die $EXIT_USAGE "--with-vts is 'yes', 'no' or 'auto', not '$with_vts'" ;; esac
	case $artifact in '' | /*.tar.gz) ;; *) die $EXIT_USAGE "--artifact is an absolute path that ends in .tar.gz, not '$artifact'" ;; esac
	case $profile/$with_rtmp in */yes | packages/no) ;; *) die $EXIT_USAGE "--with-rtmp is 'yes', or 'no' with --profile packages, not '$with_rtmp'" ;; esac
	case $opt in O1 | O2) ;; *) die $EXIT_USAGE "--opt is 'O1' or 'O2', not '$opt'" ;; esac
}

# --- sources ---------------------------------------------------------------------------------------------------------

# Names that have a hash, or every file of the directory.
source_names() {
	if [ -f "$sums" ]; then
		sed -n 's/^[0-9a-fA-F]\{64\} [ *]\(tar:\)\{0,1\}//p' "$sums"
	else
		ls "$sources"
	fi
}

# find_source WHAT PATTERN...: the one file that fits, or nothing.
find_source() {
	what=$1
	shift
	found=''
	for name in $(source_names); do
		case $name in *.asc | *.part) continue ;; esac
		for pattern in "$@"; do
			# shellcheck disable=SC2254 # a pattern is meant
			case $name in
			$pattern)
				[ -z "$found" ] || die $EXIT_USAGE "$sources holds two sources of $what ($found, $name); list the right ones in SHA256SUMS"
				found=$name
				;;
			esac
		done
	done
	printf '%s' "$found"
}

require() {
	[ -n "$2" ] || die $EXIT_USAGE "the source of $1 is not in $sources"
	[ -f "$sources/$2" ] || die $EXIT_USAGE "$sources/$2 is listed in SHA256SUMS and is not there"
}

decompress() {
	case $1 in
	*.gz | *.tgz) gzip -dc "$1" ;;
	*.xz) xz -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

# Lines of SHA256SUMS: "HASH  FILE", or "HASH  tar:FILE" for the hash of the decompressed tar (forges recompress).
verify() {
	[ -f "$sums" ] || return 0
	while read -r expected name; do
		name=${name#\*}
		case $name in
		tar:"$1") actual=$(decompress "$sources/$1" | sha256sum) ;;
		"$1") actual=$(sha256sum <"$sources/$1") ;;
		*) continue ;;
		esac
		actual=${actual%% *}
		[ "$actual" = "$expected" ] || die $EXIT_USAGE "$sources/$1 is not the pinned file: SHA-256 is $actual, expected $expected"
	done <"$sums"
}

choose_sources() {
	[ -d "$sources" ] || die $EXIT_USAGE "the source directory $sources does not exist"
	nginx='' patches='' njs='' rtmp=''
	case $profile in
	upstream)
		nginx=$(find_source NGINX 'nginx-[0-9]*.tar.*' 'nginx-release-*.tar.*')
		njs=$(find_source NJS 'njs-*.tar.*')
		require NJS "$njs"
		require NGINX "$nginx"
		;;
	debian)
		nginx=$(find_source NGINX 'nginx_*.orig.tar.*')
		patches=$(find_source "Debian's patches" 'nginx_*.debian.tar.*')
		require "Debian's patches" "$patches"
		require NGINX "$nginx"
		;;
	esac
	if [ "$with_rtmp" = yes ]; then
		rtmp=$(find_source RTMP 'nginx-rtmp-module-*.tar.*' 'libnginx-mod-rtmp_*.orig.tar.*' 'nginx-http-flv-module-*.tar.*')
		require RTMP "$rtmp"
	fi
	case $rtmp in nginx-http-flv-module-*) patch_set=flv ;; *) patch_set=rtmp ;; esac
	vts=$(find_source VTS 'nginx-module-vts-*.tar.*')
	case $with_vts in
	no) vts='' ;;
	yes) require VTS "$vts" ;;
	auto) [ "$profile" != upstream ] || require VTS "$vts" ;;
	esac
}

compiles() { [ "$profile" != packages ] || [ -n "$rtmp$vts" ]; }

# --- the host --------------------------------------------------------------------------------------------------------

# EDGE_BUILD_MEMINFO, EDGE_BUILD_CPUS, EDGE_BUILD_BITS, EDGE_BUILD_RELEASE and EDGE_BUILD_ARCH stand in for the host in tests.

# A value of os-release, which may have quotes around it.
release_value() { sed -n "s/^$1=//p" "${EDGE_BUILD_RELEASE:-/etc/os-release}" | tr -d '"'; }

# What programs here are compiled for. The distribution says it, not the processor, which may be able to do more.
look_at_host() {
	distribution=$(release_value ID)
	case $distribution in raspbian) here_system=debian ;; *) here_system=$distribution ;; esac
	here_system="$here_system $(release_value VERSION_CODENAME)"
	arch=${EDGE_BUILD_ARCH:-$(dpkg --print-architecture 2>/dev/null || echo unknown)}
	case $distribution/$arch in
	*/amd64) here_userland=$arch/x86-64 ;;
	*/arm64) here_userland=$arch/armv8-a ;;
	raspbian/armhf) here_userland=$arch/armv6 ;;
	*/armhf) here_userland=$arch/armv7-a ;;
	*/armel) here_userland=$arch/armv5te ;;
	*) here_userland=$arch/unknown ;;
	esac
}

check_host() {
	[ -z "$system" ] || [ "$system" = "$here_system" ] ||
		die $EXIT_USAGE "this host is $here_system, the build is for $system; compile it on a host of that release"
	[ -z "$userland" ] || [ "$userland" = "$here_userland" ] ||
		die $EXIT_USAGE "this host's programs are $here_userland, the build is for $userland; compile it on a host of that kind"
}

# What the compiler makes when it is given no -march has to run on every CPU of the userland: one that was set to more, or that
# comes from elsewhere, would make programs that end by SIGILL on the oldest of them.
check_compiler() {
	macros=$(: | cc -dM -E -x c - 2>/dev/null) || return 0
	case $here_userland in
	*/x86-64) above='__SSE3__' ;;
	*/armv8-a) above='__ARM_FEATURE_ATOMICS' ;;
	*/armv7-a) above='__ARM_ARCH [89]' ;;
	*/armv6) above='__ARM_ARCH [789]' ;;
	*/armv5te) above='__ARM_ARCH [6789]' ;;
	*) return 0 ;;
	esac
	if say "$macros" | grep -q "^#define $above"; then
		die 1 "this compiler makes programs for newer CPUs than those of $here_userland ($above); use the one of the distribution"
	fi
}

# Start files and libraries that are linked in may be for more than what was compiled. On 32-bit ARM the linker says so.
check_programs() {
	case $here_userland in */armv7-a) most=7 ;; */armv6) most=6 ;; */armv5te) most=5 ;; *) return 0 ;; esac
	for program in "$partial"/sbin/nginx "$partial"/modules/*.so; do
		[ -f "$program" ] || continue
		level=$(readelf -A "$program" 2>/dev/null | sed -n 's/^ *Tag_CPU_arch: v\([0-9]*\).*/\1/p')
		[ "${level:-0}" -le "$most" ] ||
			die 1 "${program##*/} is for ARMv$level, and programs of $here_userland run on ARMv$most"
	done
}

# Our control group and those above it, the way that version 2 has them.
control_groups() {
	group=$(sed -n 's/^0:://p' "${EDGE_BUILD_GROUP:-/proc/self/cgroup}" 2>/dev/null || :)
	while [ -n "$group" ]; do
		say "${EDGE_BUILD_GROUPS:-/sys/fs/cgroup}$group"
		case $group in */*) group=${group%/*} ;; *) group='' ;; esac
	done
}

# MB that may still be taken, in $available: what the system has, or less where a control group is limited. Of a group's
# memory, files that were not used of late can be had.
look_at_memory() {
	available=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' "${EDGE_BUILD_MEMINFO:-/proc/meminfo}")
	available=${available:-0}
	for group in $(control_groups); do
		limit=$(cat "$group/memory.max" 2>/dev/null) || continue
		[ "$limit" != max ] || continue
		left=$(awk -v limit="$limit" 'FNR == NR { used = $1; next } $1 == "inactive_file" { used -= $2 } END { print int((limit - used) / 1048576) }' \
			"$group/memory.current" "$group/memory.stat")
		[ "$left" -ge "$available" ] || available=$left
	done
}

# Processors, in $cpus; fewer where a control group has the time of fewer.
look_at_processors() {
	cpus=${EDGE_BUILD_CPUS:-$(nproc 2>/dev/null || echo 1)}
	for group in $(control_groups); do
		read -r quota period 2>/dev/null <"$group/cpu.max" || continue
		[ "$quota" != max ] || continue
		quota=$(((quota + period - 1) / period))
		[ "$quota" -ge "$cpus" ] || cpus=$quota
	done
}

# Jobs by processors and memory, and in $need_mb what a single compiler needs.
count_jobs() {
	look_at_memory
	bits=${EDGE_BUILD_BITS:-$(getconf LONG_BIT 2>/dev/null || echo 64)}
	per_job=$PER_JOB_MB_64
	[ "$bits" = 64 ] || per_job=$PER_JOB_MB_32
	need_mb=$((RESERVE_MB + per_job))
	[ "$jobs" = auto ] || return 0
	look_at_processors
	jobs=$(((available - RESERVE_MB) / per_job))
	[ "$jobs" -le "$cpus" ] || jobs=$cpus
	[ "$jobs" -ge 1 ] || jobs=1
}

# First directory upwards that exists.
existing_parent() {
	dir=$1
	while [ ! -d "$dir" ]; do dir=${dir%/*} && dir=${dir:-/}; done
	printf '%s' "$dir"
}

check_space() {
	compiles || return 0
	parent=$(existing_parent "$work")
	free_mb=$(df -Pk "$parent" | awk 'NR == 2 { print int($4 / 1024) }')
	# Objects of an interrupted build are space already spent.
	used_mb=0
	[ ! -d "$work" ] || used_mb=$(du -sk "$work" | awk '{ print int($1 / 1024) }')
	[ "$((free_mb + used_mb))" -ge "$NEED_MB" ] ||
		die 1 "$parent has $free_mb MB free and the build needs $NEED_MB MB; free some space or give another --work"
}

check_tools() {
	missing=''
	compiles || return 0
	for tool in cc make tar gzip sha256sum strip awk; do
		command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
	done
	[ -z "$patches$(own_patch_names)" ] || command -v patch >/dev/null 2>&1 || missing="$missing patch"
	case "$nginx$patches$rtmp" in *.xz*) command -v xz >/dev/null 2>&1 || missing="$missing xz" ;; esac
	[ -z "$missing" ] || die 1 "not installed:$missing (on Debian: gcc make libc6-dev libpcre2-dev libssl-dev zlib1g-dev patch xz-utils)"
}

# Whoever serves viewers goes first. The second is for kernels that share the processor out by sessions, where niceness
# counts within one of them alone (CONFIG_SCHED_AUTOGROUP).
lower_priority() {
	renice -n 10 -p $$ >/dev/null 2>&1 || :
	{ echo 10 >/proc/self/autogroup; } 2>/dev/null || :
	ionice -c 3 -p $$ >/dev/null 2>&1 || :
}

# Swap for the time of the build: swap.sh, where it lies beside this script.
swap_on() {
	[ -f "$own_swap" ] || return 0
	sh "$own_swap" on "$need_mb" "$available" "$swap" "${work%/*}"
}
swap_off() { [ ! -f "$own_swap" ] || sh "$own_swap" off "${work%/*}"; }

# One build in a work directory at a time. The lock's descriptor is inherited by the compilers: after a kill -9 of this
# script alone, the next one waits for the orphans instead of writing into the same objects.
take_lock() {
	mkdir -p "$work"
	command -v flock >/dev/null 2>&1 || return 0
	exec 8>"$work/lock"
	flock -n 8 && return 0
	step "waiting for another build in $work"
	flock 8
}

# --- compiling -------------------------------------------------------------------------------------------------------

fail() {
	printf 'build.sh: %s failed; the last lines of %s:\n' "$1" "$log" >&2
	# What make echoes is three lines a file, and what the compiler says drowns in it.
	tail -n 300 "$log" | grep -v -e '^[^ ]*cc -c ' -e '^	-o objs/' -e '^	[^ ]*\.c$' | tail -n 15 >&2
	exit 1
}

# logged WHAT COMMAND...
logged() {
	what=$1
	shift
	printf '\n$ %s\n' "$*" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null || fail "$what"
}

unpack() {
	mkdir -p "$work/tree/$1"
	logged "unpacking $2" tar -xf "$sources/$2" -C "$work/tree/$1" --strip-components=1 --no-same-owner
}

# The name of an archive's top directory, which carries the exact version or commit.
top_directory() {
	decompress "$sources/$1" 2>/dev/null | tar -tf - 2>/dev/null | sed -n '1{s|/.*||;p;}'
}

apply_patches() {
	mkdir -p "$work/tree/patches"
	logged "unpacking $patches" tar -xf "$sources/$patches" -C "$work/tree/patches" --no-same-owner
	series=$work/tree/patches/debian/patches/series
	sed 's/[[:space:]]*#.*//; /^[[:space:]]*$/d' "$series" >"$work/series"
	while read -r name _; do
		logged "Debian's patch $name" patch -d "$work/tree/nginx" -p1 -N -i "$work/tree/patches/debian/patches/$name"
	done <"$work/series"
}

# Files of --patches that are for the module given, in order; their names have no white space.
own_patch_names() {
	for patch_file in "$own_patches"/"$patch_set"-*.patch; do
		[ ! -f "$patch_file" ] || say "${patch_file##*/}"
	done
}

apply_own_patches() {
	for name in $(own_patch_names); do
		logged "our patch $name" patch -d "$work/tree/rtmp" -p1 -N -i "$own_patches/$name"
	done
}

# Debian's own NJS module for this release, verified by apt; unpacked, not installed: no package and no service of
# NGINX comes to the host. Fetched before the compile, so that what is wrong with it is said at once.
fetch_debian_njs() {
	deb=$(find_source "Debian's NJS module" 'libnginx-mod-http-js_*.deb')
	if [ -n "$deb" ]; then
		verify "$deb"
		deb=$sources/$deb
	else
		step "fetch libnginx-mod-http-js"
		rm -rf "$work/deb"
		mkdir -p "$work/deb"
		cd "$work/deb"
		logged "apt-get download libnginx-mod-http-js" apt-get -o APT::Sandbox::User=root download libnginx-mod-http-js
		deb=$(find "$work/deb" -name '*.deb' | head -n 1)
	fi
	abi=$(dpkg-deb -f "$deb" Depends | sed -n 's/.*nginx-abi-\([0-9.]*\)-.*/\1/p')
	[ "$abi" = "$nginx_version" ] ||
		die 1 "this host's libnginx-mod-http-js is for NGINX ${abi:-unknown}, the source given is $nginx_version; give the source of the host's own release"
	njs_version=$(dpkg-deb -f "$deb" Version)
	njs_version=${njs_version%-*}
	rm -rf "$work/deb-root"
	logged "unpacking $deb" dpkg-deb -x "$deb" "$work/deb-root"
	njs_module=$work/deb-root/usr/lib/nginx/modules/ngx_http_js_module.so
	absent=$(ldd "$njs_module" | awk '/not found/ { print $1 }')
	[ -z "$absent" ] || die 1 "Debian's NJS module needs $absent; install the package that has it (libxml2)"
}

# The NGINX that apt installed, from the distribution alone: others do not say what modules have to be made for.
look_at_packages() {
	package_version=$(dpkg-query -W -f '${Version}' nginx 2>/dev/null) || package_version=''
	abi=$(dpkg-query -W -f '${Provides}' nginx 2>/dev/null | sed -n 's/.*nginx-abi-\([0-9.]*-[0-9]*\).*/\1/p')
	[ -n "$abi" ] ||
		die 1 "the distribution's package nginx is not installed${package_version:+ ($package_version, which is, names no nginx-abi)}"
	[ -z "$nginx_abi" ] || [ "$abi" = "$nginx_abi" ] ||
		die 1 "the installed nginx $package_version takes modules of nginx-abi $abi, and this build is for $nginx_abi; run edge-setup again, which then looks at what is installed"
	nginx_version=${abi%-*}
	njs_version=$(package_number libnginx-mod-http-js)
	rtmp_version=''
	[ -n "$rtmp" ] || rtmp_version=$(package_number libnginx-mod-rtmp)
}

# Version of an installed package, without epoch and revision.
package_number() {
	number=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null) || die 1 "the package $1 is not installed"
	number=${number#*:}
	say "${number%-*}"
}

# What modules for the installed NGINX are compiled with, verified by apt; unpacked, not installed, as its package asks for
# 200 MB of others. Of the same version where the mirror still has it, else of the same ABI.
unpack_headers() {
	deb=$(find_source "NGINX's headers" 'nginx-dev_*.deb')
	if [ -n "$deb" ]; then
		verify "$deb"
		deb=$sources/$deb
	else
		step "fetch nginx-dev"
		rm -rf "$work/deb"
		mkdir -p "$work/deb"
		cd "$work/deb"
		apt-get -o APT::Sandbox::User=root download "nginx-dev=$package_version" >>"$log" 2>&1 </dev/null ||
			logged "apt-get download nginx-dev" apt-get -o APT::Sandbox::User=root download nginx-dev
		deb=$(find "$work/deb" -name '*.deb' | head -n 1)
	fi
	rm -rf "$work/deb-root"
	logged "unpacking $deb" dpkg-deb -x "$deb" "$work/deb-root"
	mkdir -p "$work/tree"
	mv "$work/deb-root/usr/share/nginx/src" "$work/tree/nginx"
	[ "$(source_version)" = "$nginx_version" ] ||
		die 1 "$deb is for NGINX $(source_version), the installed one is $nginx_version"
}

# As the source says it.
source_version() { sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' "$work/tree/nginx/src/core/nginx.h"; }

# Modules that an edge does not use: fewer files, and each is code that no CVE can reach.
lean_arguments() {
	for module in ssi userid mirror geo split_clients fastcgi uwsgi scgi grpc memcached empty_gif browser \
		charset referer upstream_hash upstream_ip_hash upstream_least_conn upstream_random upstream_keepalive; do
		printf ' --without-http_%s_module' "$module"
	done
	for module in access geo map split_clients return limit_conn upstream_hash upstream_least_conn upstream_random \
		upstream_zone; do
		printf ' --without-stream_%s_module' "$module"
	done
}

# Sets the options of NGINX's configure. -Wno-error: a newer compiler's new warning must not stop a build. Modules have
# relative paths and the program no build id: both would carry the work directory into the result.
compose_configure() {
	cflags="-$opt -g0 -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE -Wno-error -Wformat -Werror=format-security"
	ldflags="-pie -Wl,-z,relro -Wl,-z,now -Wl,--build-id=none"
	if [ "$profile" = packages ]; then
		# The rest is what the package says of itself, beside its headers.
		cflags=$(printf '%s' "$cflags" | sed 's/-fPIE/-fPIC/')
		ldflags=${ldflags#-pie }
		options="${rtmp:+--add-dynamic-module=../rtmp} ${vts:+--add-dynamic-module=../vts}"
		return 0
	fi
	options="--prefix=$prefix --error-log-path=stderr --http-log-path=/dev/null"
	options="$options --pid-path=/run/edge/nginx.pid --lock-path=/run/edge/nginx.lock"
	options="$options --http-client-body-temp-path=/var/cache/edge/client_body --http-proxy-temp-path=/var/cache/edge/proxy"
	options="$options --with-threads --with-http_ssl_module --with-http_v2_module --with-http_realip_module"
	options="$options --with-http_stub_status_module --with-http_secure_link_module --with-stream --with-stream_ssl_module$(lean_arguments)"
	options="$options --add-module=../rtmp"
	[ -z "$vts" ] || options="$options --add-module=../vts"
	[ -z "$njs" ] || options="$options --add-module=../njs/nginx"
	# What Debian's dynamic modules are compiled against.
	[ "$profile" = upstream ] || options="$options --with-compat"
}

# Everything that makes objects of an earlier run usable or not.
describe_inputs() {
	say "recipe $RECIPE" "options $options" "cflags $cflags" "ldflags $ldflags"
	[ "$profile" != packages ] || say "nginx $package_version"
	cc -v 2>&1 | sed -n '$p'
	for name in $nginx $patches $rtmp $vts $njs; do
		printf '%s %s\n' "$name" "$(sha256sum <"$sources/$name")"
	done
	for name in $(own_patch_names); do
		printf '%s %s\n' "$name" "$(sha256sum <"$own_patches/$name")"
	done
}

prepare_tree() {
	describe_inputs >"$work/inputs.new"
	if [ -f "$work/unpacked" ] && cmp -s "$work/inputs" "$work/inputs.new"; then
		resumed=true
		say "resuming the build in $work"
		return 0
	fi
	rm -rf "$work/tree" "$work/unpacked" "$work/configured" "$work/objects" "$work/rss" "$work/njs-done"
	mv "$work/inputs.new" "$work/inputs"
	step unpack
	if [ "$profile" = packages ]; then unpack_headers; else unpack nginx "$nginx"; fi
	[ -z "$rtmp" ] || unpack rtmp "$rtmp"
	[ -z "$vts" ] || unpack vts "$vts"
	[ -z "$njs" ] || unpack njs "$njs"
	# Before patches touch it: a time that belongs to a source. That of headers is another after each update of the package.
	dated=nginx/src/core/nginx.h
	[ "$profile" != packages ] || { [ -n "$rtmp" ] && dated=rtmp/config; } || dated=vts/config
	stat -c %Y "$work/tree/$dated" >"$work/source-date"
	[ -z "$patches" ] || apply_patches
	apply_own_patches
	# "nginx -V" says with which OpenSSL it was compiled: a security update of it would make another program of the same code. Which one
	# it runs with is said all the same.
	[ "$profile" = packages ] || sed -i "s/OPENSSL_VERSION_TEXT/\"the system's OpenSSL\"/" "$work/tree/nginx/src/core/nginx.c"
	settle_disk
	: >"$work/unpacked"
}

# What is on the disk now is there after a power cut, whole.
settle_disk() { sync -f "$work" 2>/dev/null || sync; }

# Files that were written shortly before a power cut may have their names and not their content: the kernel writes it to the
# disk 30 s later (vm.dirty_expire_centisecs). Objects of the last minute before one are compiled again.
distrust_last_minute() {
	boot=$(cat "${EDGE_BUILD_BOOT:-/proc/sys/kernel/random/boot_id}" 2>/dev/null) || boot=''
	[ ! -f "$work/boot-id" ] || [ "$(cat "$work/boot-id")" = "$boot" ] || {
		newest=$(find . -name '*.o' -exec stat -c %Y {} + | sort -n | tail -n 1)
		touch -d "@$((${newest:-60} - 60))" "$work/trusted"
		find . -name '*.o' -newer "$work/trusted" -exec rm -f {} +
	}
	say "$boot" >"$work/boot-id"
}

# NGINX's configure aligns by what uname says. That is the kernel's word, which may be a 64-bit one below a 32-bit system;
# the compiler knows for whom it compiles.
write_uname() {
	mkdir -p "$work/tools"
	machine=$(cc -dumpmachine)
	cat >"$work/tools/uname" <<EOF
#!/bin/sh
case \$1 in
-s) echo Linux ;;
-r) echo 4.19.0 ;;
*) echo ${machine%%-*} ;;
esac
EOF
	chmod 755 "$work/tools/uname"
}

# NJS's own library is configured and compiled before NGINX's make would do it (nginx/config.make): that rule starts
# over with "make clean", which would throw away the objects of an interrupted build.
configure_tree() {
	[ ! -f "$work/configured" ] || return 0
	step configure
	began=$(date +%s)
	cd "$work/tree/nginx"
	configure=./configure
	[ -f $configure ] || configure=auto/configure
	[ "$profile" != packages ] || options="$(sed -n 's/^NGX_CONF_FLAGS=( \(.*\) )$/\1/p' conf_flags) $options"
	NJS_QUICKJS=NO NJS_LIBXSLT=NO NJS_ZLIB=NO
	export NJS_QUICKJS NJS_LIBXSLT NJS_ZLIB
	write_uname
	path=$PATH
	PATH=$work/tools:$PATH
	# shellcheck disable=SC2086 # one word an option, none holds a space
	logged "NGINX's configure" $configure $options --with-cc-opt="$cflags" --with-ld-opt="$ldflags"
	# The package of the compiler is another one where it is a cross compiler.
	sed -i '/^#define NGX_COMPILER /s/ (.*"/"/' objs/ngx_auto_config.h
	if [ -n "$njs" ]; then
		cd "$work/tree/njs"
		rm -rf build
		CFLAGS=$(sed -n 's/^CFLAGS = *//p' "$work/tree/nginx/objs/Makefile")
		export CFLAGS
		logged "NJS's configure" ./configure --no-openssl --no-libxml2 --no-zlib --no-pcre --no-quickjs --ld-opt="$ldflags"
		unset CFLAGS
	fi
	PATH=$path
	settle_disk
	echo "$(($(date +%s) - began))" >"$work/configured"
}

# Stands in for the compiler: writes an object beside its place and renames it, so that a killed compiler leaves no
# half object behind; counts; and tells progress on descriptor 3.
write_compiler() {
	measure=''
	if /usr/bin/time -f %M -o "$work/rss.probe" true 2>/dev/null; then measure="/usr/bin/time -a -o $work/rss -f %M"; fi
	cat >"$work/cc" <<EOF
#!/bin/sh
compile=no output=
for word; do [ "\$word" != -c ] || compile=yes; done
[ \$compile = yes ] || exec cc "\$@"
left=\$#
while [ \$left -gt 0 ]; do
	word=\$1
	shift
	left=\$((left - 1))
	if [ "\$word" = -o ]; then
		output=\$1
		shift
		left=\$((left - 1))
		set -- "\$@" -o "\$output.part"
	else
		set -- "\$@" "\$word"
	fi
done
$measure cc "\$@" || exit
mv "\$output.part" "\$output"
echo "\$output" >>"$work/objects"
read -r total <"$work/total"
done=\$(wc -l <"$work/objects")
[ "\$done" -le "\$total" ] || done=\$total
echo "@@progress \$done \$total \${output##*/}" >&3
EOF
	chmod 755 "$work/cc"
}

compile() {
	cd "$work/tree"
	# After a power cut a file may exist with nothing in it.
	find . -name '*.o' -size 0 -exec rm -f {} +
	distrust_last_minute
	# Neither is a library or a program that was being written trusted. A finished library stays as it is: all modules
	# depend on its time.
	[ -f "$work/njs-done" ] || rm -f njs/build/libnjs.a
	rm -f nginx/objs/nginx
	find nginx/objs njs/build -name '*.o' 2>/dev/null >"$work/objects" || :
	njs_total=0
	# Its makefile knows more objects than the library takes; a dry run over everything names those that it does.
	[ -z "$njs" ] || njs_total=$(make -C njs -f build/Makefile -B -n build/libnjs.a 2>/dev/null | grep -c -- '-o build/.*\.o')
	target=build
	nginx_total=$(grep -c '^objs/.*\.o:' nginx/objs/Makefile)
	if [ "$profile" = packages ]; then
		target=modules
		nginx_total=$(make -C nginx -f objs/Makefile -B -n modules 2>/dev/null | grep -c -- '-o objs/.*\.o')
	fi
	total=$((njs_total + nginx_total))
	echo "$total" >"$work/total"
	write_compiler
	step compile
	echo "@@progress $(wc -l <"$work/objects") $total" >&3
	began=$(date +%s)
	if [ -n "$njs" ] && [ ! -f "$work/njs-done" ]; then
		logged "compiling NJS" make -C njs -f build/Makefile -j "$jobs" NJS_CC="$work/cc" build/libnjs.a
		# Newer than NGINX's makefile, so that its rule for the library has nothing to do.
		touch njs/build/libnjs.a
		settle_disk
		: >"$work/njs-done"
	fi
	logged "compiling NGINX" make -C nginx -f objs/Makefile -j "$jobs" CC="$work/cc" "$target"
	make_seconds=$(($(date +%s) - began))
}

# --- the result ------------------------------------------------------------------------------------------------------

assemble() {
	step install
	rm -rf "$partial"
	mkdir -p "$partial/sbin" "$partial/modules" "$partial/conf"
	if [ "$profile" = packages ]; then
		assemble_packages
		keep_origin
		return 0
	fi
	cp "$work/tree/nginx/objs/nginx" "$partial/sbin/nginx"
	strip -R .comment "$partial/sbin/nginx"
	cp "$work/tree/nginx/conf/mime.types" "$partial/conf/"
	[ "$profile" = upstream ] || cp "$njs_module" "$partial/modules/"
	keep_origin
}

# What it was made from goes with it: hashes of the sources as they were given, and our patches.
keep_origin() {
	mkdir "$partial/made-from"
	for name in $nginx $patches $rtmp $vts $njs; do
		listed=''
		[ ! -f "$sums" ] || listed=$(awk -v name="$name" '$2 == name || $2 == "*" name || $2 == "tar:" name { sub(/^\*/, "", $2); print $1 "  " $2; exit }' "$sums")
		[ -n "$listed" ] || listed="$(sha256sum <"$sources/$name" | cut -d ' ' -f 1)  $name"
		say "$listed"
	done >"$partial/made-from/SHA256SUMS"
	for name in $(own_patch_names); do cp "$own_patches/$name" "$partial/made-from/"; done
}

# Links to what apt keeps up to date, and what was compiled for it. By way of one link, which edge-release points elsewhere when
# apt brings an NGINX that the modules are not made for.
assemble_packages() {
	rmdir "$partial/conf"
	ln -s /usr "$partial/from"
	ln -s ../from/sbin/nginx "$partial/sbin/nginx"
	for module in ngx_stream_module ngx_http_js_module; do
		ln -s "../from/lib/nginx/modules/$module.so" "$partial/modules/"
	done
	[ -n "$rtmp" ] || ln -s ../from/lib/nginx/modules/ngx_rtmp_module.so "$partial/modules/"
	compiles || return 0
	for module in "$work"/tree/nginx/objs/*.so; do
		# The fork has a name of its own; configurations load the one.
		case $module in */ngx_http_flv_live_module.so) name=ngx_rtmp_module.so ;; *) name=${module##*/} ;; esac
		cp "$module" "$partial/modules/$name"
		strip --strip-unneeded -R .comment "$partial/modules/$name"
	done
}

# Packages whose files are linked to.
packages() {
	say nginx libnginx-mod-stream libnginx-mod-http-js
	[ -n "$rtmp" ] || say libnginx-mod-rtmp
}

# Modules beside the binary, by their names in $partial.
modules() {
	case $profile in
	upstream) ;;
	debian) say ngx_http_js_module ;;
	packages)
		say ngx_stream_module ngx_rtmp_module ngx_http_js_module
		[ -z "$vts" ] || say ngx_http_vhost_traffic_status_module
		;;
	esac
}

smoke_test() {
	step "smoke test"
	smoke=$work/smoke
	rm -rf "$smoke"
	mkdir -p "$smoke"
	load=''
	for module in $(modules); do load="$load load_module $partial/modules/$module.so;"; done
	scratch=''
	[ "$profile" != packages ] || scratch="fastcgi_temp_path $smoke/f; uwsgi_temp_path $smoke/u; scgi_temp_path $smoke/s;"
	zone='' display=''
	if [ -n "$vts" ]; then
		zone='vhost_traffic_status_zone;' display='location /s { vhost_traffic_status_display; }'
	fi
	echo 'import crypto from "crypto"; export default { hi(r) { r.return(200, crypto.createHash("sha256").digest("hex")); } };' >"$smoke/hi.js"
	cat >"$smoke/nginx.conf" <<EOF
$load
pid $smoke/nginx.pid;
error_log stderr;
events { worker_connections 64; }
rtmp { server { listen unix:$smoke/rtmp.sock; application hls { live on; hls on; hls_path $smoke; } } }
stream { server { listen unix:$smoke/stream.sock; pass unix:$smoke/rtmp.sock; } }
http {
  access_log off;
  client_body_temp_path $smoke/body;
  proxy_temp_path $smoke/proxy;
  $scratch
  js_path $smoke;
  js_import hi from hi.js;
  limit_req_zone \$binary_remote_addr zone=a:1m rate=1r/s;
  map \$uri \$x { default 1; }
  $zone
  server { listen unix:$smoke/http.sock; location / { js_content hi.hi; } $display location /b { auth_basic a; stub_status; } location /p { proxy_pass http://127.0.0.1:9; } }
}
EOF
	# NGINX before 1.25.5 has no "pass" in stream.
	case $nginx_version in 1.2[0-4].*) sed -i '/^stream/d' "$smoke/nginx.conf" ;; esac
	logged "nginx -V" "$partial/sbin/nginx" -V
	logged "nginx -t with a small configuration" "$partial/sbin/nginx" -t -e stderr -p "$smoke" -c "$smoke/nginx.conf"
}

json_string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr -d '\n')"; }

# Largest resident size of one compiler process in KB where GNU time is there to tell, and the memory peak of the whole
# job in KB where the kernel counts it for our control group.
peak_compiler() { if [ -s "$work/rss" ]; then sort -n "$work/rss" | tail -n 1; else echo null; fi; }
peak_group() {
	group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null || :)
	file=/sys/fs/cgroup$group/memory.peak
	if [ -r "$file" ]; then awk '{ print int($1 / 1024) }' "$file"; else echo null; fi
}

write_manifest() {
	[ -z "$rtmp" ] || rtmp_version=$(top_directory "$rtmp")
	rtmp_version=${rtmp_version#nginx-rtmp-module-}
	vts_version=null vts_feature=false
	if [ -n "$vts" ]; then
		vts_version=$(top_directory "$vts") vts_feature=true
		vts_version=$(json_string "${vts_version#nginx-module-vts-}")
	fi
	{
		printf '{\n  "format": 1,\n  "profile": "%s",\n' "$profile"
		printf '  "versions": {"nginx": %s, "nginx_patches": %s, "rtmp": %s, "njs": %s, "vts": %s},\n' \
			"$(json_string "$nginx_version")" "$(patches_version)" "$(json_string "${rtmp_version#nginx-http-flv-module-}")" \
			"$(json_string "$njs_version")" "$vts_version"
		printf '  "features": {"vts": %s, "njs": %s, "njs_dynamic": %s, "rtmps": %s, "http2": true, "http_flv": %s},\n' \
			"$vts_feature" "$(json_string "$njs_version")" "$njs_dynamic" "$(grep -q '^stream' "$work/smoke/nginx.conf" && echo true || echo false)" \
			"$([ $patch_set = flv ] && echo true || echo false)"
		printf '  "load_modules": [%s],\n' "$(for module in $(modules); do printf '"modules/%s.so" ' "$module"; done | sed 's/ $//; s/ /, /g')"
		[ "$profile" != packages ] || printf '  "packages": [%s],\n  "nginx_abi": "%s",\n' "$(packages | sed 's/.*/"&"/' | paste -sd , | sed 's/,/, /g')" "$abi"
		printf '  "configure": %s,\n' "$(json_string "$("$partial/sbin/nginx" -V 2>&1 | sed -n 's/^configure arguments: //p')")"
		compiler=null machine=null
		if compiles; then
			compiler=$(json_string "$(cc -v 2>&1 | sed -n '$s/ (.*//;$p')") machine=$(json_string "$(cc -dumpmachine)")
		fi
		printf '  "compiler": %s,\n  "machine": %s,\n' "$compiler" "$machine"
		printf '  "build": %s,\n' "$(json_string "${prefix##*/}")"
		printf '  "system": %s,\n  "userland": %s,\n' "$(json_string "$here_system")" "$(json_string "$here_userland")"
		printf '  "files": %s\n}\n' "$(cat "$work/total")"
	} >"$partial/manifest.json"
}

# What differs from run to run is not of the build.
write_log() {
	printf '{\n  "jobs": %s,\n  "resumed": %s,\n  "seconds": {"configure": %s, "make": %s},\n  "peak_kb": {"compiler": %s, "group": %s}\n}\n' \
		"$jobs" "$resumed" "$(cat "$work/configured")" "$make_seconds" "$(peak_compiler)" "$(peak_group)" >"$work/log.json"
}

patches_version() {
	[ -n "$patches" ] || { echo null && return; }
	name=${patches#nginx_}
	json_string "${name%.debian.tar.*}"
}

publish() {
	# .complete is in the directory before the directory has its name: whoever sees the name sees a whole build.
	: >"$partial/.complete"
	find "$partial" -type f -exec sync {} + 2>/dev/null || sync
	rm -rf "$prefix"
	mv "$partial" "$prefix"
}

# Puts the result into one file whose bytes are the same wherever and whenever the same is packed. Its description is there
# before it is: whoever sees the archive can read what it should be.
pack() {
	[ -n "$artifact" ] || return 0
	step pack
	mkdir -p "${artifact%/*}"
	# What edge-release keeps beside it is the host's own.
	tar -cf "$artifact.tar" -C "$prefix" --exclude=./kept --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --format=gnu .
	gzip -n -9 <"$artifact.tar" >"$artifact.part"
	rm "$artifact.tar"
	sum=$(sha256sum <"$artifact.part")
	size=$(wc -c <"$artifact.part")
	name=${artifact%.tar.gz}
	awk -v sum="${sum%% *}" -v size="$((size))" \
		'{ print } NR == 1 { printf "  \"sha256\": \"%s\",\n  \"size\": %s,\n", sum, size }' "$prefix/manifest.json" >"$name.json.part"
	[ ! -f "$work/log.json" ] || cp "$work/log.json" "$name.log.json"
	sync "$artifact.part" "$name.json.part" 2>/dev/null || sync
	mv "$name.json.part" "$name.json"
	mv "$artifact.part" "$artifact"
}

already_built() {
	pack
	say "already built: $prefix"
	exit 0
}

# Of what was unpacked or, in the profile packages, installed.
find_versions() {
	njs_dynamic=true
	[ "$profile" != packages ] || return 0
	nginx_version=$(source_version)
	if [ "$profile" = debian ]; then
		fetch_debian_njs
	else
		njs_version=$(sed -n 's/^#define NJS_VERSION *"\(.*\)"/\1/p' "$work/tree/njs/src/njs.h") njs_dynamic=false
	fi
}

main() {
	parse_arguments "$@"
	look_at_host
	check_host
	if [ "$list" = no ] && [ -f "$prefix/.complete" ]; then already_built; fi
	choose_sources
	count_jobs
	if [ "$list" = yes ]; then
		say "profile $profile" "nginx $nginx" "patches ${patches:--}" "rtmp $rtmp" "njs ${njs:-libnginx-mod-http-js}" "vts ${vts:--}" "jobs $jobs"
		exit 0
	fi
	exec 3>&1
	check_tools
	check_compiler
	check_space
	lower_priority
	take_lock
	if [ -f "$prefix/.complete" ]; then already_built; fi
	log=$work/build.log
	partial=$prefix.partial
	resumed=false
	: >"$log"
	trap 'rm -rf "$partial"; swap_off' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir -p "${prefix%/*}"
	swap_on
	step verify
	for name in $nginx $patches $rtmp $vts $njs; do verify "$name"; done
	compose_configure
	[ "$profile" != packages ] || look_at_packages
	! compiles || prepare_tree
	find_versions
	if compiles; then
		# What __DATE__ and __TIME__ stand for (the RTMP module's statistics have them).
		SOURCE_DATE_EPOCH=$(cat "$work/source-date")
		export SOURCE_DATE_EPOCH
		configure_tree
		compile
	else
		make_seconds=0
		echo 0 >"$work/configured"
		echo 0 >"$work/total"
	fi
	assemble
	check_programs
	smoke_test
	write_manifest
	write_log
	publish
	pack
	cd /
	[ "$keep_work" = yes ] || rm -rf "$work/tree" "$work/inputs" "$work/unpacked" "$work/configured" "$work/source-date" "$work/boot-id" "$work/trusted" "$work/tools" "$work/njs-done" "$work/deb" "$work/deb-root" "$work/smoke"
	say "built $prefix"
}

main "$@"
