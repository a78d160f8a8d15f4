import { setMaxListeners } from "node:events";
import type { Duplex } from "node:stream";
import type { Client, ConnectConfig } from "ssh2";
import { EdgeError, type UnreachableError } from "../util/errors.js";
import { interrupted } from "../util/semaphore.js";
import { Login, type LoginPlan } from "./auth.js";
import { handshakeError, lostError, type Place, timeoutError } from "./connect-errors.js";
import { Deadline } from "./deadline.js";
import { type ByteCount, countBytes } from "./dial.js";
import type { HostKeyExpectation } from "./host-key.js";
import { asAgent, type KeyPlan } from "./key-ring.js";
import { loadNodeSsh, loadSsh2 } from "./libraries.js";
import { shortenLogin } from "./short-login.js";

/** Seconds of silence after which a link counts as lost: 15 x 4. ssh2 sends none by default. */
const KEEPALIVE_MS = 15_000;
const KEEPALIVE_TRIES = 4;

/** As ssh2 has them, but for what no server has needed since OpenSSH 5.9 (2011): both lists travel twice in the clear. */
const ALGORITHMS = {
  compress: ["none"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
} satisfies ConnectConfig["algorithms"];

/** The only trace that ssh2 leaves of the methods that a host accepts after it refused an agent's key. */
const REFUSAL = /^Inbound: Received USERAUTH_FAILURE \((.*)\)$/;

/** What ssh2 says of the host's KEXINIT, before it answers that. */
const ANSWER = "Inbound: Handshake in progress";

/** A logged-in SSH connection. */
export interface SshSession {
  readonly client: Client;
  readonly label: string;
  readonly hostname: string;
  /** Aborts with an UnreachableError E_CONNECTION_LOST as its reason, when the link goes. */
  readonly lost: AbortSignal;
  bytes(): ByteCount;
  close(): void;
}

export interface HandshakeOptions {
  readonly place: Place;
  readonly user: string;
  readonly hostKey: HostKeyExpectation;
  readonly keys: KeyPlan;
  readonly questions: LoginPlan["questions"];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** The host's key is not looked at before it. */
  readonly login: Promise<void> | undefined;
  /** Called when the host has said what it speaks. */
  readonly onAnswer: (() => void) | undefined;
  /** Called with the password that let us in. */
  readonly onPassword: (password: NonNullable<Login["password"]>) => void;
}

/**
 * Handshake and login over a connected stream, which belongs to the session from here on.
 * @throws HostKeyError; UnreachableError E_TIMEOUT, E_AUTH, E_PASSPHRASE, E_HANDSHAKE, E_CONNECTION_LOST; InterruptedError.
 */
export async function openSession(stream: Duplex, options: HandshakeOptions): Promise<SshSession> {
  const [{ NodeSSH }, ssh2] = await Promise.all([loadNodeSsh(), loadSsh2()]);
  const { place, user, signal } = options;
  const bytes = countBytes(stream);
  const lost = new AbortController();
  setMaxListeners(0, lost.signal);
  let sawBanner = false;
  let isReady = false;
  let giveUp: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  failed.catch(() => {});
  const deadline = new Deadline(options.timeoutMs, () =>
    giveUp(
      timeoutError(
        place,
        sawBanner ? "does not finish the SSH handshake" : "accepts the connection but sends no SSH greeting",
        options.timeoutMs,
      ),
    ),
  );
  const abort = () => giveUp(interrupted());
  signal?.addEventListener("abort", abort, { once: true });

  try {
    if (signal?.aborted) throw interrupted();
    const login = new Login({
      label: place.label,
      user,
      keys: options.keys,
      agentFor: (offer) => {
        const sign: typeof offer.sign = (data, hash) => deadline.hold(() => offer.sign(data, hash));
        return asAgent(ssh2, { ...offer, sign }, giveUp);
      },
      questions: {
        password: options.questions.password,
        askPassword: (again) => deadline.hold(() => options.questions.askPassword(again)),
        askAnswer: (question) => deadline.hold(() => options.questions.askAnswer(question)),
      },
    });
    if (stream.destroyed || stream.readableEnded) throw handshakeError(undefined, place, false);
    const ssh = new NodeSSH();
    const attempt = ssh.connect({
      sock: stream as NonNullable<ConnectConfig["sock"]>,
      username: user,
      // The Deadline takes its place: it stands still while the operator thinks.
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_TRIES,
      algorithms: { ...ALGORITHMS, serverHostKey: options.hostKey.algorithms },
      debug: (message) => {
        if (message === ANSWER) options.onAnswer?.();
        const refusal = isReady ? undefined : REFUSAL.exec(message)?.[1];
        if (refusal !== undefined) login.hear(refusal.split(","));
      },
      authHandler: login.handler(giveUp) as NonNullable<ConnectConfig["authHandler"]>,
      // Not async: ssh2 takes any returned value, a promise too, for a yes.
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void): void => {
        void deadline
          .hold(async () => {
            await options.login;
            await options.hostKey.check(key);
          })
          .then(
            () => verify(true),
            (error: unknown) => {
              giveUp(error);
              verify(false);
            },
          );
      },
    });
    attempt.catch(() => {});
    const client = ssh.connection;
    // node-ssh makes the client before its first await, and takes its own error listener away once it is ready.
    if (client === null) throw new Error("node-ssh gives no client");
    client.setMaxListeners(0);
    shortenLogin(client, options.keys, giveUp);
    const lose = (reason: string, cause?: unknown) => {
      if (isReady && !lost.signal.aborted) lost.abort(lostError(place.label, reason, cause));
      stream.destroy();
    };
    client.on("greeting", () => {});
    client.on("handshake", () => {
      sawBanner = true;
    });
    client.on("error", (error: Error) => {
      if (!isReady) giveUp(explain(error));
      lose(lostReason(error), error);
    });
    client.on("end", () => lose("the host closes it"));
    client.on("close", () => lose("the host closes it"));
    const explain = (error: unknown): unknown => {
      const level = (error as { level?: unknown } | null)?.level;
      if (level === "client-authentication") return login.refusal();
      return error instanceof EdgeError ? error : handshakeError(error, place, sawBanner || hasRemoteVersion(client));
    };
    await Promise.race([failed, attempt.catch((error: unknown) => Promise.reject(explain(error)))]);
    isReady = true;
    if (login.password !== undefined) options.onPassword(login.password);
    return {
      client,
      label: place.label,
      hostname: place.hostname,
      lost: lost.signal,
      bytes,
      close: () => {
        client.removeAllListeners("end").removeAllListeners("close");
        client.end();
        if (!lost.signal.aborted) lost.abort(lostError(place.label, "it was closed from here"));
        finish(stream);
      },
    };
  } catch (error) {
    stream.on("error", () => {});
    stream.destroy();
    throw error;
  } finally {
    deadline.clear();
    signal?.removeEventListener("abort", abort);
  }
}

/** Set by ssh2 when the host's identification line has come; it has no event for that. */
function hasRemoteVersion(client: Client): boolean {
  return (client as { _remoteVer?: unknown })._remoteVer !== undefined;
}

function lostReason(error: Error): string {
  return /Keepalive timeout/.test(error.message)
    ? `no answer for ${(KEEPALIVE_MS * KEEPALIVE_TRIES) / 1000} s`
    : error.message;
}

/** Closes without waiting for the host's goodbye, which would cost a round trip. */
function finish(stream: Duplex): void {
  const socket = stream as Duplex & { destroySoon?: () => void };
  if (socket.destroySoon !== undefined) socket.destroySoon();
  else socket.destroy();
}

/** The reason why a session's link is gone. */
export function lossOf(session: Pick<SshSession, "lost">): UnreachableError {
  return session.lost.reason as UnreachableError;
}
