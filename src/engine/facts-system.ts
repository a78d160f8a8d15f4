import type { Value } from "../playbook/types.js";
import { all, type Collected, fileText, one, splitAt } from "./facts-answer.js";

/** By `ID` of /etc/os-release, where Ansible does not tell them by a word in it. */
const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  fedora: "Fedora",
  alpine: "Alpine",
  arch: "Archlinux",
  centos: "CentOS",
  rhel: "RedHat",
  rocky: "Rocky",
  almalinux: "AlmaLinux",
  opensuse: "openSUSE",
};
/** Of Debian and what comes from it, by words in /etc/os-release: the first one counts. */
const DEBIAN_LIKE: readonly (readonly [RegExp, string])[] = [
  [/Debian|Raspbian/, "Debian"],
  [/Ubuntu/, "Ubuntu"],
  [/Kali/, "Kali"],
  [/Parrot/, "Parrot"],
  [/Devuan/, "Devuan"],
  [/Mint/, "Linux Mint"],
];
const FAMILIES: Readonly<Record<string, string>> = {
  Fedora: "RedHat",
  CentOS: "RedHat",
  RedHat: "RedHat",
  Rocky: "RedHat",
  AlmaLinux: "RedHat",
  Alpine: "Alpine",
  Archlinux: "Archlinux",
  openSUSE: "Suse",
};
const PACKAGE_MANAGERS = ["apt", "dnf", "apk", "pacman", "zypper"];
/** What the first process is called, and its manager where that has another name. */
const MANAGERS: Readonly<Record<string, string>> = {
  procd: "openwrt_init",
  "runit-init": "runit",
  svscan: "svc",
  "openrc-init": "openrc",
};
const ARCHITECTURES_64 = new Set(["amd64", "arm64", "ppc64el", "s390x", "riscv64", "mips64el", "loong64", "alpha"]);
/** A build that is whole, by the file that says so. */
const BUILD = /^\/opt\/edge\/builds\/([A-Za-z0-9._+~-]{1,100})\/\.complete$/;

const dots = (version: string) => version.split(".").length;

