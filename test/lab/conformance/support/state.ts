import { type KnownHost, onHost } from "./hosts.js";

/** Where cases leave something. */
const ROOTS = "/srv /etc /opt /usr/local /home /root /var/spool/cron /var/lib/cases";
/** What differs between any two hosts, or is an engine's own. */
const NOT_COMPARED = [
  ...["/etc/ssh/ssh_host_*", "/etc/machine-id", "/etc/hosts", "/etc/*-", "/etc/.pwd.lock", "/etc/ld.so.cache"],
  ...[
    "/etc/systemd/network/*",
    "/etc/systemd/system/lab-network.service",
    "*/.ansible",
    // Of jobs that nobody waits for.
    "*/.ansible_async",
    "/srv/cases/.results",
    "/home/ops/.ssh",
    "/root/.ssh",
    "/etc/mtab",
    // Names of backups have the time in them.
    "/etc/fstab.*",
  ],
];

const prune = NOT_COMPARED.map((path) => `-path '${path}'`).join(" -o ");
const walk = `find ${ROOTS} -xdev \\( ${prune} \\) -prune -o`;

/** Units that come and go by themselves. */
const RESTLESS =
  "^(user@|user-runtime|session-|systemd-|run-|apt-daily|dpkg-db|e2scrub|fstrim|getty|console-getty|ssh@|sshd@|edge-setup)";

/**
 * NUL-ended records: files (`F path type mode owner group links target`), hashes (`H sha path`), then lines of the
 * system's state (`S ...`).
 */
const SCRIPT = `
export LC_ALL=C
${walk} -printf 'F\\t%p\\t%y %#m %u:%g\\t%n\\t%l\\0' 2>/dev/null
${walk} -type f -print0 2>/dev/null | xargs -0 sha256sum -z | sed -z 's/^/H /'
{ getent passwd | sed 's/^/passwd /'
getent group | sed 's/^/group /'
getent shadow | sed 's/^/shadow /'
echo "hostname $(hostname)"
dpkg-query -W -f 'package \${Package} \${Version} \${db:Status-Abbrev}\\n'
apt-mark showmanual | sed 's/^/manual /'
systemctl list-unit-files --no-legend --plain | awk '$1 !~ /[.]scope$/ { print "unit file", $1, $2 }'
systemctl list-units --all --no-legend --plain --type=service,timer,mount,swap,socket |
  awk '$1 !~ /${RESTLESS.replaceAll("/", "\\/")}/ && $3 != "inactive" { print "unit", $1, $3 }'
findmnt -rn -o TARGET,FSTYPE,OPTIONS | grep -v -e '^/proc' -e '^/sys' -e '^/dev' -e '^/run/user' -e '^/ ' | sed 's/^/mount /'
} | tr '\\n' '\\0'
true
`;

/** What is on a host: a line of description by path, or by what it is. */
export type State = ReadonlyMap<string, string>;

export async function stateOf(host: KnownHost): Promise<State> {
  const text = await onHost(host, SCRIPT);
  const state = new Map<string, string>();
  for (const record of text.split("\0")) {
    const [kind] = record;
    if (kind === "F" && record.startsWith("F\t")) {
      const [, path = "", about = "", links = "", target = ""] = record.split("\t");
      const isCase = path.startsWith("/srv/cases/") && about.startsWith("f");
      state.set(
        `file ${path}`,
        [about, ...(isCase ? [`${links} links`] : []), ...(target === "" ? [] : [`-> ${target}`])].join(" "),
      );
    } else if (record.startsWith("H ")) {
      const [, sum = "", path = ""] = /^H (\S+) {2}(.*)$/s.exec(record) ?? [];
      state.set(`file ${path}`, `${state.get(`file ${path}`) ?? ""} sha256 ${sum}`);
    } else if (record !== "") state.set(record, "there");
  }
  return state;
}

export interface StateDifference {
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

export function compareStates(ours: State, theirs: State): StateDifference[] {
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return names.flatMap((name) => {
    const [a, b] = [ours.get(name) ?? "not there", theirs.get(name) ?? "not there"];
    return a === b ? [] : [{ what: name, ours: a, theirs: b }];
  });
}
