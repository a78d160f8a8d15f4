import type { Duplex } from "node:stream";
import { EdgeError, InputError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import { interrupted, Semaphore } from "../util/semaphore.js";
import { MAX_AUTH_TRIES } from "./auth.js";
import { forwardError, type Place, timeoutError } from "./connect-errors.js";
import { dial } from "./dial.js";
import { HostKeyJudge } from "./host-key.js";
import { IdentityBook } from "./identities.js";
import { JumpHosts } from "./jump-hosts.js";
import { planKeys } from "./key-ring.js";
import { KnownHostsFiles } from "./known-hosts.js";
import { loadNodeSsh, loadSsh2 } from "./libraries.js";
import { LocalTransport } from "./local-transport.js";
import { connectByOpenSsh, type OpenSshMemory } from "./openssh-connection.js";
import { openSshDemand } from "./openssh-demand.js";
import { type Jump, SshConfigReader, type SshHost } from "./ssh-config.js";
import { openSession, type SshSession } from "./ssh-session.js";
import { forward, SshTransport } from "./ssh-transport.js";
import type { Connect, ConnectOptions, HostAddress, Transport } from "./transport.js";

/** Connections that may be in the making at once; the same number as Kamal's. */
const STARTS = 30;
/** sshd drops connections at random above ten unauthenticated ones (MaxStartups); OpenSSH's go through a jump host each. */
const OPENSSH_STARTS = 8;

/** A longer way leads in a circle. */
const MAX_JUMPS = 16;

/** One connection to make: a host of the inventory, or a jump host before it. */
interface Hop {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly identityFile?: string | undefined;
  readonly password?: Secret | undefined;
  /** Overrides ssh_config's ProxyJump: the hops before this one in a list. */
  readonly jumps?: readonly Jump[] | undefined;
  /** For messages: the inventory host that this jump host leads to. */
  readonly jumpFor?: string | undefined;
  /** The jumps that led here, to notice a circle. */
  readonly chain: readonly string[];
}

interface OpenLink {
  readonly session: SshSession;
  release(): void;
}

/** Makes connections and remembers for one run what was asked, read and accepted. */
export class Connector {
  readonly #questions = new Semaphore(1);
  readonly #starts = new Semaphore(STARTS);
  readonly #config = new SshConfigReader();
  readonly #hostKeys = new HostKeyJudge(this.#questions);
  readonly #identities = new IdentityBook(this.#questions);
  readonly #passwords = new Map<string, Secret>();
  readonly #jumpHosts = new JumpHosts();
  readonly #knownHosts = new KnownHostsFiles();
  readonly #openSsh: OpenSshMemory = {
    questions: this.#questions,
    starts: new Semaphore(OPENSSH_STARTS),
    passwords: this.#passwords,
    passphrases: new Map(),
  };

  /**
   * Starts what costs time before any host is needed: `ssh -G` and the libraries. Comes back when these are read. Never
   * fails; connect tells.
   */
  async prepare(addresses: readonly HostAddress[], options: Pick<ConnectOptions, "sshConfigFile">): Promise<void> {
    const remote = addresses.filter((address) => address.connection !== "local");
    if (remote.length === 0) return;
    for (const address of remote) this.#resolve(address, options).catch(() => {});
    await Promise.all([loadSsh2(), loadNodeSsh()]).catch(() => {});
  }

  /**
   * Connects to a host.
   * @throws HostKeyError, UnreachableError, InputError for an unusable ssh_config, InterruptedError.
   */
  readonly connect: Connect = async (address: HostAddress, options: ConnectOptions): Promise<Transport> => {
    if (address.connection === "local") return new LocalTransport();
    const host = await this.#resolve(address, options);
    if (address.connection !== "ssh2") {
      const jumps = await this.#allJumps(address.host, host, options);
      const reason = await this.#openSshReason(address, host, jumps, options);
      const hops = jumps.length;
      if (reason !== undefined) {
        options.onCall?.();
        return connectByOpenSsh({ address, host, hops, reason, options, memory: this.#openSsh });
      }
    }
    const { session, release } = await this.#open({ ...address, chain: [] }, options);
    return new SshTransport(session, release);
  };

  /** Why OpenSSH itself has to connect to a host; undefined where ssh2 does. */
  async #openSshReason(
    address: HostAddress,
    host: SshHost,
    jumps: readonly SshHost[],
    options: ConnectOptions,
  ): Promise<string | undefined> {
    if (address.connection === "openssh") return "edge_connection";
    const { identityFile } = address;
    const { knownHostsFile } = options;
    const own = await openSshDemand(host, { identityFile, knownHostsFile }, this.#knownHosts);
    if (own !== undefined) return own;
    for (const jump of jumps) {
      const demand = await openSshDemand(jump, { identityFile: undefined, knownHostsFile }, this.#knownHosts);
      if (demand !== undefined) return `${demand}, for the jump host ${jump.hostname}`;
    }
    return undefined;
  }

  /**
   * The jump hosts before a host, those among them that their own configuration names.
   * @throws InputError for a way that leads in a circle
   */
  async #allJumps(name: string, host: SshHost, options: ConnectOptions): Promise<SshHost[]> {
    const found: SshHost[] = [];
    let [from, waiting] = [name, host.proxyJump];
    for (;;) {
      const way = waiting.filter((jump) => jump.host !== from);
      const [first] = way;
      if (first === undefined) return found;
      if (found.length > MAX_JUMPS) throw circle(name);
      const jumps = await Promise.all(way.map((jump) => this.#resolve(jump, options)));
      found.push(...jumps);
      // As with ssh -J a,b: only the first asks ssh_config for its own way.
      [from, waiting] = [first.host, jumps[0]?.proxyJump ?? []];
    }
  }

  #resolve(hop: Pick<Hop, "host" | "port" | "user">, options: Pick<ConnectOptions, "sshConfigFile">): Promise<SshHost> {
    return this.#config.read({ host: hop.host, port: hop.port, user: hop.user, configFile: options.sshConfigFile });
  }

  async #open(hop: Hop, options: ConnectOptions): Promise<OpenLink> {
    const host = await this.#resolve(hop, options);
    const place = placeOf(host, hop);
    const command = host.onlyOpenSsh.find((option) => option.startsWith("ProxyCommand "));
    if (command !== undefined) throw foreignWire(hop.host, command);
    const timeoutMs = host.connectTimeoutMs ?? options.connectTimeoutMs;
    const jump = await this.#jumpFor(host, hop, options);
    try {
      const session = await this.#starts.run(async () => {
        // The libraries are read only now, unless prepared: meanwhile the host starts its sshd process for us.
        options.onCall?.();
        const [stream, hostKey, keys] = await allOrDestroy(
          this.#reach(place, jump?.session, timeoutMs, options.signal),
          this.#hostKeys.expect(host, {
            policy: options.hostKeyPolicy,
            prompter: options.prompter,
            knownHostsFile: options.knownHostsFile,
          }),
          this.#planKeys(host, hop, options),
        );
        const account = `${host.user}@${host.hostname}:${host.port}`;
        return openSession(stream, {
          place,
          user: host.user,
          hostKey,
          keys,
          timeoutMs,
          signal: options.signal,
          login: options.login,
          onAnswer: options.onAnswer,
          questions: this.#loginQuestions(account, hop.password, options),
          onPassword: (password) => this.#passwords.set(account, password),
        });
      }, options.signal);
      return { session, release: jump?.release ?? (() => {}) };
    } catch (error) {
      jump?.release();
      throw error;
    }
  }

  /** The connection to the last jump host before this hop, shared by all hosts behind it. */
  async #jumpFor(host: SshHost, hop: Hop, options: ConnectOptions): Promise<OpenLink | undefined> {
    const jumps = (hop.jumps ?? host.proxyJump).filter((jump) => jump.host !== hop.host || hop.jumps !== undefined);
    const last = jumps.at(-1);
    if (last === undefined) return undefined;
    const name = JSON.stringify([jumps, options.sshConfigFile]);
    if (hop.chain.includes(name)) {
      throw circle(hop.host);
    }
    const before = jumps.slice(0, -1);
    const via: Hop = {
      ...last,
      // As with ssh -J a,b: the first hop asks ssh_config for its own way, the others come through their list.
      jumps: before.length > 0 ? before : undefined,
      jumpFor: hop.jumpFor ?? hop.host,
      chain: [...hop.chain, name],
    };
    // The shared connection must not end with the signal of the first host that wants it.
    const { signal, ...shared } = options;
    return this.#jumpHosts.borrow(name, () => this.#open(via, shared), signal);
  }

  async #reach(
    place: Place,
    jump: SshSession | undefined,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Duplex> {
    if (jump === undefined) return dial(place, timeoutMs, signal);
    return this.#jumpHosts.limit(jump, async () => {
      try {
        return await withTimeout(forward(jump, place.hostname, place.port), timeoutMs, signal, place);
      } catch (error) {
        throw explainForward(error, place, jump.label);
      }
    });
  }

  async #planKeys(host: SshHost, hop: Hop, options: ConnectOptions) {
    const [explicit, configured, agent] = await Promise.all([
      hop.identityFile === undefined ? undefined : this.#identities.load(hop.identityFile),
      Promise.all(
        host.identityFiles.map(async ({ path, isDefault }) => ({
          identity: await this.#identities.load(path),
          isDefault,
        })),
      ),
      this.#identities.agentKeys(host.agentSocket),
    ]);
    const limit = hop.password === undefined ? MAX_AUTH_TRIES : MAX_AUTH_TRIES - 1;
    const { prompter } = options;
    return planKeys(
      { book: this.#identities, prompter, explicit, configured, agent, identitiesOnly: host.identitiesOnly },
      limit,
    );
  }

  #loginQuestions(account: string, given: Secret | undefined, { prompter }: ConnectOptions) {
    const ask = (question: string) => this.#questions.run(() => prompter.askSecret(question));
    return {
      password: given ?? this.#passwords.get(account),
      askPassword: (again: boolean) => ask(`Password of ${account}${again ? " (the last one is wrong)" : ""}`),
      askAnswer: (question: string) => ask(`${account}: ${question}`),
    };
  }
}

