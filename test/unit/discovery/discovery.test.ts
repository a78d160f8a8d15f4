import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { capability } from "../../../src/discovery/capability.js";
import { detectHosts } from "../../../src/discovery/detect-hosts.js";
import { checkDomain, portState } from "../../../src/discovery/domain-check.js";
import { checkHost, parsePortrait } from "../../../src/discovery/portrait.js";
import { portraitScript } from "../../../src/discovery/portrait-script.js";
import { storageKindOf } from "../../../src/discovery/storage.js";
import { powerWords } from "../../../src/discovery/throttled.js";
import { UnreachableError } from "../../../src/util/errors.js";
import type { DetectedHost } from "../../../src/wizard/types.js";

const signal = new AbortController().signal;

function answer(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}\t${value}\n`)
    .join("");
}

const pi4 = {
  clock: "1000",
  model: "Raspberry Pi 4 Model B Rev 1.4",
  machine: "aarch64",
  arch: "arm64",
  id: "debian",
  version: "13",
  point: "13.1",
  cores: "4",
  total: "3884000",
  available: "3000000",
  free: "25000000",
  swap: "102396",
  root_device: "/sys/devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0/mmcblk0p2",
  root_rotational: "0",
  root_type: "SD",
  throttled: "throttled=0x50005",
  uid: "1000",
  sudo: "free",
  addresses: "192.0.2.7 2001:db8::7 ",
  systemd: "yes",
  end: "ok",
};

t.test("a Raspberry Pi with a weak power supply", async (t) => {
  const portrait = parsePortrait(answer(pi4), 1000);
  t.match(portrait, {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    modelKey: "Raspberry Pi 4 Model B",
    os: "Debian 13.1",
    userland: "arm64/armv8-a",
    architecture: "arm64",
    cpuLevel: "armv8-a",
    storage: "SD card",
    cores: 4,
    sudo: "passwordless",
    clockSkewMs: 0,
    addresses: ["192.0.2.7", "2001:db8::7"],
    capability: /720p \+ 480p/,
    warnings: ["under-voltage now: use the original power supply", "it is throttled now"],
  });
});

t.test("what speaks against a host is said", async (t) => {
  const warnings = (change: Partial<typeof pi4>) =>
    parsePortrait(answer({ ...pi4, throttled: "", ...change }), 1000).warnings.join("\n");
  t.equal(warnings({}), "");
  t.match(warnings({ id: "debian", version: "11", point: "11.9" }), /Debian 11\.9 is not supported/);
  t.match(warnings({ free: "300000" }), /only 307 MB of disk are free/);
  t.match(warnings({ clock: "600000" }), /its clock is 10 min ahead/);
  t.match(warnings({ sudo: "" }), /neither|has no sudo/);
  t.match(warnings({ systemd: "" }), /systemd/);
});

t.test("32-bit systems are told apart, and a CPU that does not run one is said", async (t) => {
  const portrait = (change: Partial<typeof pi4> & { parts?: string }) =>
    parsePortrait(answer({ ...pi4, ...change }), 1000);
  const pi3 = portrait({ machine: "armv7l", arch: "armhf", id: "raspbian", parts: "0xd03 " });
  t.match(pi3, { userland: "armhf/armv6", architecture: "armhf (ARMv6)", cpuLevel: "armv8-a", swapMb: 99 });
  t.equal(portrait({ arch: "armhf" }).architecture, "armhf (ARMv7) on a 64-bit kernel");
  t.match(portrait({ machine: "armv6l", arch: "armhf" }).warnings[0], /CPU \(armv6l\) does not run/);
});

for (const [device, rotational, type, kind] of [
  ["/sys/devices/platform/soc/3f202000.mmc/mmc_host/mmc0/mmc0:0001/block/mmcblk0/mmcblk0p2", "0", "SD", "SD card"],
  ["/sys/devices/platform/soc/fe340000.mmc/mmc_host/mmc1/mmc1:0001/block/mmcblk1/mmcblk1p2", "0", "MMC", "eMMC"],
  [
    "/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host0/target0:0:0/0:0:0:0/block/sda/sda2",
    "1",
    "0",
    "USB drive",
  ],
  ["/sys/devices/pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p2", "0", "", "NVMe"],
  ["/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1", "0", "0", "SSD"],
  ["/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1", "1", "0", "hard disk"],
  ["/sys/devices/vbd-51712/block/xvda/xvda1", "0", "", "virtual disk"],
  ["/sys/dev/block/0:61", "", "", undefined],
] as const) {
  t.equal(storageKindOf(device, rotational, type), kind, device);
}

t.test("a host that answers nonsense is shown, not believed", async (t) => {
  const portrait = parsePortrait(`model\t\u001b[2Jevil${"x".repeat(500)}\nfree\tlots\n\tno name\n`, 0);
  t.notMatch(portrait.model, "\u001b");
  t.equal(portrait.model.length <= 120, true);
  t.equal(portrait.diskFreeBytes, 0);
});

t.test("the program runs under this machine's own shells", async (t) => {
  for (const shell of ["sh", "dash"]) {
    let text: string;
    try {
      text = execFileSync(shell, { input: portraitScript, encoding: "utf8" });
    } catch {
      t.comment(`${shell} is not here`);
      continue;
    }
    const portrait = parsePortrait(text, Date.now());
    t.match(text, /\nend\tok\n$/);
    t.ok(portrait.memoryMb > 0 && portrait.diskFreeBytes > 0 && portrait.cores > 0, shell);
    t.ok(Math.abs(portrait.clockSkewMs) < 60_000);
  }
});

t.test("a host that cannot be reached is a result with what to do", async (t) => {
  const open = () => Promise.reject(new UnreachableError("E_TIMEOUT", "pi does not answer", { hint: "Is it on?" }));
  t.same(await checkHost(open, Date.now), {
    status: "failed",
    code: "E_TIMEOUT",
    text: "pi does not answer",
    hint: "Is it on?",
  });
});

t.same(powerWords("throttled=0x0"), []);
t.same(powerWords("throttled=0x50000"), [
  "under-voltage since it was started",
  "it was throttled since it was started",
]);
t.same(powerWords("error"), []);
t.match(capability("Raspberry Pi 5 Model B Rev 1.0", "aarch64", 4), /no H\.264 encoder/);

t.test("hosts are found where operators have them, each once, each with its source", async (t) => {
  const folder = t.testdir({
    ssh_config: "Include conf.d/*.conf\nHost church *.example.org !not\n  HostName 192.0.2.7\nHost vps-1\n",
    "conf.d": { "a.conf": 'Host "quoted"\n', "b.txt": "Host hidden\n" },
    "edges.yml": "edges: { hosts: { vps-1: {}, pi-church: {} } }\n",
    "broken.yml": "edges: {",
  });
  const found: DetectedHost[] = [];
  await detectHosts({
    onFound: (host) => found.push(host),
    signal,
    sshConfigFile: join(folder, "ssh_config"),
    inventories: [join(folder, "edges.yml"), join(folder, "broken.yml"), join(folder, "none.yml")],
    recent: [{ name: "pi", user: "pi" }],
    throwAway: true,
    lookup: (name) =>
      name === "raspberrypi.local" ? Promise.resolve("192.0.2.9") : Promise.reject(new Error("ENOTFOUND")),
  });
  t.same(
    found.map((host) => host.name),
    ["pi", "vps-1", "pi-church", "quoted", "church", "raspberrypi.local", "local", "throw-away"],
  );
  t.match(found[0], { user: "pi", source: /before/ });
  t.match(found[5], { source: /answers to its name/ });
});

const effects = (records: Readonly<Record<string, readonly string[]>>, state: "answers" | "refused" | "silent") => ({
  addressesOf: async (name: string) => records[name] ?? [],
  portState: async () => state,
});

for (const [what, host, records, state, verdict] of [
  [
    "the right record",
    "203.0.113.7",
    { "live.example.org": ["203.0.113.7"] },
    "refused",
    { status: "ok", text: /leads to the host/ },
  ],
  ["no record", "203.0.113.7", {}, "answers", { status: "warning", text: /has no A or AAAA record/ }],
  [
    "another host's",
    "203.0.113.7",
    { "live.example.org": ["203.0.113.8"] },
    "answers",
    { status: "warning", text: /is not this host/ },
  ],
  [
    "a router before it",
    "192.168.1.7",
    { "live.example.org": ["203.0.113.8"] },
    "answers",
    { status: "warning", text: /forward ports/ },
  ],
  [
    "a firewall",
    "203.0.113.7",
    { "live.example.org": ["203.0.113.7"] },
    "silent",
    { status: "warning", text: /80 and 443 is closed/ },
  ],
] as const) {
  t.test(`a domain with ${what}`, async (t) => {
    t.match(await checkDomain("live.example.org", [host], signal, effects(records, state)), verdict);
  });
}

t.test("ports of this machine", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  t.equal(await portState("127.0.0.1", port, signal), "answers");
  await new Promise((resolve) => server.close(resolve));
  t.equal(await portState("127.0.0.1", port, signal), "refused");
});
