import type { Value, Vars } from "../playbook/types.js";
import { UnreachableError } from "../util/errors.js";
import { modelKey } from "../util/model-key.js";
import { safeLine } from "../util/safe-text.js";
import { all, type Collected, collect, decoded, fileText, one, splitAt } from "./facts-answer.js";
import { deviceFacts, dmiFacts, lvmFacts, memoryFacts, mountFacts, processorFacts } from "./facts-hardware.js";
import { localFacts } from "./facts-local.js";
import { machineFacts, machineOf, machineSummary } from "./facts-machine.js";
import { linkFacts, networkFacts, routeFacts } from "./facts-network.js";
import type { FactGroup } from "./facts-script.js";
import {
  capabilityFacts,
  chrootFacts,
  dnsFacts,
  kernelLine,
  lsbFacts,
  nameFacts,
  selinuxFacts,
  sshFacts,
  systemFacts,
  timeFacts,
  userFacts,
} from "./facts-system.js";
import { virtualFacts } from "./facts-virtual.js";

/** Facts of one host under Ansible's names (without `ansible_`), and what the engine itself needs. */
export interface HostFacts {
  readonly facts: Vars;
  /** Of the user who logs in. */
  readonly uid: number;
  readonly user: string;
  /** `Raspberry Pi Zero W Rev 1.1, Debian 12.5 armhf (ARMv6), 1 ARMv6 core, 426 MB and 99 MB of swap, 5.2 GB free (SD card)`. */
  readonly summary: string;
  /** The same for all machines of one kind. */
  readonly model: string;
  /** Functions of programs that it keeps, by their names, until one turns out not to be there. */
  readonly libraries: Set<string>;
}

/** Functions of programs (library.ts). */
const LIBRARY = /^\/var\/lib\/edge-setup\/library\/([0-9a-f]{32})$/;
/** Characters of what is said of a host in one line. */
const MAX_SUMMARY = 300;

/** What the answer to the part of a group comes to. */
const READERS: Readonly<Record<FactGroup, (got: Collected) => Record<string, Value>>> = {
  env: (got) => ({ env: environment(one(got, "env")) }),
  local: localFacts,
  date: timeFacts,
  fqdn: nameFacts,
  network: networkFacts,
  route6: routeFacts,
  links: linkFacts,
  dns: dnsFacts,
  cmdline: kernelLine,
  uptime: (got) => ({ uptime_seconds: Math.floor(Number(one(got, "/proc/uptime").split(" ")[0]) || 0) }),
  loadavg: (got) => ({ loadavg: load(one(got, "/proc/loadavg")) }),
  machine_id: (got) => {
    const id = fileText(got, "/var/lib/dbus/machine-id") ?? fileText(got, "/etc/machine-id");
    return id === undefined ? {} : { machine_id: id.split("\n")[0] ?? "" };
  },
  dmi: dmiFacts,
  iscsi: (got) => ({
    iscsi_iqn: all(got, "/etc/iscsi/initiatorname.iscsi").flatMap((line) => after(line, "InitiatorName="))[0] ?? "",
  }),
  nvme: (got) => ({ hostnqn: all(got, "/etc/nvme/hostnqn").find((line) => line.startsWith("nqn.")) ?? "" }),
  fc: (got) => ({ fibre_channel_wwn: ports(got) }),
  fips: (got) => ({ fips: fileText(got, "/proc/sys/crypto/fips_enabled") === "1" }),
  apparmor: (got) => ({ apparmor: { status: one(got, "apparmor") === "yes" ? "enabled" : "disabled" } }),
  selinux: selinuxFacts,
  ssh: sshFacts,
  chroot: chrootFacts,
  lsb: lsbFacts,
  caps: capabilityFacts,
  user: userFacts,
  virtual: virtualFacts,
  mounts: mountFacts,
  devices: deviceFacts,
  lvm: lvmFacts,
};

const after = (line: string, beginning: string) => (line.startsWith(beginning) ? [line.slice(beginning.length)] : []);

function environment(text: string): Record<string, Value> {
  const entries = decoded(text).split("\0").filter(Boolean);
  return Object.fromEntries(entries.map((entry) => splitAt(entry, "=")));
}

function load(line: string): Record<string, Value> {
  const [minute, five, fifteen] = line.split(" ").map(Number);
  return { "1m": minute ?? 0, "5m": five ?? 0, "15m": fifteen ?? 0 };
}

function ports(got: Collected): string[] {
  const files = [...got.keys()].filter((key) => key.startsWith("/sys/class/fc_host/"));
  return files.flatMap((file) => all(got, file).map((line) => line.trimEnd().slice("0x".length)));
}

/**
 * Facts out of the program's answer.
 * @param groups those that the program had
 * @param became whether it ran as another user than the one who logs in
 * @throws UnreachableError code E_FACTS when the answer is not complete.
 */
export function parseFacts(answer: string, groups: readonly FactGroup[], became = false): HostFacts {
  const got = collect(answer);
  const [, uid, user = ""] = /^uid=(\d+)(?:\((.*?)\))?/.exec(one(got, "id")) ?? [];
  if (!got.has("end") || uid === undefined) {
    throw new UnreachableError("E_FACTS", "The host's shell does not run the program that gathers facts.", {
      hint: "Check that the user's login shell can run sh.",
    });
  }
  const plain: Record<string, Value> = { ...systemFacts(got), ...processorFacts(got), ...memoryFacts(got) };
  const machine = machineOf(plain, got);
  const facts = Object.assign(plain, machineFacts(machine), ...groups.map((group) => READERS[group](got))) as Vars;
  const model = modelKey(one(got, "board"), String(facts.machine), Number(facts.processor_vcpus));
  const [loginUid, loginUser] = one(got, "login").split(" ");
  const login = became && loginUid ? { uid: Number(loginUid), user: loginUser ?? "" } : { uid: Number(uid), user };
  const libraries = new Set(all(got, "build").flatMap((path) => LIBRARY.exec(path)?.[1] ?? []));
  return { facts, ...login, summary: safeLine(machineSummary(plain, machine), MAX_SUMMARY), model, libraries };
}
