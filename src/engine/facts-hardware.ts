import type { Value } from "../playbook/types.js";
import { all, type Collected, fileText, one, splitAt } from "./facts-answer.js";

/** How many bits of a mask are set; a mask of many processors has commas. */
function bitsOf(mask: string): number {
  return [...mask.replaceAll(",", "")].reduce((sum, digit) => {
    let count = 0;
    for (let rest = Number.parseInt(digit, 16); rest > 0; rest >>= 1) count += rest & 1;
    return sum + count;
  }, 0);
}

/** Counted as Ansible does: what /proc/cpuinfo does not say is one. */
export function processorFacts(got: Collected): Record<string, Value> {
  const lines = all(got, "cpu").map((line) => splitAt(line, ":").map((part) => part.trim()));
  const values = (key: string) => lines.filter(([name]) => name === key).map(([, value]) => value ?? "");
  const listed = lines.flatMap(([name = "", value = ""]) =>
    ["model name", "Processor", "vendor_id", "cpu", "Vendor", "processor"].includes(name) ? [value] : [],
  );
  const [vendors, processors] = [values("vendor_id").length, values("processor").length];
  const machine = one(got, "uname").split(" ").at(-1) ?? "";
  const many = vendors > 0 && vendors === values("model name").length ? vendors : listed.length;
  const count = /^(armv|aarch|ppc)/.test(machine) ? processors : many;
  const sockets = new Set(values("physical id")).size;
  const cores = Number(values("cpu cores")[0]) || 1;
  const threads = Math.floor((Number(values("siblings")[0]) || 1) / cores);
  const packages = sockets || (values("cpu cores").length > 0 ? 1 : count);
  const allowed = /\S+$/.exec(one(got, "/proc/self/status"))?.[0] ?? "";
  return {
    processor: listed,
    processor_count: packages,
    processor_cores: cores,
    processor_threads_per_core: threads,
    processor_vcpus: threads * packages * cores,
    processor_nproc: bitsOf(allowed) || processors,
  };
}

export function memoryFacts(got: Collected): Record<string, Value> {
  // a line is `MemTotal:   8057340 kB`
  const kib = new Map(all(got, "mem").map((entry) => splitAt(entry, ":")));
  const mb = (key: string) => Math.floor((Number.parseInt(kib.get(key) ?? "", 10) || 0) / 1024);
  const total = mb("MemTotal");
  const free = mb("MemFree");
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
    edge_memavailable_mb: kib.has("MemAvailable") ? mb("MemAvailable") : cache,
  };
}

/** The kind of a case, by the number that SMBIOS (DSP0134 3.2.0, 7.4.1) has for it. */
const FORMS = [
  ...["Unknown", "Other", "Unknown", "Desktop", "Low Profile Desktop", "Pizza Box", "Mini Tower", "Tower", "Portable"],
  ...["Laptop", "Notebook", "Hand Held", "Docking Station", "All In One", "Sub Notebook", "Space-saving", "Lunch Box"],
  ...["Main Server Chassis", "Expansion Chassis", "Sub Chassis", "Bus Expansion Chassis", "Peripheral Chassis"],
  ...["RAID Chassis", "Rack Mount Chassis", "Sealed-case PC", "Multi-system", "CompactPCI", "AdvancedTCA", "Blade"],
  ...["Blade Enclosure", "Tablet", "Convertible", "Detachable", "IoT Gateway", "Embedded PC", "Mini PC", "Stick PC"],
];
export const DMI = "/sys/devices/virtual/dmi/id";
const DMI_NAMES =
  "bios_date bios_vendor bios_version board_asset_tag board_name board_serial board_vendor board_version chassis_asset_tag " +
  "chassis_serial chassis_vendor chassis_version product_name product_serial product_uuid product_version";

/** What the firmware says of the machine; NA where it says nothing, or not to everybody. */
export function dmiFacts(got: Collected): Record<string, Value> {
  const read = (file: string) => fileText(got, `${DMI}/${file}`) ?? "NA";
  const form = read("chassis_type");
  return {
    ...Object.fromEntries(DMI_NAMES.split(" ").map((name) => [name, read(name)])),
    form_factor: form === "NA" ? form : (FORMS[Number(form)] ?? `unknown (${form})`),
    system_vendor: read("sys_vendor"),
  };
}

/** Octal escapes of a table of mounts. */
const unescaped = (text: string) =>
  text.replace(/\\[0-9]{3}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 8)));

