#!/bin/sh
# Unpacks a build that another host compiled (build.sh --artifact) into one directory, which appears there complete or not at
# all. Nothing of it is run before the archive is the one that its description names, and the description is of the build that
# this host asks for. See docs/build.md.
set -eu
umask 022
LC_ALL=C
export LC_ALL

# Bytes that a build may take unpacked: 6 MB measured, of all profiles and architectures.
MAX_BYTES=67108864
EXIT_USAGE=2

usage() {
	cat <<'EOT'
Usage: install.sh --artifact FILE --prefix DIR [options]

  --artifact FILE    NAME.tar.gz; NAME.json beside it describes it
  --prefix DIR       where it goes, and what it was compiled for
  --system TEXT      what this host is, such as "debian bookworm"; refused when the build is for another
  --userland TEXT    likewise, such as "armhf/armv7-a"
  --help             this text

Exit codes: 0 installed (or already there), 1 the archive is damaged or not fit for this host, 2 wrong usage.
EOT
}

die() {
	status=$1
	shift
	printf 'install.sh: %s\n' "$*" >&2
	exit "$status"
}

artifact='' prefix='' system='' userland=''

parse_arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--artifact | --prefix | --system | --userland)
			[ $# -ge 2 ] || die $EXIT_USAGE "$1 needs a value"
			case $1 in
			--artifact) artifact=$2 ;;
			--prefix) prefix=${2%/} ;;
			--system) system=$2 ;;
			--userland) userland=$2 ;;
			esac
			shift
			;;
		*) die $EXIT_USAGE "unknown argument '$1'; --help lists them" ;;
		esac
		shift
	done
	case $artifact in /*.tar.gz) ;; *) die $EXIT_USAGE "--artifact is an absolute path that ends in .tar.gz, not '$artifact'" ;; esac
	case $prefix in /?*) ;; *) die $EXIT_USAGE "--prefix is an absolute path, not '$prefix'" ;; esac
	description=${artifact%.tar.gz}.json
	for file in "$artifact" "$description"; do [ -f "$file" ] || die $EXIT_USAGE "$file is not there"; done
}

# The value of a key that has a line of its own.
described() { sed -n "s/^  \"$1\": \"\\{0,1\\}\\([^\",]*\\)\"\\{0,1\\},\\{0,1\\}\$/\\1/p" "$description" | head -n 1; }

check_description() {
	sum=$(sha256sum <"$artifact")
	[ "${sum%% *}" = "$(described sha256)" ] ||
		die 1 "$artifact is damaged: SHA-256 is ${sum%% *}, its description says $(described sha256)"
	[ -z "$system" ] || [ "$(described system)" = "$system" ] ||
		die 1 "$artifact is a build for $(described system), this host is $system"
	[ -z "$userland" ] || [ "$(described userland)" = "$userland" ] ||
		die 1 "$artifact is a build for $(described userland), this host's programs are $userland"
	[ "$(described build)" = "${prefix##*/}" ] ||
		die 1 "$artifact is another build than the one of $prefix"
}

# Directories and plain files below the archive's own top, links to the NGINX of the distribution, and nothing that is large.
check_members() {
	tar -tvzf "$artifact" --numeric-owner >"$listing" 2>/dev/null || die 1 "$artifact cannot be read"
	awk -v most="$MAX_BYTES" '
		seen[$6]++ || $6 ~ /^\.\/from\// { print "holds " $0; exit 1 }
		$1 ~ /^l/ && NF == 8 && $6 == "./from" && $8 == "/usr" { next }
		$1 ~ /^l/ && NF == 8 && $6 ~ /^\.\/(sbin|modules)\/[A-Za-z0-9_.]+$/ && $8 ~ /^\.\.\/from\/(sbin|lib\/nginx\/modules)\/[A-Za-z0-9_]+(\.so)?$/ { next }
		$1 !~ /^[d-]/ || $6 !~ /^\.\// || $6 ~ /(^|\/)\.\.(\/|$)/ || NF != 6 { print "holds " $0; exit 1 }
		{ bytes += $3 }
		bytes > most { print "is larger than " most " bytes"; exit 1 }
	' "$listing" >"$listing.wrong" || die 1 "$artifact $(head -c 300 "$listing.wrong")"
}

check_libraries() {
	absent=$(ldd "$partial/sbin/nginx" "$partial"/modules/*.so 2>/dev/null | awk '/not found/ { print $1 }' | sort -u | tr '\n' ' ')
	[ -z "$absent" ] || die 1 "the build needs ${absent% }, which this host does not have"
}

main() {
	parse_arguments "$@"
	if [ -f "$prefix/.complete" ]; then
		echo "already there: $prefix"
		exit 0
	fi
	mkdir -p "${prefix%/*}"
	partial=$prefix.partial.$$ listing=$prefix.listing.$$
	trap 'rm -rf "$partial" "$listing" "$listing.wrong"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	check_description
	check_members
	mkdir "$partial"
	tar -xzf "$artifact" -C "$partial" --no-same-owner --no-same-permissions
	[ -f "$partial/.complete" ] || die 1 "$artifact is not whole"
	check_libraries
	sync "$partial/sbin/nginx" "$partial/manifest.json" 2>/dev/null || sync
	rm -rf "$prefix"
	mv "$partial" "$prefix"
	echo "installed $prefix"
}

main "$@"
