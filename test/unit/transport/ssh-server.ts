import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { Connector } from "../../../src/transport/connect.js";
import type { ConnectOptions, HostAddress, HostKeyQuestion, Transport } from "../../../src/transport/transport.js";
import { Secret } from "../../../src/util/secret.js";
import { scratchFolder } from "../../support/scratch-folder.js";

export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** ssh2 writes about one ed25519 key in 400 so that it cannot read it itself; such a key is made anew. */
export function makeKey(type: "ed25519" | "ecdsa" = "ed25519", passphrase?: string): KeyPair {
  const pair = generate(type, passphrase);
  return ssh2.utils.parseKey(pair.private, passphrase) instanceof Error ? makeKey(type, passphrase) : pair;
}

function generate(type: "ed25519" | "ecdsa", passphrase: string | undefined): KeyPair {
  const bits = { bits: 256 as const };
  if (passphrase === undefined) {
    return type === "ecdsa" ? ssh2.utils.generateKeyPairSync("ecdsa", bits) : ssh2.utils.generateKeyPairSync("ed25519");
  }
  const protection = { passphrase, cipher: "aes256-ctr", rounds: 4 };
  return type === "ecdsa"
    ? ssh2.utils.generateKeyPairSync("ecdsa", { ...bits, ...protection })
    : ssh2.utils.generateKeyPairSync("ed25519", protection);
}

export interface ServerOptions {
  readonly hostKeys?: readonly string[];
  /** What it calls itself. */
  readonly software?: string;
  /** Lets everybody in when not given. */
  readonly authenticate?: (context: AuthContext) => void;
  readonly onExec?: (channel: ServerChannel, command: string, client: Connection) => void;
  /** Answers direct-tcpip by connecting for real when true. */
  readonly onTcp?: (channel: ServerChannel, port: number) => void;
  /** Refuses a session while so many are open. */
  readonly maxSessions?: number;
  /** Leaves direct-tcpip without an answer. */
  readonly ignoresTcp?: boolean;
}

export interface TestServer {
  readonly port: number;
  /** Authentication requests seen, as `method` or `method:detail`. */
  readonly tries: string[];
  close(): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<TestServer> {
  const tries: string[] = [];
  const clients = new Set<Connection>();
  const settings = {
    hostKeys: [...(options.hostKeys ?? [makeKey().private])],
    ...(options.software === undefined ? {} : { ident: options.software }),
  };
  const server = new ssh2.Server(settings, (client) => {
    clients.add(client);
    client.on("error", () => {});
    client.on("close", () => clients.delete(client));
    client.on("authentication", (context) => {
      tries.push(context.method);
      if (options.authenticate === undefined) context.accept();
      else options.authenticate(context);
    });
    let sessions = 0;
    client.on("session", (accept, reject) => {
      if (sessions >= (options.maxSessions ?? Number.POSITIVE_INFINITY)) return reject();
      sessions += 1;
      accept().on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on("close", () => {
          sessions -= 1;
        });
        if (options.onExec !== undefined) options.onExec(channel, command, client);
        else {
          channel.exit(0);
          channel.end();
        }
      });
    });
    client.on("tcpip", (accept, reject, { destPort }) => {
      if (options.ignoresTcp === true) return;
      if (options.onTcp === undefined) reject();
      else options.onTcp(accept(), destPort);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    tries,
    close: () =>
      new Promise((resolve) => {
        for (const client of clients) client.end();
        server.close(() => resolve());
      }),
  };
}

/** As sshd does with a login shell. */
export function runByShell(channel: ServerChannel, command: string): void {
  const child = spawn("sh", ["-c", command], { stdio: "pipe" });
  channel.pipe(child.stdin).on("error", () => {});
  channel.on("close", () => child.stdin.destroy());
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code) => {
    channel.exit(code ?? 255);
    channel.end();
  });
}

/** Does what a real sshd does with a key: says that it would take it, then checks the signature. */
export function acceptKey(context: AuthContext, publicKey: string): void {
  const known = ssh2.utils.parseKey(publicKey);
  if (known instanceof Error) throw known;
  if (context.method !== "publickey" || !known.getPublicSSH().equals(context.key.data)) context.reject(["publickey"]);
  else if (context.signature === undefined || context.blob === undefined) context.accept();
  else if (known.verify(context.blob, context.signature, context.hashAlgo)) context.accept();
  else context.reject(["publickey"]);
}

export interface Asked {
  readonly hostKeys: HostKeyQuestion[];
  readonly secrets: string[];
}

export interface Bench {
  readonly folder: string;
  readonly knownHosts: string;
  readonly asked: Asked;
  readonly connector: Connector;
  connect(port: number, address?: Partial<HostAddress>, options?: Partial<ConnectOptions>): Promise<Transport>;
}

/** A connector with its own folder, ssh_config, known_hosts and an operator who answers as told. */
export function makeBench(
  answers: { confirm?: boolean; secrets?: ReadonlyArray<string | undefined>; config?: string } = {},
): Bench {
  const folder = scratchFolder();
  const knownHosts = join(folder, "ssh", "known_hosts");
  const sshConfigFile = join(folder, "config");
  writeFileSync(
    sshConfigFile,
    `${answers.config ?? ""}\nHost *\n  IdentityAgent none\n  IdentityFile none\n  UserKnownHostsFile ${knownHosts}\n  GlobalKnownHostsFile none\n`,
  );
  const asked: Asked = { hostKeys: [], secrets: [] };
  const secrets = [...(answers.secrets ?? [])];
  const connector = new Connector();
  return {
    folder,
    knownHosts,
    asked,
    connector,
    connect: (port, address = {}, options = {}) =>
      connector.connect(
        { name: "edge-1", connection: "ssh", host: "127.0.0.1", port, user: "pi", ...address },
        {
          hostKeyPolicy: "accept-new",
          connectTimeoutMs: 5000,
          sshConfigFile,
          prompter: {
            confirmHostKey: async (question) => {
              asked.hostKeys.push(question);
              return answers.confirm ?? false;
            },
            askSecret: async (question) => {
              asked.secrets.push(question);
              const answer = secrets.shift();
              return answer === undefined ? undefined : new Secret(answer);
            },
          },
          ...options,
        },
      ),
  };
}

/** A public key as it travels. */
export function blob(publicKey: string): Buffer {
  const key = ssh2.utils.parseKey(publicKey);
  if (key instanceof Error) throw key;
  return key.getPublicSSH();
}

/** Adds a line to the known hosts of a bench. */
export function know(bench: Bench, line: string): void {
  mkdirSync(dirname(bench.knownHosts), { recursive: true });
  appendFileSync(bench.knownHosts, `${line}\n`);
}

/** `type base64` of a public key, without its comment. */
export function plain(publicKey: string): string {
  return publicKey.split(" ").slice(0, 2).join(" ");
}
