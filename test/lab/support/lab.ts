import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import {
  type BootOptions,
  bootHost,
  type LabExecResult,
  type LabHost,
  missingPackages,
} from "../../../src/lab/index.js";
import { withLock } from "../../../src/lab/lock.js";
import { lockFile } from "../../../src/lab/paths.js";
import { readStates } from "../../../src/lab/state.js";

/** The part of a tap test that these helpers need. */
interface TestScope {
  teardown(handler: () => unknown): void;
  comment(text: string): void;
  skip(message: string, extra?: object): unknown;
}

/** Why this machine cannot boot lab hosts; false when it can. For `t.test(name, { skip: labImpossible() }, …)`. */
export function labImpossible(): string | false {
  if (process.platform !== "linux") return "lab hosts need Linux";
  if (process.getuid?.() !== 0) return "lab hosts need root";
  const missing = missingPackages();
  return missing.length > 0 ? `lab hosts need ${missing.join(", ")}` : false;
}

/** Boots a host that ends with the test. */
export async function bootForTest(t: TestScope, options: BootOptions): Promise<LabHost> {
  const host = await bootHost({ onProgress: (line) => t.comment(line), ...options });
  t.teardown(() => host.stop());
  return host;
}

/** Words of OpenSSH's command line for a lab host: nothing of the user's own files is read, and the host key must match. */
export function sshCommand(host: LabHost, user = host.user): string[] {
  return [
    ...["ssh", "-F", "none", "-i", host.identityFile, "-p", String(host.sshPort)],
    ...["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"],
    ...["-o", `UserKnownHostsFile=${host.knownHostsFile}`, "-o", "GlobalKnownHostsFile=/dev/null"],
    // A host that reboots or is stopped must fail the test, not hang it.
    ...["-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"],
    `${user}@${host.address}`,
  ];
}

/** Runs a command over real SSH. */
export function ssh(host: LabHost, command: string, user = host.user): Promise<LabExecResult> {
  return runProgram([...sshCommand(host, user), command]);
}

/** Runs a program to its end and gives what it wrote; never rejects on exit codes. */
export function runProgram(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<LabExecResult> {
  const [program = "", ...words] = argv;
  return new Promise((resolve, reject) => {
    const { input: _, ...rest } = options;
    const settings = { ...rest, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, words, settings, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number" && error.signal === null) reject(error);
      else resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
    child.stdin?.end(options.input);
  });
}

/** Shell text that waits until a command succeeds, for a minute at most. */
export function waitUntil(command: string): string {
  const inVain = "{ echo 'waited a minute in vain' >&2; exit 1; }";
  return `i=0; until ${command}; do i=$((i + 1)); [ $i -lt 600 ] || ${inVain}; sleep 0.1; done`;
}

/** The host as Ansible's connection variables, for an inventory. */
export function connectionVars(host: LabHost): Record<string, string | number> {
  return {
    ansible_host: host.address,
    ansible_port: host.sshPort,
    ansible_user: host.user,
    ansible_ssh_private_key_file: host.identityFile,
  };
}

/** An `edges.yml` with these hosts; JSON is YAML. */
export function inventoryOf(hosts: readonly LabHost[], vars: Readonly<Record<string, unknown>> = {}): string {
  const entries = hosts.map((host) => [host.name, connectionVars(host)] as const);
  return `${JSON.stringify({ edges: { vars, hosts: Object.fromEntries(entries) } }, undefined, 2)}\n`;
}

/**
 * What this machine shows of the hosts whose names begin with `prefix`: mounts, processes, and, when no other run has
 * hosts up, the network. Empty when all is cleaned up.
 */
export async function labTraces(prefix: string): Promise<string[]> {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const processes = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(commandLine)
    .filter((line) => line.includes("--directory="));
  const ofHosts = [...mounts, ...processes].filter((line) => line.includes(`/edge-setup/lab/hosts/${prefix}`));
  // Under the lock of the machine, so that no other run makes the network meanwhile.
  return withLock(lockFile, async () => {
    if (readStates().some((state) => !state.id.startsWith(prefix))) return ofHosts;
    const links = (await runProgram(["ip", "-brief", "link"])).stdout.split("\n");
    const rules = (await runProgram(["iptables-save"])).stdout.split("\n");
    return [...ofHosts, ...[...links, ...rules].filter((line) => line.includes("edgelab0"))];
  });
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
