import type { Value } from "../playbook/types.js";
import { all, type Collected, fileText, one } from "./facts-answer.js";

const NET = "/sys/class/net";
/** By the kernel's number of the kind of link. */
const TYPES: Readonly<Record<string, string>> = {
  "1": "ether",
  "32": "infiniband",
  "512": "ppp",
  "772": "loopback",
  "65534": "tunnel",
};
/** IFF_PROMISC */
const PROMISCUOUS = 0x100;

interface Address {
  readonly link: string;
  readonly family: string;
  readonly address: string;
  readonly prefix: number;
  readonly broadcast: string;
  readonly scope: string;
  /** Of IPv4, the name under which it was given. */
  readonly label: string;
  readonly secondary: boolean;
}

const word = (line: string, key: string) => new RegExp(`(?:^| )${key} (\\S+)`).exec(line)?.[1];

/** `2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global eth0\       valid_lft ...` */
function addressOf(line: string): Address[] {
  const match = /^\d+:\s+(\S+)\s+(inet6?)\s+([^/\s]+)(?:\/(\d+))?/.exec(line);
  if (match === null) return [];
  const [, name = "", family = "", address = "", prefix = "32"] = match;
  const [said = ""] = line.split("\\");
  const link = name.replace(/@.*/, "");
  const peer = /inet6 \S+ peer \S+\/(\d+)/.exec(said)?.[1];
  return [
    {
      ...{ link, family, address, prefix: Number(peer ?? prefix) },
      broadcast: /inet \S+\/\d+ brd (\S+)/.exec(said)?.[1] ?? "",
      scope: word(said, "scope") ?? "",
      label: said.trim().split(/\s+/).at(-1) ?? link,
      secondary: / (secondary|temporary)( |$)/.test(said),
    },
  ];
}

const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");

/** An address of IPv4 with its network, as Ansible has it. */
function ipv4(of: Address): Record<string, Value> {
  const mask = of.prefix === 0 ? 0 : -1 << (32 - of.prefix);
  const bits = of.address.split(".").reduce((sum, part) => (sum << 8) | Number(part), 0);
  const { address, broadcast } = of;
  return { address, broadcast, netmask: dotted(mask), network: dotted(bits & mask), prefix: String(of.prefix) };
}

const linksOf = (got: Collected) =>
  [...got.keys()].flatMap((key) => /^\/sys\/class\/net\/([^/]+)\/mtu$/.exec(key)?.[1] ?? []);

/** What the kernel says of a link itself. */
function plainLink(got: Collected, name: string): Record<string, Value> {
  const mac = fileText(got, `${NET}/${name}/address`);
  const mtu = Number(fileText(got, `${NET}/${name}/mtu`));
  const type = TYPES[fileText(got, `${NET}/${name}/type`) ?? ""] ?? "unknown";
  return {
    ...(mac === undefined || mac === "00:00:00:00:00:00" ? {} : { macaddress: mac }),
    ...(mtu > 0 ? { mtu } : {}),
    type: linkFile(got, name, "bonding/mode") ? "bonding" : linkFile(got, name, "bridge/bridge_id") ? "bridge" : type,
  };
}

const linkFile = (got: Collected, name: string, file: string) => fileText(got, `${NET}/${name}/${file}`);

/** The words behind a link's name. */
function ofLink(got: Collected, key: string, name: string): string[] {
  return all(got, key).flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
}

const last = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function wholeLink(got: Collected, name: string): Record<string, Value> {
  const file = (path: string) => linkFile(got, name, path);
  const first = (path: string) => file(path)?.split(/\s+/)[0] ?? "";
  const [state, speed, flags, bridge, stp] = [
    ...[file("operstate"), file("speed"), file("flags"), file("bridge/bridge_id"), file("bridge/stp_state")],
  ];
  const [pciid, module] = [ofLink(got, "pciid", name)[0], ofLink(got, "module", name)[0]];
  const primary = file("bonding/primary");
  return {
    ...plainLink(got, name),
    ...(state === undefined ? {} : { active: state !== "down" }),
    ...(module === undefined ? {} : { module: last(module) }),
    ...(bridge === undefined ? {} : { id: bridge, interfaces: ofLink(got, "port", name), stp: stp === "1" }),
    ...(file("bonding/mode") === undefined
      ? {}
      : {
          slaves: file("bonding/slaves")?.split(/\s+/) ?? [],
          mode: first("bonding/mode"),
          miimon: first("bonding/miimon"),
          lacp_rate: first("bonding/lacp_rate"),
          ...(primary === undefined ? {} : { primary, all_slaves_active: file("bonding/all_slaves_active") === "1" }),
        }),
    ...(all(got, "slave").includes(name) ? { perm_macaddress: file("bonding_slave/perm_hwaddr") ?? "" } : {}),
    ...(pciid === undefined ? {} : { pciid: last(pciid) }),
    ...(speed === undefined ? {} : { speed: Number(speed) }),
    ...(flags === undefined ? {} : { promisc: (Number(flags) & PROMISCUOUS) > 0 }),
    ...ethtool(got, name),
  };
}