/** As Ansible tells it from /etc/os-release and /etc/debian_version. */
function distribution(got: Collected): Record<string, Value> {
  const lines = all(got, "os");
  const os = new Map(lines.map((entry) => splitAt(entry, "=")));
  const release = (key: string) => (os.get(key) ?? "").replace(/^(["'])(.*)\1$/, "$2");
  const id = release("ID");
  const data = lines.join("\n");
  const like = DEBIAN_LIKE.find(([word]) => word.test(data))?.[1];
  const name = like ?? DISTRIBUTIONS[id] ?? (release("NAME") || "OtherLinux");
  const point = one(got, "debian_version");
  const given = release("VERSION_ID");
  // Debian's own point releases stand in a file of their own.
  const precise = id === "debian" && point !== "" && (given === "" || dots(point) > dots(given)) ? point : given;
  const version = precise || "NA";
  const minor = name === "Debian" ? /\d+\.(\d+)/.exec(point)?.[1] : undefined;
  const named = name === "Debian" ? /PRETTY_NAME=[^(]+ \(?([^)]+?)\)/.exec(data)?.[1] : undefined;
  return {
    distribution: name,
    distribution_version: version,
    distribution_major_version: name === "Devuan" ? version : version.split(".")[0] || "NA",
    ...(minor === undefined ? {} : { distribution_minor_version: minor }),
    distribution_file_parsed: true,
    distribution_file_path: "/etc/os-release",
    distribution_file_variety: like === undefined ? name : "Debian",
    distribution_release: named ?? (release("VERSION_CODENAME") || release("UBUNTU_CODENAME") || "NA"),
    os_family: like === undefined ? (FAMILIES[name] ?? name) : "Debian",
    edge_distribution_id: id,
  };
}

function serviceManager(got: Collected): string {
  const init = one(got, "init").trim();
  if (init !== "" && init !== "init" && !init.endsWith("sh")) return MANAGERS[init] ?? init;
  return one(got, "systemd") === "yes" ? "systemd" : "service";
}

/** What every program about facts asks for. */
export function systemFacts(got: Collected): Record<string, Value> {
  // -s -n -r -v -m; the version of the kernel is several words
  const [name = "Linux", nodename = "", kernel = "", ...words] = one(got, "uname").split(" ");
  const machine = words.pop() ?? "";
  const has = all(got, "has");
  const packages = all(got, "libraries");
  const arch = packages.find((line) => /^dpkg [a-z]/.test(line))?.slice("dpkg ".length) ?? one(got, "dpkg_arch");
  const of = distribution(got);
  const bits = arch === "" ? one(got, "bits") : ARCHITECTURES_64.has(arch) ? "64" : "32";
  const is86 = /i([3456]86|86pc)/.test(machine);
  return {
    system: name,
    kernel,
    kernel_version: words.join(" "),
    machine,
    architecture: is86 ? "i386" : machine,
    userspace_bits: bits,
    ...(machine === "x86_64" || is86 ? { userspace_architecture: bits === "64" ? "x86_64" : "i386" } : {}),
    nodename,
    hostname: nodename.split(".")[0] ?? nodename,
    ...of,
    service_mgr: serviceManager(got),
    pkg_mgr: of.os_family === "Debian" ? "apt" : (PACKAGE_MANAGERS.find((one) => has.includes(one)) ?? "unknown"),
    edge_dpkg_architecture: arch,
    // What modules for the distribution's NGINX have to be made for, where that is installed.
    edge_nginx_abi: /[ ,]nginx-abi-(\d[\d.]*-\d+)/.exec(packages.join("\n"))?.[1] ?? "",
    edge_commands: [...has],
    edge_builds: all(got, "build").flatMap((path) => BUILD.exec(path)?.[1] ?? []),
  };
}

/** The name that resolving gives, as Python's socket.getfqdn() chooses it. */
export function nameFacts(got: Collected): Record<string, Value> {
  const nodename = one(got, "uname").split(" ")[1] ?? "";
  // An address and its names, or one name.
  const words = one(got, "fqdn").split(/\s+/).filter(Boolean);
  const names = words.length > 1 ? words.slice(1) : words;
  const fqdn = names.find((word) => word.includes(".")) ?? names[0] ?? nodename;
  return { fqdn, domain: fqdn.split(".").slice(1).join(".") };
}

/** Words of the kernel's line: those with values, all others true; quoted ones stay together, quotes and all. */
export function kernelLine(got: Collected): Record<string, Value> {
  const line = fileText(got, "/proc/cmdline");
  if (line === undefined) return {};
  const words: Record<string, Value> = {};
  const every: Record<string, Value> = {};
  for (const part of line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []) {
    const [key, value] = splitAt(part, "=");
    if (key === "__proto__") continue;
    const given = part.includes("=") ? value : true;
    words[key] = given;
    const before = every[key];
    every[key] =
      before === undefined || given === true ? given : [...(Array.isArray(before) ? before : [before]), given];
  }
  return { cmdline: words, proc_cmdline: every };
}

/** /etc/resolv.conf */
export function dnsFacts(got: Collected): Record<string, Value> {
  const found: Record<string, Value> = {};
  const nameservers: string[] = [];
  for (const line of all(got, "/etc/resolv.conf")) {
    if (/^[#;]/.test(line)) continue;
    const [key = "", ...values] = line.trim().split(/\s+/);
    if (key === "nameserver") {
      nameservers.push(...values);
      found.nameservers = nameservers;
    } else if (key === "domain" && values[0] !== undefined) found.domain = values[0];
    else if (key === "search" || key === "sortlist") found[key] = values;
    else if (key === "options")
      found.options = Object.fromEntries(
        values.map((option) => splitAt(option, ":")).map(([name, value]) => [name, value === "" ? true : value]),
      );
  }
  return { dns: found };
}

/** The clock now, and the names of the time zone in winter and summer. */
export function timeFacts(got: Collected): Record<string, Value> {
  const [line = "", january = "", july = ""] = all(got, "date");
  const [epoch = "0", date = "", clock = "", tz = "", offset = "", weekday = "", ...more] = line.split(" ");
  const [weekday_number = "", weeknumber = "", nanos = "0"] = more;
  const at = new Date(Number(epoch) * 1000);
  const iso = Number.isNaN(at.getTime()) ? "" : at.toISOString();
  const [year = "", month = "", day = ""] = date.split("-");
  const [hour = "", minute = "", second = ""] = clock.split(":");
  const micros = nanos.slice(0, 6).padEnd(6, "0");
  const basic = `${year}${month}${day}T${hour}${minute}${second}`;
  const names = {
    ...{ year, month, day, hour, minute, second, date, time: clock, tz, tz_offset: offset, tz_dst: dst(january, july) },
    ...{ weekday, weekday_number, weeknumber, iso8601_basic: basic + micros, iso8601_basic_short: basic },
  };
  return {
    date_time: {
      ...names,
      epoch,
      epoch_int: epoch,
      iso8601: iso.replace(/\.\d+Z$/, "Z"),
      iso8601_micro: iso.replace(/\.\d+Z$/, `.${micros}Z`),
    },
  };
}

/** As Python: the zone's name in July, in January south of the equator. */
function dst(january: string, july: string): string {
  const [winter, summer] = [january, july].map((line) => line.split(" "));
  const east = (words: readonly string[] | undefined) => Number(words?.[4] ?? 0);
  return (east(winter) > east(summer) ? winter : summer)?.[3] ?? "";
}

/** `key=value` of a user's line in passwd, and the ids of who asks. */
export function userFacts(got: Collected): Record<string, Value> {
  const [, uid = "0", gid = "0"] = /^uid=(\d+)(?:\(.*?\))? gid=(\d+)/.exec(one(got, "id")) ?? [];
  const [name = "", , id = "", group = "", gecos = "", directory = "", shell = ""] = one(got, "passwd").split(":");
  const { user_id = name } = { user_id: name };
  return {
    user_id,
    user_uid: Number(id),
    user_gid: Number(group),
    user_gecos: gecos,
    user_dir: directory,
    user_shell: shell,
    ...{ real_user_id: Number(uid), effective_user_id: Number(uid) },
    ...{ real_group_id: Number(gid), effective_group_id: Number(gid) },
  };
}

/** /etc/lsb-release, where there is no lsb_release that answers. */
const LSB_FILE = [
  ["DISTRIB_ID", "id"],
  ["DISTRIB_RELEASE", "release"],
  ["DISTRIB_DESCRIPTION", "description"],
  ["DISTRIB_CODENAME", "codename"],
] as const;
const LSB_PROGRAM = [
  ["LSB Version:", "release"],
  ["Distributor ID:", "id"],
  ["Description:", "description"],
  ["Release:", "release"],
  ["Codename:", "codename"],
] as const;

export function lsbFacts(got: Collected): Record<string, Value> {
  const read = (lines: readonly string[], names: readonly (readonly [string, string])[], mark: string) =>
    lines.flatMap((line): [string, string][] => {
      const name = names.find(([word]) => line.includes(word))?.[1];
      return name === undefined || !line.includes(mark) ? [] : [[name, splitAt(line, mark)[1].trim()]];
    });
  const said = read(all(got, "lsb"), LSB_PROGRAM, ":");
  const found = Object.fromEntries(said.length > 0 ? said : read(all(got, "/etc/lsb-release"), LSB_FILE, "="));
  const { release } = found;
  const whole = release === undefined ? found : { ...found, major_release: release.split(".")[0] ?? "" };
  return {
    lsb: Object.fromEntries(
      Object.entries(whole).map(([name, value]) => [name, value.replace(/^['"\\]+|['"\\]+$/g, "")]),
    ),
  };
}

/** Keys of the host's SSH server, of the first directory that has some. */
export function sshFacts(got: Collected): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const directory of ["/etc/ssh", "/etc/openssh", "/etc"])
    for (const kind of ["dsa", "rsa", "ecdsa", "ed25519"]) {
      const name = `ssh_host_key_${kind}_public`;
      if (name in found) return found;
      const [type, key] = fileText(got, `${directory}/ssh_host_${kind}_key.pub`)?.split(/\s+/) ?? [];
      if (type === undefined || key === undefined) continue;
      found[name] = key;
      found[`${name}_keytype`] = type;
    }
  return found;
}

const MODES: Readonly<Record<string, string>> = { "1": "enforcing", "0": "permissive" };

export function selinuxFacts(got: Collected): Record<string, Value> {
  if (one(got, "selinux") === "")
    return { selinux: { status: "Missing selinux Python library" }, selinux_python_present: false };
  const enforce = fileText(got, "/sys/fs/selinux/enforce");
  if (enforce === undefined) return { selinux: { status: "disabled" }, selinux_python_present: true };
  const config = (key: string) =>
    all(got, "/etc/selinux/config")
      .flatMap((line) => new RegExp(`^${key}=\\s*(\\S+)`).exec(line)?.[1] ?? [])
      .at(-1);
  return {
    selinux: {
      status: "enabled",
      policyvers: Number(fileText(got, "/sys/fs/selinux/policyvers") ?? 0),
      config_mode: config("SELINUX") ?? "unknown",
      mode: MODES[enforce] ?? "unknown",
      type: config("SELINUXTYPE") ?? "unknown",
    },
    selinux_python_present: true,
  };
}

/** What `capsh --print` says. */
export function capabilityFacts(got: Collected): Record<string, Value> {
  const lines = all(got, "caps");
  if (lines.length === 0) return { system_capabilities: "N/A", system_capabilities_enforced: "N/A" };
  let [enforced, capabilities]: [string, string[]] = ["NA", []];
  for (const line of lines) {
    if (!line.startsWith("Current:")) continue;
    const free = line.split(":")[1]?.trim() === "=ep";
    enforced = free ? "False" : "True";
    if (!free) capabilities = (line.split("=")[1] ?? "").split(",").map((name) => name.trim());
  }
  return { system_capabilities: capabilities, system_capabilities_enforced: enforced };
}

/** Whether / is another one than that of the first process; who may not see that one goes by its number. */
export function chrootFacts(got: Collected): Record<string, Value> {
  if (one(got, "chroot") !== "") return { is_chroot: true };
  const [own = "", first] = one(got, "inodes").trim().split(" ");
  if (first !== undefined) return { is_chroot: own !== first };
  const kind = one(got, "rootfs");
  const expected = kind.includes("btrfs") ? "256" : kind.includes("xfs") ? "128" : "2";
  return { is_chroot: own.split(":")[1] !== expected };
}
