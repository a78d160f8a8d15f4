import { compact } from "../modules/sh.js";
import type { Value, Vars } from "../playbook/types.js";
import { UnreachableError } from "../util/errors.js";
import { modelKey } from "../util/model-key.js";
import { safeLine } from "../util/safe-text.js";
import { machineFacts, machineOf, machineSummary } from "./facts-machine.js";
import { factsScript } from "./facts-script.js";

/** Facts of one host under Ansible's names (without `ansible_`), and what the engine itself needs. */
export interface HostFacts {
  readonly facts: Vars;
  readonly uid: number;
  readonly user: string;
  /** `Raspberry Pi Zero W Rev 1.1, Debian 12.5 armhf (ARMv6), 1 ARMv6 core, 426 MB and 99 MB of swap, 5.2 GB free (SD card)`. */
  readonly summary: string;
  /** The same for all machines of one kind. */
  readonly model: string;
}

/** The program that gathers facts. */
export const factsProgram = compact(factsScript);

/** The most that is read of the answer. */
export const FACTS_LIMIT = 512 * 1024;

const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  debian: "Debian",
  raspbian: "Debian",
  ubuntu: "Ubuntu",
  fedora: "Fedora",
  alpine: "Alpine",
  arch: "Archlinux",
  centos: "CentOS",
  rhel: "RedHat",
  rocky: "Rocky",
  almalinux: "AlmaLinux",
  opensuse: "openSUSE",
  linuxmint: "Linux Mint",
};
const FAMILIES: Readonly<Record<string, string>> = {
  Debian: "Debian",
  Ubuntu: "Debian",
  "Linux Mint": "Debian",
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

const ARCHITECTURES_64 = new Set(["amd64", "arm64", "ppc64el", "s390x", "riscv64", "mips64el", "loong64", "alpha"]);

/** Lines of an answer by the fact that they are about. */
export type Collected = ReadonlyMap<string, readonly string[]>;

/** Files whose lines count, and the name of the fact that they are. */
const FILES: Readonly<Record<string, string>> = {
  "/etc/os-release": "os",
  "/etc/debian_version": "debian_version",
  "/etc/machine-id": "machine_id",
  "/proc/1/comm": "init",
  "/proc/uptime": "uptime",
  "/proc/self/mounts": "mount",
  "/proc/device-tree/model": "board",
  "/sys/class/dmi/id/product_name": "product_name",
  "/sys/class/dmi/id/sys_vendor": "system_vendor",
  "/proc/cpuinfo": "cpu",
  "/proc/meminfo": "mem",
  "/proc/cmdline": "cmdline",
  "/etc/resolv.conf": "resolv",
};
/** Of an interface, its address or size of packets. */
const INTERFACE_FILE = /^\/sys\/class\/net\/([^/]+)\/(address|mtu)$/;
/** Facts that are all the lines a command prints. */
const LISTS = new Set(["addr", "df", "libraries"]);
/** A build that is whole, by the file that says so. */
const BUILD = /^\/opt\/edge\/builds\/([A-Za-z0-9._+~-]{1,100})\/\.complete$/;
/** Characters of what is said of a host in one line. */
const MAX_SUMMARY = 300;
/** Lines of one fact; a host of 256 processors has 1280 of them about those. */
const MAX_LINES = 5000;

/** The lines of an answer by the fact that they are about. */
function collect(answer: string): Collected {
  const got = new Map<string, string[]>();
  const add = (key: string, value: string) => {
    const list = got.get(key) ?? [];
    if (list.length < MAX_LINES) list.push(safeLine(value, FACTS_LIMIT));
    got.set(key, list);
  };
  let about = "";
  for (const line of answer.split("\n")) {
    if (line.startsWith("\x1e")) {
      const [key, value] = splitAt(line.slice(1), "\t");
      about = key;
      if (value !== "") add(key, value);
    } else if (about === "files") {
      const [path, value] = splitAt(line, ":");
      const [, link, what] = INTERFACE_FILE.exec(path) ?? [];
      if (link !== undefined) add(`${what} ${link}`, value);
      const key = FILES[path];
      // Mounts of no device (proc, tmpfs) are left out.
      if (key !== undefined && (key !== "mount" || value.startsWith("/"))) add(key, value);
    } else if (LISTS.has(about) && line !== "") add(about, line);
  }
  return got;
}

/**
 * Facts out of the program's answer.
 * @throws UnreachableError code E_FACTS when the answer is not complete.
 */
export function parseFacts(answer: string): HostFacts {
  const got = collect(answer);
  const [, uid, user = "", gid = ""] = /^uid=(\d+)(?:\((.*?)\))? gid=(\d+)/.exec(got.get("id")?.[0] ?? "") ?? [];
  if (!got.has("end") || uid === undefined) {
    throw new UnreachableError("E_FACTS", "The host's shell does not run the program that gathers facts.", {
      hint: "Check that the user's login shell can run sh.",
    });
  }
  const one = (key: string) => got.get(key)?.[0] ?? "";
  const plain: Record<string, Value> = {
    ...system(got),
    ...cpu(got),
    ...memory(got),
    ...network(got),
    ...time(one("date")),
    mounts: mounts(got),
    user_id: user,
    user_uid: Number(uid),
    user_gid: Number(gid),
    effective_user_id: Number(uid),
    real_user_id: Number(uid),
    effective_group_id: Number(gid),
    real_group_id: Number(gid),
    ...kernelLine(one("cmdline")),
    dns: dns(got.get("resolv") ?? []),
    env: Object.fromEntries((got.get("env") ?? []).map((entry) => splitAt(entry, "="))),
  };
  const machine = machineOf(plain, got);
  const facts = { ...plain, ...machineFacts(machine) };
  const model = modelKey(one("board"), String(facts.machine), Number(facts.processor_vcpus));
  return { facts, uid: Number(uid), user, summary: safeLine(machineSummary(plain, machine), MAX_SUMMARY), model };
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + mark.length)];
}