interface Sizes {
  readonly sizes: Record<string, Value>;
}

/** A line of `stat -fc '%S %s %b %a %c %d %n'`. */
function sizesOf(line: string): [string, Sizes][] {
  const match = /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (.*)$/.exec(line);
  if (match === null) return [];
  const [unit = 0, block = 0, total = 0, free = 0, inodes = 0, unused = 0] = match.slice(1, 7).map(Number);
  const sizes = {
    ...{ size_total: unit * total, size_available: unit * free },
    ...{ block_size: block, block_total: total, block_available: free, block_used: total - free },
    ...{ inode_total: inodes, inode_available: unused, inode_used: inodes - unused },
  };
  return [[match[7] ?? "", { sizes }]];
}

/** What is mounted of devices and from servers. */
export function mountFacts(got: Collected): Record<string, Value> {
  const sizes = new Map(all(got, "statfs").flatMap(sizesOf));
  const binds = new Set(
    all(got, "findmnt").flatMap((line) => {
      const [target = "", source = ""] = line.trim().split(/\s+/);
      return source.includes("]") ? [target] : [];
    }),
  );
  const ids = new Map(
    all(got, "udev").flatMap((line): [string, string][] => {
      const [device, said] = splitAt(line, " ");
      return said === "" ? [] : [[device, splitAt(said, "=")[1]]];
    }),
  );
  for (const line of all(got, "lsblk").toReversed()) {
    const [, device, id] = /^\s*(.*\S)\s+(\S+)\s*$/.exec(line) ?? [];
    if (device !== undefined && id !== undefined) ids.set(device, id);
  }
  const mounts = new Map<string, Value>();
  for (const line of all(got, "mtab")) {
    const [device = "", mount = "", fstype = "", options = ""] = line.split(" ").map(unescaped);
    if (fstype === "none") continue;
    const bind = binds.has(mount) && !/^.*bind.*"/.test(options) ? ",bind" : "";
    const uuid = ids.get(device) ?? "N/A";
    mounts.set(mount, { mount, device, fstype, options: options + bind, ...sizes.get(mount)?.sizes, uuid });
  }
  return { mounts: [...mounts.values()] };
}

