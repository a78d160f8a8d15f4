import type { Duplex, Readable } from "node:stream";
import type { Secret } from "../util/secret.js";

export interface ExecOptions {
  /** Written to the command's stdin, which is then closed. */
  readonly stdin?: Uint8Array | Readable;
  /** With a callback the chunks are handed on and not collected. */
  readonly onStdout?: (chunk: Buffer) => void;
  readonly onStderr?: (chunk: Buffer) => void;
  /** Aborting closes the channel; the promise rejects with InterruptedError. */
  readonly signal?: AbortSignal;
  /**
   * stdin is short, and everybody on the host may see it: it may travel in the command line, which saves a round trip
   * where a channel takes input only once its command runs.
   */
  readonly inlined?: boolean;
  /** The command is one line of words that any shell takes for one simple command: a shell that waits may have it. */
  readonly plain?: boolean;
}

export interface ExecResult {
  readonly code: number | null;
  readonly signal: string | null;
  /** Empty when onStdout was given. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What travelled, for the tests that hold round trips and bytes constant. */
export interface TransportStats {
  /** Commands executed: each is one round trip of the application. */
  execs: number;
  bytesUp: number;
  bytesDown: number;
}

/** A live connection to one host. The engine knows hosts only through this. */
export interface Transport {
  /** For messages: `ssh pi@pi-church.local:22` or `local`. */
  readonly description: string;
  /** The name or address that ssh_config gave to the host, for URLs; undefined for this very machine. */
  readonly remoteHost: string | undefined;
  readonly stats: Readonly<TransportStats>;
  /**
   * Runs one command line by the login shell of the host.
   * @throws UnreachableError code E_CONNECTION_LOST when the link is lost before the command ends.
   */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;
  /** Has a shell wait on the host for the next command that is `plain`, where that saves round trips. Nothing is told of it. */
  openAhead?(): void;
  /** Opens a TCP connection as seen from the host (ssh direct-tcpip), so that loopback services can be reached. */
  openTcp(host: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
}

export type HostKeyPolicy = "ask" | "accept-new" | "strict";

/** Everything that names how to reach one host, from Ansible's connection variables. */
export interface HostAddress {
  /** Inventory name, for messages. */
  readonly name: string;
  /**
   * ansible_connection and edge_connection. `local` runs on this machine; `openssh` and `ssh2` name the connector, and
   * `ssh` takes the one that can do what the configuration demands.
   */
  readonly connection: "ssh" | "openssh" | "ssh2" | "local";
  /** ansible_host, or the inventory name. Resolved further through `ssh -G`. */
  readonly host: string;
  /** ansible_port, ansible_user, ansible_ssh_private_key_file; undefined leaves it to ssh_config. */
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly identityFile?: string | undefined;
  /** ansible_password */
  readonly password?: Secret | undefined;
}

export interface HostKeyQuestion {
  readonly host: string;
  readonly keyType: string;
  /** `SHA256:...` as OpenSSH prints it. */
  readonly fingerprint: string;
}

/** How the transport asks the operator. Without a TTY both answer `undefined`/`false` and an error names the flag. */
export interface Prompter {
  confirmHostKey(question: HostKeyQuestion): Promise<boolean>;
  askSecret(question: string): Promise<Secret | undefined>;
  /** Says what has to be done now and is no question: touch the security key. */
  notify?(text: string): void;
}

export interface ConnectOptions {
  readonly hostKeyPolicy: HostKeyPolicy;
  readonly prompter: Prompter;
  /** Milliseconds until a host that does not answer is given up; a ConnectTimeout in ssh_config wins for its host. */
  readonly connectTimeoutMs: number;
  readonly signal?: AbortSignal;
  /** Nobody is asked and no login is made before it; where it rejects, the connection ends with its reason. */
  readonly login?: Promise<void>;
  /** Called when the host is being called, or another on the way to it. */
  readonly onCall?: () => void;
  /** Called when the host has said what it speaks, whose key comes a round trip later; where OpenSSH connects, when that could begin. */
  readonly onAnswer?: () => void;
  /** Passed as `-F` to `ssh -G`; tests use it, users may. */
  readonly sshConfigFile?: string | undefined;
  /** Replaces the files that `ssh -G` names (UserKnownHostsFile). */
  readonly knownHostsFile?: string | undefined;
}

export type Connect = (address: HostAddress, options: ConnectOptions) => Promise<Transport>;