function system(got: Collected): Record<string, Value> {
  const one = (key: string) => got.get(key)?.[0] ?? "";
  const os = new Map((got.get("os") ?? []).map((entry) => splitAt(entry, "=")));
  const release = (key: string) => (os.get(key) ?? "").replace(/^(["'])(.*)\1$/, "$2");
  // -s -n -r -v -m; the version of the kernel is several words
  const [name = "Linux", nodename = "", kernel = "", ...words] = one("uname").split(" ");
  const machine = words.pop() ?? "";
  const id = release("ID");
  const distribution = DISTRIBUTIONS[id] ?? (release("NAME") || "OtherLinux");
  // Ansible takes the point release of Debian from /etc/debian_version
  const point = /^\d+(\.\d+)*$/.test(one("debian_version")) ? one("debian_version") : "";
  const version = (distribution === "Debian" ? point : "") || release("VERSION_ID") || "NA";
  const has = new Set(got.get("has") ?? []);
  const fqdn = one("fqdn") || nodename;
  const family = FAMILIES[distribution] ?? (release("ID_LIKE").includes("debian") ? "Debian" : distribution);
  const arch = one("dpkg_arch");
  return {
    system: name,
    kernel,
    kernel_version: words.join(" "),
    machine,
    architecture: machine,
    userspace_bits: arch === "" ? one("bits") : ARCHITECTURES_64.has(arch) ? "64" : "32",
    userspace_architecture: { amd64: "x86_64", arm64: "aarch64", i386: "i386" }[arch] ?? machine,
    nodename,
    hostname: nodename.split(".")[0] ?? nodename,
    fqdn,
    domain: fqdn.includes(".") ? fqdn.slice(fqdn.indexOf(".") + 1) : "",
    distribution,
    distribution_version: version,
    distribution_major_version: version.split(".")[0] ?? "NA",
    ...(version.split(".")[1] === undefined ? {} : { distribution_minor_version: version.split(".")[1] ?? "" }),
    distribution_file_parsed: true,
    distribution_file_path: "/etc/os-release",
    distribution_file_variety: distribution,
    distribution_release: release("VERSION_CODENAME") || "NA",
    os_family: family,
    service_mgr: one("systemd") === "yes" ? "systemd" : one("init") || "service",
    pkg_mgr: PACKAGE_MANAGERS.find((manager) => has.has(manager)) ?? "unknown",
    machine_id: one("machine_id"),
    product_name: one("product_name") || "NA",
    system_vendor: one("system_vendor") || "NA",
    virtualization_type: { "": "NA", none: "NA", "systemd-nspawn": "container" }[one("virt")] ?? one("virt"),
    uptime_seconds: Math.floor(Number(one("uptime").split(" ")[0]) || 0),
    edge_distribution_id: id,
    edge_dpkg_architecture: arch,
    // What modules for the distribution's NGINX have to be made for, where that is installed.
    edge_nginx_abi: /[ ,]nginx-abi-(\d[\d.]*-\d+)/.exec((got.get("libraries") ?? []).join("\n"))?.[1] ?? "",
    edge_commands: [...has],
    edge_builds: (got.get("build") ?? []).flatMap((path) => BUILD.exec(path)?.[1] ?? []),
  };
}

function cpu(got: Collected): Record<string, Value> {
  const lines = (got.get("cpu") ?? []).map((line) => splitAt(line, ":").map((part) => part.trim()));
  const values = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value ?? "");
  const vcpus = values("processor").length || Number(got.get("nproc")?.[0]) || 1;
  const sockets = new Set(values("physical id")).size || 1;
  const cores = Number(values("cpu cores")[0]) || Math.max(1, Math.floor(vcpus / sockets));
  const siblings = Number(values("siblings")[0]) || cores;
  return {
    // Ansible lists what stands about each processor, one behind the other.
    processor: lines.flatMap(([name = "", value = ""]) =>
      ["processor", "vendor_id", "model name"].includes(name) ? [value] : [],
    ),
    processor_count: sockets,
    processor_cores: cores,
    processor_threads_per_core: Math.max(1, Math.floor(siblings / cores)),
    processor_vcpus: vcpus,
    processor_nproc: Number(got.get("nproc")?.[0]) || vcpus,
  };
}

function memory(got: Collected): Record<string, Value> {
  // a line is `MemTotal:   8057340 kB`
  const kib = new Map((got.get("mem") ?? []).map((entry) => splitAt(entry, ":")));
  const mb = (key: string) => Math.floor((Number.parseInt(kib.get(key) ?? "", 10) || 0) / 1024);
  const total = mb("MemTotal");
  const free = mb("MemFree");
  const available = kib.has("MemAvailable") ? mb("MemAvailable") : free + mb("Buffers") + mb("Cached");
  const swap = { total: mb("SwapTotal"), free: mb("SwapFree"), cached: mb("SwapCached") };
  const cache = free + mb("Buffers") + mb("Cached");
  return {
    memtotal_mb: total,
    memfree_mb: free,
    swaptotal_mb: swap.total,
    swapfree_mb: swap.free,
    memory_mb: {
      real: { total, free, used: total - free },
      nocache: { free: cache, used: total - cache },
      swap: { ...swap, used: swap.total - swap.free },
    },
    edge_memavailable_mb: available,
  };
}

interface Address {
  readonly link: string;
  readonly family: string;
  readonly address: string;
  readonly prefix: number;
  readonly broadcast: string;
  readonly scope: string;
}

const word = (line: string, key: string) => new RegExp(`(?:^| )${key} (\\S+)`).exec(line)?.[1];

/** `2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0 ...` */
function addressOf(line: string): Address[] {
  const match = /^\d+:\s+(\S+)\s+(inet6?)\s+([^/\s]+)(?:\/(\d+))?/.exec(line);
  if (match === null) return [];
  const [, name = "", family = "", address = "", prefix = "32"] = match;
  const [broadcast = "", scope = ""] = [word(line, "brd"), word(line, "scope")];
  return [{ link: name.replace(/@.*/, ""), family, address, prefix: Number(prefix), broadcast, scope }];
}

const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");

/** An address of IPv4 with its network, as Ansible has it. */
function ipv4(of: Address): Record<string, Value> {
  const mask = of.prefix === 0 ? 0 : -1 << (32 - of.prefix);
  const bits = of.address.split(".").reduce((sum, part) => (sum << 8) | Number(part), 0);
  const { address, broadcast } = of;
  return { address, broadcast, netmask: dotted(mask), network: dotted(bits & mask), prefix: String(of.prefix) };
}

function network(got: Collected): Record<string, Value> {
  const addresses = (got.get("addr") ?? []).flatMap(addressOf);
  const links = [...new Set([...addresses.map(({ link }) => link), ...linksOf(got)])];
  const link = (name: string): Record<string, Value> => {
    const mac = got.get(`address ${name}`)?.[0] ?? "";
    const mtu = Number(got.get(`mtu ${name}`)?.[0]);
    const type = name === "lo" ? "loopback" : "ether";
    return { ...(mac === "" || name === "lo" ? {} : { macaddress: mac }), ...(mtu > 0 ? { mtu } : {}), type };
  };
  const own = (name: string, family: string) => addresses.filter((one) => one.link === name && one.family === family);
  const v6 = ({ address, prefix, scope }: Address) => ({ address, prefix: String(prefix), scope });
  const route = (line: string, family: string): Record<string, Value> => {
    const [address, name, gateway] = ["src", "dev", "via"].map((key) => word(line, key));
    if (address === undefined) return {};
    const of = addresses.find((one) => one.address === address && one.family === family);
    const more = of === undefined ? {} : family === "inet" ? { alias: of.link, ...ipv4(of) } : v6(of);
    return {
      ...more,
      ...(name === undefined ? {} : { ...link(name), interface: name }),
      address,
      ...(gateway === undefined ? {} : { gateway }),
    };
  };
  const each = links.map((name): [string, Value] => {
    const [first, ...others] = own(name, "inet");
    const six = own(name, "inet6");
    return [
      name.replaceAll(/[-:.]/g, "_"),
      {
        device: name,
        ...link(name),
        ...(first === undefined ? {} : { ipv4: ipv4(first) }),
        ...(others.length === 0 ? {} : { ipv4_secondaries: others.map(ipv4) }),
        ...(six.length === 0 ? {} : { ipv6: six.map(v6) }),
      },
    ];
  });
  const all = (family: string, not: (address: string) => boolean) =>
    addresses.filter((one) => one.family === family && !not(one.address)).map(({ address }) => address);
  return {
    ...Object.fromEntries(each.filter(([name]) => !RESERVED.has(name))),
    default_ipv4: route(got.get("route4")?.[0] ?? "", "inet"),
    default_ipv6: route(got.get("route6")?.[0] ?? "", "inet6"),
    all_ipv4_addresses: all("inet", (address) => address.startsWith("127.")),
    all_ipv6_addresses: all("inet6", (address) => address === "::1"),
    interfaces: links,
  };
}

/** An interface of such a name must not hide another fact. */
const RESERVED: ReadonlySet<string> = new Set(["env", "dns", "mounts", "system", "kernel", "machine", "processor"]);

function linksOf(got: Collected): string[] {
  return [...got.keys()].flatMap((key) => /^mtu (.+)$/.exec(key)?.[1] ?? []);
}

/** /proc/cmdline: words with values, all others are true. */
function kernelLine(line: string): Record<string, Value> {
  const words: Record<string, Value> = {};
  const all: Record<string, Value> = {};
  for (const part of line.trim().split(/\s+/)) {
    const [key, value] = splitAt(part, "=");
    if (key === "" || key === "__proto__") continue;
    const given = part.includes("=") ? value : true;
    words[key] = given;
    const before = all[key];
    all[key] = before === undefined ? given : [...(Array.isArray(before) ? before : [before]), given];
  }
  return { cmdline: words, proc_cmdline: all };
}

/** /etc/resolv.conf */
function dns(lines: readonly string[]): Value {
  const found: Record<string, Value> = {};
  const nameservers: string[] = [];
  for (const line of lines) {
    const [key = "", ...values] = line.trim().split(/\s+/);
    if (key === "nameserver") nameservers.push(...values);
    else if (key === "domain" && values[0] !== undefined) found.domain = values[0];
    else if (key === "search" || key === "sortlist") found[key] = values;
    else if (key === "options")
      found.options = Object.fromEntries(
        values.map((option) => splitAt(option, ":")).map(([name, value]) => [name, value === "" ? true : value]),
      );
  }
  return { ...(nameservers.length === 0 ? {} : { nameservers }), ...found };
}

function time(line: string): Record<string, Value> {
  const [epoch = "0", date = "", clock = "", tz = "", offset = "", weekday = "", ...more] = line.split(" ");
  const [weekday_number = "", weeknumber = "", nanos = "0"] = more;
  const at = new Date(Number(epoch) * 1000);
  const iso = Number.isNaN(at.getTime()) ? "" : at.toISOString();
  const [year = "", month = "", day = ""] = date.split("-");
  const [hour = "", minute = "", second = ""] = clock.split(":");
  const micros = nanos.slice(0, 6).padEnd(6, "0");
  const basic = `${year}${month}${day}T${hour}${minute}${second}`;
  const names = {
    ...{ year, month, day, hour, minute, second, date, time: clock, tz, tz_offset: offset },
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

function mounts(got: Collected): Value[] {
  const sizes = new Map<string, string[]>();
  for (const line of got.get("df") ?? []) {
    const words = line.split(/\s+/);
    const mount = words[6];
    if (mount !== undefined && words[0] !== "Filesystem") sizes.set(mount, words);
  }
  const listed = (got.get("mount") ?? []).map((line) => line.split(" "));
  const root = sizes.get("/");
  if (root !== undefined && !listed.some((words) => words[1] === "/")) {
    listed.unshift([root[0] ?? "", "/", root[1] ?? "", ""]);
  }
  return listed.map(([device = "", mount = "", fstype = "", options = ""]) => {
    const words = sizes.get(mount);
    const bytes = (index: number) => (Number(words?.[index]) || 0) * 1024;
    return { device, mount, fstype, options, size_total: bytes(2), size_available: bytes(4) };
  });
}