const UNITS = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/** As Ansible writes sizes: `256.00 GB`. */
function human(bytes: number): string {
  let unit = 0;
  let rest = bytes;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${rest.toFixed(2)} ${UNITS[unit]}`;
}

type Links = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Names of devices that are links to them, by kind and device. */
function deviceLinks(got: Collected): Links {
  const kinds = new Map<string, Map<string, string[]>>();
  for (const kind of ["ids", "uuids", "labels", "masters"]) kinds.set(kind, new Map());
  const add = (kind: string, device: string, name: string) => {
    const of = kinds.get(kind);
    of?.set(device, [...(of.get(device) ?? []), name].sort());
  };
  for (const line of all(got, "disk")) {
    const [, kind = "", name = "", target = ""] = /^\/dev\/disk\/by-(id|uuid|label)\/(\S+) (.*)$/.exec(line) ?? [];
    if (kind !== "") add(`${kind}s`, target.slice(target.lastIndexOf("/") + 1), name);
  }
  for (const line of all(got, "block")) {
    const [, device, slave] = /^\/sys\/block\/([^/]+)\/slaves\/([^/ ]+)$/.exec(line) ?? [];
    if (device !== undefined && slave !== undefined) add("masters", slave, device);
  }
  return kinds;
}

const linksOf = (links: Links, device: string) =>
  Object.fromEntries([...links].map(([kind, of]) => [kind, [...(of.get(device) ?? [])]]));

/** Block devices and their partitions. */
export function deviceFacts(got: Collected): Record<string, Value> {
  const links = deviceLinks(got);
  const blocks = all(got, "block").flatMap((line): [string, string][] => {
    const [, name, target = ""] = /^\/sys\/block\/([^/ ]+) (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, target]];
  });
  const devices = blocks.map(([block, target]): [string, Value] => [
    target === "" ? block : target.slice(target.lastIndexOf("/") + 1),
    deviceOf(got, block, target, links),
  ]);
  const whole = Object.fromEntries([...links].map(([kind, of]) => [kind, Object.fromEntries(of)]));
  return { devices: Object.fromEntries(devices), device_links: whole as Value };
}

function holdersOf(got: Collected, directory: string): string[] {
  return all(got, "block").flatMap((line) => {
    const name = line.startsWith(`${directory}/holders/`) ? line.slice(directory.length + "/holders/".length) : "";
    return name === "" ? [] : [fileText(got, `${directory}/holders/${name}/dm/name`) ?? name];
  });
}

function deviceOf(got: Collected, block: string, target: string, links: Links): Record<string, Value> {
  const directory = `/sys/block/${block}`;
  const read = (file: string) => fileText(got, `${directory}/${file}`) ?? null;
  const inquired = all(got, "sg_inq").find((line) => line.startsWith(`${block} `));
  const serial =
    inquired === undefined
      ? fileText(got, `${directory}/device/serial`)
      : /(?:Unit serial|Serial) number:\s+(\w+)/.exec(inquired)?.[1];
  const wwn = links
    .get("ids")
    ?.get(block)
    ?.filter((name) => name.startsWith("wwn-"))
    .at(-1)
    ?.slice("wwn-".length);
  const sectors = read("size");
  const pci = /.+\/([a-f0-9]{4}:[a-f0-9]{2}:[01|][a-f0-9]\.[0-7])\//.exec(`/sys/block/${target}`)?.[1];
  const host = pci === undefined ? undefined : all(got, "lspci").find((line) => line.startsWith(`${pci} `));
  return {
    // Where /sys/block has links, Ansible takes every device for a virtual one.
    virtual: 1,
    links: linksOf(links, block),
    ...{ vendor: read("device/vendor"), model: read("device/model"), sas_address: read("device/sas_address") },
    sas_device_handle: read("device/sas_device_handle"),
    ...(serial === undefined ? {} : { serial }),
    ...{ removable: read("removable"), support_discard: read("queue/discard_granularity") },
    ...(wwn === undefined ? {} : { wwn }),
    partitions: Object.fromEntries(partitionsOf(got, block, links)),
    rotational: read("queue/rotational"),
    scheduler_mode: /\[(.*)\]/.exec(read("queue/scheduler") ?? "")?.[1] ?? "",
    sectors: sectors ?? 0,
    sectorsize: read("queue/logical_block_size") ?? 512,
    size: human(Number(sectors ?? 0) * 512),
    host: host?.slice((pci?.length ?? 0) + 1) ?? "",
    holders: holdersOf(got, directory),
  };
}

function partitionsOf(got: Collected, block: string, links: Links): [string, Value][] {
  const beginning = `/sys/block/${block}/`;
  const names = [...got.keys()].flatMap((key) => {
    const name =
      key.startsWith(beginning) && key.endsWith("/start") ? key.slice(beginning.length, -"/start".length) : "";
    return name.startsWith(block) && /^p?\d+$/.test(name.slice(block.length)) ? [name] : [];
  });
  return names.map((name) => {
    const directory = beginning + name;
    const sectors = fileText(got, `${directory}/size`) ?? 0;
    const part = {
      links: linksOf(links, name),
      start: fileText(got, `${directory}/start`) ?? 0,
      sectors,
      sectorsize: 512,
      size: human(Number(sectors) * 512),
      uuid: links.get("uuids")?.get(name)?.[0] ?? null,
      holders: holdersOf(got, directory),
    };
    return [name, part];
  });
}

/** Volumes, by LVM's own programs: volumes of groups on physical ones. */
export function lvmFacts(got: Collected): Record<string, Value> {
  if (!got.has("vgs")) return { lvm: "N/A" };
  const rows = (program: string) =>
    all(got, program).flatMap((line) => (line === "found" ? [] : [line.trim().split(",")]));
  const mapped = new Map(all(got, "dm").map((line) => splitAt(line.trim(), " ")));
  const physical = (device: string) => (mapped.has(device) ? `/dev/mapper/${mapped.get(device)}` : device);
  const at = (words: readonly string[], index: number) => words.at(index) ?? "";
  return {
    lvm: {
      vgs: Object.fromEntries(
        rows("vgs").map((row) => [
          at(row, 0),
          { size_g: at(row, -2), free_g: at(row, -1), num_lvs: at(row, 2), num_pvs: at(row, 1) },
        ]),
      ),
      lvs: Object.fromEntries(rows("lvs").map((row) => [at(row, 0), { size_g: at(row, 3), vg: at(row, 1) }])),
      pvs: Object.fromEntries(
        rows("pvs").map((row) => [physical(at(row, 0)), { size_g: at(row, 4), free_g: at(row, 5), vg: at(row, 1) }]),
      ),
    },
  };
}
