import { execFile } from "node:child_process";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { InputError } from "../util/errors.js";
import { Semaphore } from "../util/semaphore.js";

/** One hop of a ProxyJump, as written there: `[user@]host[:port]`. */
export interface Jump {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
}

/** What OpenSSH knows about a host, after ssh_config and its defaults. */
export interface SshHost {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Absolute paths in the order to try. `isDefault` marks the names that ssh tries without being told to. */
  readonly identityFiles: ReadonlyArray<{ readonly path: string; readonly isDefault: boolean }>;
  /** Socket of the agent; undefined when there is none or IdentityAgent is `none`. */
  readonly agentSocket: string | undefined;
  readonly identitiesOnly: boolean;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly hostKeyAlias: string | undefined;
  /** From first hop to last; empty when the host is reached directly. */
  readonly proxyJump: readonly Jump[];
  readonly connectTimeoutMs: number | undefined;
  readonly strictHostKeyChecking: "ask" | "accept-new" | "yes" | "no";
  /** What only OpenSSH itself can do, as written: `CertificateFile ~/.ssh/id-cert.pub`. */
  readonly onlyOpenSsh: readonly string[];
}

/** What to ask `ssh -G` about. Port and user are explicit values, which win over the files. */
export interface SshQuery {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly configFile?: string | undefined;
}

/** The surroundings that ssh_config refers to; a parameter so that tests are not at the mercy of the machine. */
export interface SshSurroundings {
  readonly home: string;
  readonly user: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa"];
/** One process a distinct host; more at a time only make each of them slower. */
const PARALLEL_QUERIES = 8;

export function currentSurroundings(): SshSurroundings {
  return { home: homedir(), user: userInfo().username, environment: process.env };
}

/** Asks `ssh -G`, once per distinct query, and remembers the answer for the run. */
export class SshConfigReader {
  readonly #answers = new Map<string, Promise<SshHost>>();
  readonly #queries = new Semaphore(PARALLEL_QUERIES);

  /** @throws InputError for a config file that ssh refuses */
  read(query: SshQuery): Promise<SshHost> {
    const key = JSON.stringify([query.host, query.port, query.user, query.configFile]);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = this.#queries.run(() => askSsh(query));
    this.#answers.set(key, answer);
    return answer;
  }
}

async function askSsh(query: SshQuery): Promise<SshHost> {
  if (!/^[^\s-]\S*$/.test(query.host)) throw new InputError("E_HOST_NAME", `'${query.host}' is not a host name.`);
  const surroundings = currentSurroundings();
  const output = await runSsh(query);
  return parseSshConfig(output ?? "", query, surroundings);
}

/** The output of `ssh -G`, or undefined where this machine has no ssh client. */
function runSsh(query: SshQuery): Promise<string | undefined> {
  const args = ["-G", "-T"];
  if (query.configFile !== undefined) args.push("-F", query.configFile);
  if (query.port !== undefined) args.push("-p", String(query.port));
  if (query.user !== undefined) args.push("-l", query.user);
  args.push("--", query.host);
  return new Promise((resolve, reject) => {
    execFile("ssh", args, { encoding: "utf8", timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.code === "ENOENT" && query.configFile === undefined) resolve(undefined);
      else if (error.code === "ENOENT")
        reject(
          new InputError("E_SSH_CONFIG", "Reading an ssh_config file needs the ssh client, and it is not installed.", {
            hint: "Install openssh-client.",
          }),
        );
      else {
        const reason = stderr.trim().split("\n").at(-1) ?? error.message;
        reject(
          new InputError("E_SSH_CONFIG", `ssh does not accept its configuration for ${query.host}: ${reason}`, {
            hint: `Run: ssh -G ${query.host}`,
            cause: error,
          }),
        );
      }
    });
  });
}