function placeOf(host: SshHost, hop: Hop): Place {
  const where = `${host.user}@${host.hostname.includes(":") ? `[${host.hostname}]` : host.hostname}:${host.port}`;
  const label = hop.jumpFor === undefined ? where : `${where} (jump host of ${hop.jumpFor})`;
  return { label, hostname: host.hostname, port: host.port };
}

function circle(host: string): InputError {
  return new InputError("E_SSH_CONFIG", `ProxyJump leads in a circle at ${host}.`, {
    hint: "Give the jump host itself 'ProxyJump none' in ssh_config.",
  });
}

/** Only where the inventory asks for ssh2 by name. */
function foreignWire(host: string, command: string): InputError {
  return new InputError("E_SSH_CONFIG_UNSUPPORTED", `ssh_config reaches ${host} by '${command}', which ssh2 cannot.`, {
    hint: "Leave edge_connection out, and OpenSSH makes the connection.",
  });
}

function explainForward(error: unknown, place: Place, through: string): unknown {
  return error instanceof EdgeError || !(error instanceof Error) ? error : forwardError(error, place, through);
}

/** Waits for all three; when one fails, the stream that may still come is closed. */
async function allOrDestroy<A, B>(stream: Promise<Duplex>, a: Promise<A>, b: Promise<B>): Promise<[Duplex, A, B]> {
  try {
    return await Promise.all([stream, a, b]);
  } catch (error) {
    stream.then(
      (late) => late.destroy(),
      () => {},
    );
    throw error;
  }
}

function withTimeout(
  opening: Promise<Duplex>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  place: Place,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const give = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      settle();
    };
    const abandon = (error: Error) => {
      give(() => reject(error));
      opening.then(
        (late) => late.destroy(),
        () => {},
      );
    };
    const abort = () => abandon(interrupted());
    const timer = setTimeout(() => abandon(timeoutError(place, "does not answer", timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    opening.then(
      (stream) => give(() => resolve(stream)),
      (error: unknown) => give(() => reject(error)),
    );
  });
}

const processWide = new Connector();

/** Connects to a host, with one memory for the whole process. */
export const connect: Connect = processWide.connect;

/** Starts reading the libraries and ssh_config for hosts that will be connected to soon. */
export function prepareConnections(
  addresses: readonly HostAddress[],
  options: Pick<ConnectOptions, "sshConfigFile">,
): Promise<void> {
  return processWide.prepare(addresses, options);
}