function ethtool(got: Collected, name: string): Record<string, Value> {
  const features = all(got, `features ${name}`).flatMap((line): [string, string][] => {
    const [key = "", value] = line.split(": ");
    return line.endsWith(":") || !value ? [] : [[key.trim().replaceAll("-", "_"), value.trim()]];
  });
  const said = all(got, `timestamping ${name}`).join("\n");
  const words = (pattern: RegExp) => [...said.matchAll(pattern)].map(([, found = ""]) => found.toLowerCase());
  const clock = /PTP Hardware Clock: (\d+)/.exec(said)?.[1];
  return {
    ...(features.length === 0 ? {} : { features: Object.fromEntries(features) }),
    ...(said === ""
      ? {}
      : {
          timestamping: words(/SOF_TIMESTAMPING_(\w+)/g),
          hw_timestamp_filters: words(/HWTSTAMP_FILTER_(\w+)/g),
          ...(clock === undefined ? {} : { phc_index: Number(clock) }),
        }),
  };
}

/** Addresses of the host, and the one that leads to the world. */
export function networkFacts(got: Collected): Record<string, Value> {
  const addresses = addressesOf(got);
  const every = (family: string, not: (address: string) => boolean) =>
    addresses.filter((one) => one.family === family && !not(one.address)).map(({ address }) => address);
  return {
    default_ipv4: route(got, "route4", "8.8.8.8", "inet"),
    all_ipv4_addresses: every("inet", (address) => address.startsWith("127.")),
    all_ipv6_addresses: every("inet6", (address) => address === "::1"),
  };
}

export function routeFacts(got: Collected): Record<string, Value> {
  return { default_ipv6: route(got, "route6", "2404:6800:400a:800::1012", "inet6") };
}

/** In Ansible's order: the primary ones of a link first. */
function addressesOf(got: Collected): Address[] {
  const found = all(got, "addr").flatMap(addressOf);
  const links = [...new Set(found.map(({ link }) => link))];
  return links.flatMap((link) => {
    const own = found.filter((one) => one.link === link);
    return [...own.filter((one) => !one.secondary), ...own.filter((one) => one.secondary)];
  });
}

function route(got: Collected, key: string, to: string, family: string): Record<string, Value> {
  const line = one(got, key);
  if (!line.startsWith(`${to} `)) return {};
  const [address, name, gateway] = ["src", "dev", "via"].map((about) => word(line, about));
  const of = addressesOf(got)
    .filter((one) => one.address === address && one.family === family)
    .at(-1);
  const { mtu, type, macaddress = "00:00:00:00:00:00" } = of === undefined ? {} : plainLink(got, of.link);
  const common = { macaddress, ...(mtu === undefined ? {} : { mtu }), type: type ?? "unknown" };
  const { address: _, ...net } = of === undefined || family !== "inet" ? { address: "" } : ipv4(of);
  const found =
    of === undefined
      ? {}
      : family === "inet"
        ? { ...net, ...common, alias: of.label }
        : { prefix: String(of.prefix), scope: of.scope, ...common };
  return {
    ...(name === undefined ? {} : { interface: name }),
    ...(address === undefined ? {} : { address }),
    ...(gateway === undefined ? {} : { gateway }),
    ...found,
  };
}

/** Links with all that is known of them, each under its own name. */
export function linkFacts(got: Collected): Record<string, Value> {
  const found = new Map<string, Record<string, Value>>();
  const addresses = addressesOf(got);
  for (const name of new Set([...linksOf(got), ...addresses.map(({ link }) => link)]))
    found.set(name, { device: name, ...wholeLink(got, name) });
  for (const of of addresses) {
    const device = found.get(of.link) ?? {};
    if (of.family === "inet6") {
      const { address, prefix, scope } = of;
      device.ipv6 = [...((device.ipv6 as Value[] | undefined) ?? []), { address, prefix: String(prefix), scope }];
      continue;
    }
    // An address that goes by a name of its own is a link to Ansible.
    const named = of.label === of.link ? device : {};
    found.set(of.label, named);
    const add = (to: Record<string, Value>) => {
      to.ipv4_secondaries = [...((to.ipv4_secondaries as Value[] | undefined) ?? []), ipv4(of)];
    };
    if (!of.secondary && named.ipv4 === undefined) named.ipv4 = ipv4(of);
    else add(named);
    if (of.secondary) {
      if (of.label !== of.link) add(device);
      device.ipv4_secondaries ??= [];
    }
  }
  const names = [...found.keys()].map((name) => name.replaceAll(":", "_"));
  const each = [...found].map(([name, of]): [string, Value] => [factName(name), of]);
  return { ...Object.fromEntries(each.filter(([name]) => !RESERVED.has(name))), interfaces: names };
}

/** An interface of such a name must not hide another fact. */
const RESERVED: ReadonlySet<string> = new Set(["env", "dns", "mounts", "system", "kernel", "machine", "processor"]);

/** As Ansible names the fact: a dot stays. */
function factName(link: string): string {
  return link.replaceAll(/[-:]/g, "_");
}
