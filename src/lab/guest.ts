import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { aptSettings } from "./apt-settings.js";
import { run } from "./command.js";
import type { LabNetwork } from "./network.js";

/** The first user of a Debian; `useradd` in an empty base gives just this. */
const OPS_ID = 1000;

/** Where a machine with a local stub resolver (systemd-resolved, NetworkManager) keeps the real name servers. */
const RESOLVER_FILES = [
  "/etc/resolv.conf",
  "/run/systemd/resolve/resolv.conf",
  "/run/NetworkManager/no-stub-resolv.conf",
];

export interface GuestIdentity {
  readonly name: string;
  readonly number: number;
  readonly opsPassword?: string | undefined;
  /** What qemu emulates, on a host of another architecture. */
  readonly cpu?: string | undefined;
}

export interface GuestKeys {
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

/** Writes what makes this root file system this host: names, network, keys, users. Nothing of it is in a cached layer. */
export async function prepareGuest(
  root: string,
  folder: string,
  identity: GuestIdentity,
  network: LabNetwork,
): Promise<GuestKeys> {
  const address = `${network.prefix}.${identity.number}`;
  const put = (path: string, content: string, mode = 0o644) => replaceFile(join(root, path), content, mode);
  await put("etc/hostname", `${identity.name}\n`);
  await put("etc/hosts", hostsFile(identity.name));
  await put("etc/machine-id", `${randomBytes(16).toString("hex")}\n`, 0o444);
  await put("etc/resolv.conf", await resolverFile());
  await put("etc/apt/apt.conf.d/80machine", `${(await aptSettings()).join("\n")}\n`);
  if (identity.cpu !== undefined) await writeCpu(put, identity.cpu);
  await put("etc/sudoers.d/ops", `ops ALL=(ALL:ALL) ${identity.opsPassword ? "" : "NOPASSWD: "}ALL\n`, 0o440);
  await put("etc/systemd/system/lab-network.service", networkUnit(address, identity.number, network));
  const wanted = join(root, "etc/systemd/system/multi-user.target.wants/lab-network.service");
  await mkdir(join(wanted, ".."), { recursive: true });
  await rm(wanted, { force: true });
  await symlink("/etc/systemd/system/lab-network.service", wanted);
  if (identity.opsPassword !== undefined) {
    await run(["chroot", root, "chpasswd"], { input: `ops:${identity.opsPassword}\n` });
  }
  return writeKeys(root, folder, address, `${network.prefix6}::${identity.number.toString(16)}`);
}

/** Neither services nor SSH sessions nor sudo take over process 1's environment, and all of the host is to have one CPU. */
async function writeCpu(put: (path: string, content: string, mode?: number) => Promise<void>, cpu: string) {
  const folder = "etc/systemd/system.conf.d";
  await put("etc/environment", `QEMU_CPU=${cpu}\n`);
  await put(`${folder}/lab-cpu.conf`, `[Manager]\nDefaultEnvironment=QEMU_CPU=${cpu}\n`);
  await put("etc/sudoers.d/lab-cpu", 'Defaults env_keep += "QEMU_CPU"\n', 0o440);
}

/** Without its own name here, sudo says "unable to resolve host" at every call. */
function hostsFile(name: string): string {
  return `127.0.0.1\tlocalhost\n127.0.1.1\t${name}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;
}

/** A unit rather than settings from outside, so that the host has its network again after a reboot. */
function networkUnit(address: string, number: number, network: LabNetwork): string {
  const { prefix, prefix6, mtu } = network;
  return `[Unit]
Description=Address of this lab host
DefaultDependencies=no
After=sysinit.target
Before=network-pre.target network.target network-online.target ssh.service
Wants=network-pre.target network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip link set host0 mtu ${mtu} up
ExecStart=ip addr replace ${address}/24 dev host0
ExecStart=ip route replace default via ${prefix}.1
ExecStart=-ip -6 addr replace ${prefix6}::${number.toString(16)}/64 dev host0 nodad

[Install]
WantedBy=multi-user.target
`;
}

async function resolverFile(): Promise<string> {
  for (const file of RESOLVER_FILES) {
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
    const reachable = lines.filter((line) => /^\s*nameserver\s/.test(line) && !/\s(127\.|::1\b)/.test(line));
    if (reachable.length > 0) return `${reachable.join("\n")}\n`;
  }
  // Only a resolver on this machine's own loopback: hosts reach mirrors by address or not at all.
  return "";
}

/** One key for this lab host's users and one of the host itself, both made here, so that the host is known before it boots. */
async function writeKeys(root: string, folder: string, ...addresses: string[]): Promise<GuestKeys> {
  const identityFile = join(folder, "id_ed25519");
  const hostKey = join(root, "etc/ssh/ssh_host_ed25519_key");
  const knownHostsFile = join(folder, "known_hosts");
  await rm(hostKey, { force: true });
  await rm(`${hostKey}.pub`, { force: true });
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "edge-setup lab", "-f", identityFile]);
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "edge-setup lab host", "-f", hostKey]);
  const publicKey = await readFile(`${identityFile}.pub`, "utf8");
  await writeAuthorizedKeys(join(root, "root"), publicKey, 0);
  await writeAuthorizedKeys(join(root, "home/ops"), publicKey, OPS_ID);
  const [type, key] = (await readFile(`${hostKey}.pub`, "utf8")).split(" ");
  await writeFile(knownHostsFile, `${addresses.join(",")} ${type} ${key}\n`, { mode: 0o600 });
  return { identityFile, knownHostsFile };
}

async function writeAuthorizedKeys(home: string, publicKey: string, owner: number): Promise<void> {
  const folder = join(home, ".ssh");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await replaceFile(join(folder, "authorized_keys"), publicKey, 0o600);
  for (const path of [folder, join(folder, "authorized_keys")]) await chown(path, owner, owner);
}

/** Removes first: an absolute link inside the root (resolv.conf often is one) would lead to this machine's own file. */
async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await writeFile(path, content);
  await chmod(path, mode);
}
