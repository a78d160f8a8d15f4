import { request as httpRequest } from "node:http";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from "node:tls";

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface HttpGetOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Of an answer that has no end: asked at each piece whether the body so far is enough. */
  readonly enough?: (body: Buffer) => boolean;
  /** Bytes of the body; more is an error. TEXT_BODY unless given. */
  readonly most?: number;
}

/** One GET, redirects not followed. @throws Error in words when there is no complete answer. */
export type HttpGet = (url: URL, options?: HttpGetOptions) => Promise<HttpResponse>;

/** Milliseconds for a whole answer: a segment over a slow tunnel is the longest. */
const TIMEOUT_MS = 15_000;
/** Pages, playlists and JSON, which are read as text: ten times of what an edge with 200 streams has. */
const TEXT_BODY = 4 * 1024 * 1024;
/** A segment of 10 s at 25 Mb/s; whoever sends more is no edge. */
export const MEDIA_BODY = 32 * 1024 * 1024;

/**
 * Makes GETs over connections that `open` gives: a socket, or a channel of an SSH connection. TLS is done here.
 * @param pinned SHA-256 of the one certificate that is trusted, whoever vouches for it; without it, those whom Node trusts
 */
export function createHttpGet(open: () => Promise<Duplex>, pinned?: string): HttpGet {
  return async (url, options = {}) => {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
    const stream = await unlessAborted(open(), signal);
    stream.on("error", () => {}); // told by the request; after it, of no interest
    // Also ends a TLS handshake that the other side does not go on with.
    const drop = () => stream.destroy(signal.reason);
    signal.addEventListener("abort", drop, { once: true });
    try {
      const connection = url.protocol === "https:" ? await startTls(stream, url, pinned) : stream;
      return await get(connection, url, { ...options, signal }).finally(() => connection.destroy());
    } catch (error) {
      throw limit.aborted ? new Error(`no complete answer in ${TIMEOUT_MS / 1000} s`) : error;
    } finally {
      signal.removeEventListener("abort", drop);
      stream.destroy();
    }
  };
}

/** A connection that is opened too late is closed again. */
function unlessAborted(opening: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(new Error("the connection is not opened in time"));
      opening.then(
        (late) => late.destroy(),
        () => {},
      );
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    opening.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function get(
  connection: Duplex,
  url: URL,
  options: HttpGetOptions & { readonly signal: AbortSignal },
): Promise<HttpResponse> {
  const { most = TEXT_BODY, signal } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => connection,
      host: url.hostname,
      port: url.port === "" ? undefined : url.port,
      path: url.pathname + url.search,
      headers: { ...options.headers, Host: url.host, Connection: "close" },
      // no "agent": with any, even false, Node.js ignores createConnection
      setHost: false,
      signal,
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("error", reject);
      const finish = () => {
        const headers = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [
            name,
            Array.isArray(value) ? value.join(", ") : value,
          ]),
        );
        resolve({ status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) });
      };
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= most) chunks.push(chunk);
        if (size > most) {
          response.destroy(new Error(`the answer is larger than ${most} bytes`));
          return;
        }
        if (options.enough?.(Buffer.concat(chunks))) finish();
      });
      response.on("end", finish);
    });
    request.end();
  });
}

async function startTls(stream: Duplex, url: URL, pinned: string | undefined): Promise<Duplex> {
  const secure = await tlsOver(stream, url.hostname, { rejectUnauthorized: pinned === undefined });
  if (pinned === undefined || fingerprintOf(secure) === pinned) return secure;
  secure.destroy();
  throw new Error("TLS: another certificate is shown than the one that the host has");
}

/**
 * TLS with a server over a connection.
 * @param host name or address, IPv6 with or without brackets
 */
export function tlsOver(stream: Duplex, host: string, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const plain = host.replace(/^\[|\]$/g, "");
    // A literal address may not be sent as server name (RFC 6066, section 3).
    const named = isIP(plain) === 0;
    const secure = tlsConnect({ socket: stream, host: plain, ...(named ? { servername: plain } : {}), ...options });
    const timer = setTimeout(() => secure.destroy(new Error("no handshake in time")), TIMEOUT_MS);
    secure.once("secureConnect", () => {
      clearTimeout(timer);
      secure.removeAllListeners("error");
      resolve(secure);
    });
    secure.once("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`TLS: ${error.message}`));
    });
  });
}

/** SHA-256 of the certificate that is shown, lower-case hexadecimal digits. */
export function fingerprintOf(secure: TLSSocket): string {
  return secure.getPeerCertificate().fingerprint256?.replaceAll(":", "").toLowerCase() ?? "";
}