/** Reads the output of `ssh -G`. Empty output gives OpenSSH's defaults. */
export function parseSshConfig(output: string, query: SshQuery, surroundings: SshSurroundings): SshHost {
  const values = new Map<string, string[]>();
  for (const line of output.split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const key = line.slice(0, space).toLowerCase();
    values.set(key, [...(values.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  const one = (key: string) => values.get(key)?.[0];
  const host = {
    hostname: (one("hostname") ?? query.host).toLowerCase(),
    port: query.port ?? Number(one("port") ?? 22),
    user: query.user ?? one("user") ?? surroundings.user,
    hostKeyAlias: one("hostkeyalias"),
  };
  const expand = (path: string) => expandPath(path, { ...host, alias: query.host }, surroundings);
  const defaults = DEFAULT_KEYS.map((name) => join(surroundings.home, ".ssh", name));
  const identities = values.get("identityfile") ?? defaults;
  return {
    ...host,
    identityFiles: identities
      .filter((path) => path !== "none")
      .map(expand)
      .map((path) => ({ path, isDefault: defaults.includes(path) })),
    agentSocket: agentSocket(one("identityagent"), expand, surroundings),
    identitiesOnly: one("identitiesonly") === "yes",
    userKnownHostsFiles: fileList(one("userknownhostsfile"), ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]).map(expand),
    globalKnownHostsFiles: fileList(one("globalknownhostsfile"), ["/etc/ssh/ssh_known_hosts"]).map(expand),
    hashKnownHosts: one("hashknownhosts") === "yes",
    proxyJump: parseJumps(one("proxyjump")),
    connectTimeoutMs: seconds(one("connecttimeout")),
    strictHostKeyChecking: strictness(one("stricthostkeychecking")),
    onlyOpenSsh: onlyOpenSsh(one),
  };
}

/** Options that ssh2 has nothing for: a foreign process as the wire, certificates, tokens, other proofs of who is there. */
const ONLY_OPENSSH = ["CertificateFile", "PKCS11Provider", "ProxyCommand", "KnownHostsCommand"];

function onlyOpenSsh(one: (key: string) => string | undefined): string[] {
  const found = ONLY_OPENSSH.flatMap((name) => {
    const value = one(name.toLowerCase());
    return value === undefined || value === "none" ? [] : [`${name} ${value}`];
  });
  const provider = one("securitykeyprovider");
  if (provider !== undefined && !/^(internal|none|\$SSH_SK_PROVIDER)$/.test(provider))
    found.push(`SecurityKeyProvider ${provider}`);
  const isOff = (key: string) => one(key) === "no" || one(key) === "false";
  const usual = ["pubkeyauthentication", "passwordauthentication", "kbdinteractiveauthentication"];
  if (one("gssapiauthentication") === "yes" && usual.every(isOff)) found.push("GSSAPIAuthentication alone");
  else if (/^(gssapi-[a-z-]+|hostbased)(,(gssapi-[a-z-]+|hostbased))*$/.test(one("preferredauthentications") ?? ""))
    found.push(`PreferredAuthentications ${one("preferredauthentications")}`);
  return found;
}

/** Reads the value of ProxyJump. IPv6 addresses stand in brackets when a port follows. */
export function parseJumps(value: string | undefined): Jump[] {
  if (value === undefined || value === "none" || value === "") return [];
  return value.split(",").map((part) => {
    const spec = part.trim().replace(/^ssh:\/\//, "");
    const match = /^(?:(.+)@)?(?:\[([^\]]+)\]|([^:@]+|[^@]*:[^@]*:[^@]*))(?::(\d+))?$/.exec(spec);
    const host = match?.[2] ?? match?.[3];
    if (match === null || host === undefined) {
      throw new InputError("E_SSH_CONFIG", `'${part}' is not a ProxyJump host: expected [user@]host[:port].`);
    }
    return { host, port: match[4] === undefined ? undefined : Number(match[4]), user: match[1] };
  });
}

/** `~`, `${NAME}` and the %-tokens that ssh_config(5) allows in paths; `ssh -G` prints some of them unexpanded. */
function expandPath(
  path: string,
  host: { alias: string; hostname: string; port: number; user: string; hostKeyAlias: string | undefined },
  { home, user, environment }: SshSurroundings,
): string {
  const tokens: Record<string, string> = {
    "%": "%",
    d: home,
    h: host.hostname,
    i: String(process.getuid?.() ?? 0),
    k: host.hostKeyAlias ?? host.alias,
    L: hostname().split(".")[0] ?? "",
    l: hostname(),
    n: host.alias,
    p: String(host.port),
    r: host.user,
    u: user,
  };
  return path
    .replace(/^~(?=\/|$)/, home)
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => environment[name] ?? whole)
    .replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
}

function agentSocket(
  value: string | undefined,
  expand: (path: string) => string,
  { environment }: SshSurroundings,
): string | undefined {
  if (value === "none") return undefined;
  if (value === undefined || value === "SSH_AUTH_SOCK") return environment.SSH_AUTH_SOCK || undefined;
  return value.startsWith("$") && !value.startsWith("${") ? environment[value.slice(1)] : expand(value);
}

/** ssh prints lists of files without quotes, so a blank ends a name only where the next one is an absolute path. */
function fileList(value: string | undefined, fallback: readonly string[]): readonly string[] {
  if (value === undefined) return fallback;
  return value.split(/\s+(?=[/~])/).filter((path) => path !== "none" && path !== "");
}

function seconds(value: string | undefined): number | undefined {
  const number = Number(value);
  return Number.isInteger(number) && number > 0 ? number * 1000 : undefined;
}

function strictness(value: string | undefined): SshHost["strictHostKeyChecking"] {
  switch (value) {
    case "yes":
    case "true":
      return "yes";
    case "no":
    case "off":
    case "false":
      return "no";
    case "accept-new":
      return "accept-new";
    default:
      return "ask";
  }
}
