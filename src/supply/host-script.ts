import { portraitScript } from "../discovery/portrait-script.js";
import { compact, sh } from "../modules/sh.js";
import { quote } from "../util/shell.js";
import { samplerCommand } from "../watch/sample-script.js";

/** Parts: each begins with `part<tab>NAME` and ends with the nonce on a line of its own. Only reads. */
const parts = sh`
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
exec 2>/dev/null
p() {
    printf 'part\t%s\n' "$1"
    "$1" </dev/null | head -c 524288
    printf '\n%s\n' "$NONCE"
}
system() {
    . /etc/os-release
    printf '%s %s\n' "$ID" "$VERSION_CODENAME"
}
build() { readlink /opt/edge/nginx; }
manifest() { cat /opt/edge/nginx/manifest.json; }
packages() { dpkg-query -W -f '$\{db:Status-Abbrev}\t$\{source:Package}\t$\{source:Version}\t$\{Package}\t$\{Version}\t$\{Architecture}\n'; }
sources() { cat /opt/edge/nginx/made-from/SHA256SUMS; }
hashes() { sha256sum /opt/edge/nginx/sbin/nginx /opt/edge/nginx/modules/*.so /opt/edge/bin/* /etc/edge/live/njs/*.js /opt/edge/www/vendor/*.js /opt/edge/nginx/made-from/*.patch; }
changed() { stat -c %Y /opt/edge/nginx/.complete /etc/edge/live /var/lib/dpkg/status | sort -n | tail -n 1; }
release() { /opt/edge/bin/edge-release status; }
failed() { systemctl list-units --state=failed --no-legend --plain 'edge-*'; }
stale() {
    for f in /run/edge*/nginx.pid; do
        read -r v <"$f" && grep -q '/lib\(ssl\|crypto\|pcre2\|z\|c\)[-.][^/]* (deleted)$' "/proc/$v/maps" && echo "$\{f%/nginx.pid}"
    done
}
`;

/** Lines of the configuration and the scripts that are live, as far as anybody asks for them. */
function configuration(patterns: readonly string[]): string {
  const words = [...new Set(patterns)].map((pattern) => `-e ${quote(pattern)}`).join(" ");
  return `configuration() { grep -rhE ${words} /etc/edge/live/ | sort -u; }\n`;
}

/** What `doctor` asks about, and what a bill of materials takes. */
export const DOCTOR_PARTS = [
  "portrait",
  "system",
  "build",
  "manifest",
  "packages",
  "release",
  "failed",
  "stale",
  "configuration",
  "sample",
] as const;
export const SBOM_PARTS = [
  "portrait",
  "system",
  "build",
  "manifest",
  "packages",
  "sources",
  "hashes",
  "changed",
] as const;

export type HostPart = (typeof DOCTOR_PARTS)[number] | (typeof SBOM_PARTS)[number];

/**
 * The program that tells what is on a host: for a shell of root that reads it from stdin, so that one exec is enough.
 * @param nonce unlike anything that a host says
 * @param wanted the parts, in the order in which they are told
 * @param patterns extended regular expressions of lines of the configuration that are wanted
 */
export function hostProgram(nonce: string, wanted: readonly HostPart[], patterns: readonly string[]): string {
  return [
    `NONCE=${quote(nonce)}`,
    compact(parts),
    ...(wanted.includes("configuration") ? [configuration(patterns)] : []),
    `portrait() {\n${portraitScript}}\n`,
    ...(wanted.includes("sample") ? [sampleOnce(nonce)] : []),
    `for n in ${wanted.join(" ")}; do p $n; done\n`,
  ].join("\n");
}

function sampleOnce(nonce: string): string {
  return `sample() { printf '%s\\n' ${quote(sampleNonce(nonce))} | (${samplerCommand}); }\n`;
}

/** The sampler has parts of its own, which must not end ours. */
export function sampleNonce(nonce: string): string {
  return `${nonce}-sample`;
}
