import { compact, sh } from "../modules/sh.js";
import { quote, quoteAll } from "../util/shell.js";

/** What apt is asked for. */
export interface AptQuestion {
  /** dpkg's name of the architecture. */
  readonly arch: string;
  /** Lines of a sources.list; undefined for the sources, keys and pins of the machine that is asked. */
  readonly sources: readonly string[] | undefined;
  readonly packages: readonly string[];
  /** Those that the release need not have. */
  readonly optional: readonly string[];
  /** Likewise, and without what they need. */
  readonly alone: readonly string[];
}

/**
 * Has apt choose and download packages with all that they need beside nothing, into the directory D: the index of what was
 * chosen in D/Packages, the files below D/cache/archives. For any architecture, by any user: lists, status and cache are all in
 * D. apt verifies the archive's signature, and each file by it.
 */
const chooseText = sh`
set -eu
umask 022
LC_ALL=C DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND
complain() {
  printf '%s\n' "$1" >&2
  if [ -f "$D/said" ]; then grep '^E: ' "$D/said" >&2 || tail -n 4 "$D/said" >&2; fi
  exit 1
}
command -v apt-get >/dev/null || { echo 'apt-get is not installed' >&2; exit 1; }
mkdir -p "$D/lists/partial" "$D/cache/archives/partial" "$D/none/partial"
rm -f "$D/said"
if command -v flock >/dev/null; then
  exec 9>"$D/run-lock"
  flock 9
fi
# Nothing is installed there: what apt chooses is whole.
: >"$D/status"
{
  printf '%s;\n' "APT::Architecture \"$A\"" '#clear APT::Architectures' "APT::Architectures { \"$A\"; }" \
    "Dir::State \"$D\"" "Dir::State::Lists \"$D/lists\"" "Dir::State::status \"$D/status\"" "Dir::Cache \"$D/cache\"" \
    'APT::Install-Recommends "false"' 'APT::Install-Suggests "false"' 'Acquire::Languages "none"' \
    '#clear APT::Update::Pre-Invoke' '#clear APT::Update::Post-Invoke' '#clear APT::Update::Post-Invoke-Success' \
    '#clear DPkg::Pre-Invoke' '#clear DPkg::Post-Invoke'
  if [ -n "$S" ]; then
    printf '%s\n' "$S" >"$D/sources.list"
    printf '%s;\n' "Dir::Etc::SourceList \"$D/sources.list\"" 'Dir::Etc::SourceParts "/dev/null"' 'Dir::Etc::Preferences "/dev/null"' \
      'Dir::Etc::PreferencesParts "/dev/null"'
  fi
} >"$D/apt.conf"
apt-get -q -c "$D/apt.conf" -o APT::Update::Error-Mode=any update >"$D/said" 2>&1 || complain 'apt-get update fails'
# known PACKAGE...: those that the archive has
known() {
  apt-cache -c "$D/apt.conf" policy "$@" | awk '/^[^ ]/ { name = $1 } $1 == "Candidate:" && $2 != "(none)" { sub(/:$/, "", name); print name }'
}
# shellcheck disable=SC2086
known=$(known $O) alone=$(known $U)
# shellcheck disable=SC2086
apt-get -qq -y -c "$D/apt.conf" -o Dir::Cache::Archives="$D/none/" --print-uris install $P $known >"$D/uris" 2>"$D/said" ||
  complain 'apt-get finds no way to install the packages'
# shellcheck disable=SC2086
apt-get -q -y -c "$D/apt.conf" --download-only install $P $known >"$D/said" 2>&1 || complain 'apt-get cannot download the packages'
for name in $alone; do
  apt-get -qq -c "$D/apt.conf" --print-uris download "$name" >>"$D/uris" 2>"$D/said" || complain "apt-get does not know $name"
  (cd "$D/cache/archives" && apt-get -q -c "$D/apt.conf" download "$name") >"$D/said" 2>&1 || complain "apt-get cannot download $name"
done
# name_version_architecture.deb, where a colon is %3a
awk '{ split($2, part, "_"); gsub(/%3a/, ":", part[2]); print part[1] "=" part[2] }' "$D/uris" >"$D/chosen"
xargs apt-cache -c "$D/apt.conf" show <"$D/chosen" >"$D/Packages" 2>"$D/said" || complain 'apt-cache does not describe the packages'
`;

/** The same in a directory that goes with the answer, a tar archive of index and files. */
const sendText = sh`
D=$(mktemp -d /var/tmp/edge-setup.XXXXXX)
trap 'rm -rf "$D"' EXIT
`;
const archiveText = sh`
awk '{ print $2 }' "$D/uris" | sort -u >"$D/files"
tar --format=ustar --owner=0 --group=0 --numeric-owner -cf - -C "$D" Packages -C "$D/cache/archives" -T "$D/files"
`;

function variables({ arch, sources, packages, optional, alone }: AptQuestion): string {
  return [
    `A=${quote(arch)}`,
    `S=${quote((sources ?? []).join("\n"))}`,
    `P=${quote(packages.join(" "))}`,
    `O=${quote(optional.join(" "))}`,
    `U=${quote(alone.join(" "))}`,
    "",
  ].join("\n");
}

/** The program that fills a directory of this machine. */
export function aptHere(question: AptQuestion, directory: string): string {
  return `D=${quote(directory)}\n${variables(question)}${compact(chooseText)}`;
}

/** The command whose answer is an archive, on a machine that keeps nothing of it. */
export function aptThere(question: AptQuestion): string {
  return quoteAll(["sh", "-c", [sendText, variables(question), compact(chooseText), archiveText].join("\n")]);
}
