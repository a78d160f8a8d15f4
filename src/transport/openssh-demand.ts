import { existsSync, readFileSync } from "node:fs";
import { agentKeyTypes } from "./agent-types.js";
import { publicBlobOf } from "./identities.js";
import { type KnownHostsFiles, keyTypeOf, knowledgeOf, knownHostsName } from "./known-hosts.js";
import type { SshHost } from "./ssh-config.js";

const SECURITY_KEY = /^sk-/;
const CERTIFICATE = /-cert-v01@openssh\.com$/;

interface Demand {
  /** ansible_ssh_private_key_file */
  readonly identityFile: string | undefined;
  readonly knownHostsFile: string | undefined;
}

/** Why a host has to be connected to by OpenSSH itself, in a few words; undefined where ssh2 can do it all. */
export async function openSshDemand(
  host: SshHost,
  { identityFile, knownHostsFile }: Demand,
  files: KnownHostsFiles,
): Promise<string | undefined> {
  const [configured] = host.onlyOpenSsh;
  if (configured !== undefined) return configured;
  const paths = [...(identityFile === undefined ? [] : [identityFile]), ...host.identityFiles.map(({ path }) => path)];
  for (const path of paths) {
    // ssh reads it beside the key without being told to.
    if (existsSync(`${path}-cert.pub`)) return `the certificate ${path}-cert.pub`;
    if (SECURITY_KEY.test(keyTypeIn(path))) return `the security key ${path}`;
  }
  const authority = await authorityOf(host, knownHostsFile, files);
  if (authority !== undefined) return authority;
  const agent = host.identitiesOnly ? [] : await agentKeyTypes(host.agentSocket);
  const special = agent.find((type) => CERTIFICATE.test(type) || SECURITY_KEY.test(type));
  return special === undefined ? undefined : `a key of type ${special} in the agent`;
}

async function authorityOf(
  host: SshHost,
  knownHostsFile: string | undefined,
  files: KnownHostsFiles,
): Promise<string | undefined> {
  const userFiles = knownHostsFile === undefined ? host.userKnownHostsFiles : [knownHostsFile];
  const name = host.hostKeyAlias?.toLowerCase() ?? knownHostsName(host.hostname, host.port);
  const portless = host.hostKeyAlias === undefined && host.port !== 22 ? host.hostname.toLowerCase() : undefined;
  const lines = await files.read([...userFiles, ...host.globalKnownHostsFiles]);
  const [authority] = [knowledgeOf(lines, name), knowledgeOf(lines, portless ?? name)].flatMap(
    ({ authorities }) => authorities,
  );
  return authority === undefined ? undefined : `@cert-authority in ${authority.file}:${authority.line}`;
}

/** The type of the key in a file, or of its public half beside it; empty where there is none that can be read. */
function keyTypeIn(path: string): string {
  for (const file of [path, `${path}.pub`]) {
    let text: Buffer;
    try {
      text = readFileSync(file);
    } catch {
      continue;
    }
    const blob = publicBlobOf(text);
    if (blob !== undefined && blob.length > 4) return keyTypeOf(blob);
    const word = /^([a-z][\w@.-]+) [A-Za-z0-9+/]/.exec(text.subarray(0, 200).toString("latin1"))?.[1];
    if (word !== undefined) return word;
  }
  return "";
}
