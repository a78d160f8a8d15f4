import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootHost, type LabHost, type LabLayerRequest } from "../../../../src/lab/index.js";
import { connectionVars, runProgram, sshCommand, waitUntil } from "../../support/lab.js";
import { installPython } from "./ansible-python.js";

/** What modules need on both hosts: Ansible's need Python and its bindings of apt, some cases cron and compressors. */
export const CONFORMANCE_LAYER: LabLayerRequest = {
  name: "conformance",
  packages: [
    ...["python3", "python3-apt", "python3-distro", "acl", "ca-certificates", "cron", "curl", "procps"],
    ...["bzip2", "file", "git", "unzip", "wget", "xz-utils", "zip", "zstd"],
  ],
};

/** Inventory name of a case's host. */
export const CASE_HOST = "case";

/** What is known of a booted host from outside the process that booted it. */
export type KnownHost = Pick<LabHost, "address" | "sshPort" | "user" | "identityFile" | "knownHostsFile" | "name">;

export interface Pair {
  readonly ours: KnownHost;
  readonly theirs: KnownHost;
  stop(): Promise<void>;
}

/** Two hosts from one base, which nothing tells apart but their addresses. */
export async function bootPair(onProgress: (line: string) => void): Promise<Pair> {
  const boot = () => bootHost({ name: CASE_HOST, layer: CONFORMANCE_LAYER, onProgress });
  const [ours, theirs] = await Promise.all([boot(), boot()]);
  const pair: Pair = {
    ours,
    theirs,
    stop: async () => {
      await Promise.all([ours.stop(), theirs.stop()]);
    },
  };
  await Promise.all([serveHttp(pair), installPython(theirs)]);
  return pair;
}

/** The hosts that another process keeps (`run.ts --keep`), as it wrote them down. */
export function keptPair(file: string): Pair | undefined {
  if (!existsSync(file)) return undefined;
  const { pid, ours, theirs } = JSON.parse(readFileSync(file, "utf8")) as Kept;
  if (!existsSync(`/proc/${pid}`)) return undefined;
  return { ours, theirs, stop: async () => {} };
}

interface Kept {
  readonly pid: number;
  readonly ours: KnownHost;
  readonly theirs: KnownHost;
}

export async function writeKept(file: string, { ours, theirs }: Pair): Promise<void> {
  const known = (host: KnownHost): KnownHost => ({
    name: host.name,
    address: host.address,
    sshPort: host.sshPort,
    user: host.user,
    identityFile: host.identityFile,
    knownHostsFile: host.knownHostsFile,
  });
  await writeFile(file, JSON.stringify({ pid: process.pid, ours: known(ours), theirs: known(theirs) }));
}

/** A folder with an inventory of one host and an ssh_config that trusts it. */
export interface Desk {
  readonly folder: string;
  readonly inventory: string;
  readonly sshConfig: string;
  remove(): Promise<void>;
}

export async function deskFor(host: KnownHost): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), "cf-"));
  const inventory = join(folder, "inventory.yml");
  const sshConfig = join(folder, "ssh_config");
  await writeFile(inventory, JSON.stringify({ all: { hosts: { [CASE_HOST]: connectionVars(host as LabHost) } } }));
  await writeFile(
    sshConfig,
    `Host *\n  UserKnownHostsFile ${host.knownHostsFile}\n  GlobalKnownHostsFile /dev/null\n  IdentitiesOnly yes\n`,
  );
  return { folder, inventory, sshConfig, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Where hosts find what is in cases/files/http. */
const HTTP_PORT = 8099;

/** Serves cases/files/http on both hosts at http://127.0.0.1:8099/, so that nothing is asked of the internet. */
export async function serveHttp({ ours, theirs }: Pair): Promise<void> {
  const folder = join(import.meta.dirname, "../cases/files/http");
  const tar = await runProgram(["sh", "-c", `tar -C "$1" -cf - . | base64 -w0`, "sh", folder]);
  const serve = [
    `systemctl is-active -q case-http && exit 0`,
    `mkdir -p /run/case-http && base64 -d | tar -C /run/case-http -xf - --no-same-owner`,
    `systemd-run -q --unit=case-http python3 -m http.server ${HTTP_PORT} --bind 127.0.0.1 -d /run/case-http`,
    waitUntil(`curl -s -o /dev/null http://127.0.0.1:${HTTP_PORT}/`),
  ].join("\n");
  await Promise.all([ours, theirs].map((host) => onHost(host, serve, tar.stdout)));
}

/** Runs a command as root and gives its output. @throws Error when it fails */
export async function onHost(host: KnownHost, command: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram([...sshCommand(host as LabHost, "root"), command], {
    ...(input === undefined ? {} : { input }),
  });
  if (code !== 0) throw new Error(`${host.name} ${host.address}: exit ${code}: ${stderr}`);
  return stdout;
}
