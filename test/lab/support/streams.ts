import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { dial } from "../../../src/edge/dial.js";
import type { FlvClip } from "../../../src/edge/flv.js";
import { type PlaylistReading, readPlaylist } from "../../../src/edge/hls-check.js";
import { createHttpGet, type HttpGet } from "../../../src/edge/http-get.js";
import type { MediaPlaylist } from "../../../src/edge/m3u8.js";
import { type Publication, type PublishOptions, publish } from "../../../src/edge/rtmp-publisher.js";
import type { LabHost } from "../../../src/lab/index.js";
import { Secret } from "../../../src/util/secret.js";
import type { Desk } from "./cli.js";
import { EDGE } from "./edge.js";
import { sshCommand } from "./lab.js";

/** Where the CLI files what it generates, beside edges.yml. */
export const SECRETS_FILE = "group_vars/all/edge-secrets.yml";

export interface EdgeSecrets {
  readonly token: string;
  readonly password: string;
  /** hls_signing_key, where it was generated. */
  readonly signing?: string;
}

export async function readSecrets(desk: Desk): Promise<EdgeSecrets> {
  const file = parse(await readFile(join(desk.folder, SECRETS_FILE), "utf8"));
  const own = file.edge_secrets[EDGE];
  return { token: own.rtmp_publish_token, password: own.http_status_password, signing: own.hls_signing_key };
}

/** Rewrites settings of all hosts in edges.yml. */
export async function changeSettings(desk: Desk, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(desk.folder, "edges.yml");
  const inventory = JSON.parse(await readFile(file, "utf8"));
  Object.assign(inventory.edges.vars, settings);
  await writeFile(file, JSON.stringify(inventory));
}

/**
 * What a stream's signed addresses begin with.
 * @param expires seconds since 1970
 */
export function signatureFor(stream: string, key: string | undefined, expires: number): string {
  return `/s/${createHash("md5").update(`${expires} ${stream} ${key}`).digest("base64url")}/${expires}`;
}

/** A publisher from outside, as the operator's encoder is one. */
export async function outside(
  host: LabHost,
  clip: FlvClip,
  streamName: string,
  token: string | undefined,
): Promise<PublishOptions> {
  const secret = token === undefined ? {} : { token: new Secret(token) };
  const tcUrl = `rtmp://${host.address}/hls`;
  return { socket: await dial(host.address, 1935), tcUrl, app: "hls", streamName, clip, timeoutMs: 6000, ...secret };
}

/** Publishes and waits until it is live. @throws Error when it is refused */
export async function goLive(
  { host }: { readonly host: LabHost },
  clip: FlvClip,
  stream: string,
  token: string,
): Promise<Publication> {
  const answer = await publish(await outside(host, clip, stream, token));
  if (answer.status !== "live") throw new Error(`${stream} is refused: ${answer.detail}`);
  return answer;
}

/** A connection that comes from the host itself, by SSH. */
export function fromInside(host: LabHost, port: number): Duplex {
  const [program = "", ...words] = sshCommand(host);
  const child = spawn(program, [...words.slice(0, -1), "-W", `127.0.0.1:${port}`, ...words.slice(-1)], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const channel = Duplex.from({ readable: child.stdout, writable: child.stdin });
  channel.on("error", () => {}); // ssh ends when the far side hangs up
  channel.on("close", () => child.kill());
  return channel;
}

export function getFrom(host: LabHost): HttpGet {
  return createHttpGet(() => dial(host.address, 80));
}

/** Reads the playlist of a stream as viewers do; undefined when there is none. */
export function playlistOf(host: LabHost, stream: string): Promise<PlaylistReading | undefined> {
  return readPlaylist({ httpGet: getFrom(host), url: new URL(`http://${host.address}/hls/${stream}.m3u8`) });
}

/** Waits until `done` gives something other than undefined or false. @throws Error after `ms` milliseconds, a guard against hangs */
export async function until<T>(
  what: string,
  done: () => Promise<T | undefined | false>,
  ms = 60_000,
): Promise<NonNullable<T>> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
    const value = await done();
    if (value !== undefined && value !== false && value !== null) return value as NonNullable<T>;
  }
  throw new Error(`waited ${ms / 1000} s for ${what}`);
}

/** One file that the kernel reported in the memory of the segments. */
export interface SeenFile {
  readonly name: string;
  /** Milliseconds since 1970; the host has this machine's clock. */
  readonly at: number;
}

// IN_CREATE | IN_MOVED_TO | IN_MODIFY: not even a file that lives for a microsecond is missed.
const WATCHER = `
import ctypes, os, struct, time
libc = ctypes.CDLL(None)
fd = libc.inotify_init()
assert libc.inotify_add_watch(fd, b"/run/edge/hls", 0x100 | 0x80 | 0x2) >= 0
print("0 ready", flush=True)
while True:
    data, at = os.read(fd, 65536), 0
    while at < len(data):
        length = struct.unpack_from("iIII", data, at)[3]
        print(int(time.time() * 1000), data[at + 16:at + 16 + length].rstrip(b"\\0").decode(), flush=True)
        at += 16 + length
`;

/** Has the host's kernel report every file that appears or grows in /run/edge/hls. */
export async function watchSegments(host: LabHost): Promise<{ seen(): Promise<SeenFile[]>; stop(): Promise<void> }> {
  await host.exec("cat > /root/watch.py", { input: WATCHER });
  await host.exec(
    "rm -f /root/watched; systemd-run -q --unit=watch-segments --property=StandardOutput=file:/root/watched python3 /root/watch.py",
  );
  const lines = async () => (await host.exec("cat /root/watched")).stdout.split("\n").filter((line) => line !== "");
  await until("the watcher", async () => (await lines()).length > 0);
  return {
    async seen() {
      const words = (await lines()).slice(1).map((line) => line.split(" "));
      return words.map(([at, ...name]) => ({ at: Number(at), name: name.join(" ") }));
    },
    async stop() {
      await host.exec("systemctl stop watch-segments");
    },
  };
}

/** Milliseconds between two looks at the clock, and the most that one counts for. */
const TICK_MS = 50;
const LONGEST_TICK_MS = 250;

/** A clock that does not count the time in which the machine, or this process, stood still. */
class RunningClock {
  #now = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => this.now(), TICK_MS);

  /** Milliseconds since it was started. */
  now(): number {
    const now = performance.now();
    this.#now += Math.min(now - this.#last, LONGEST_TICK_MS);
    this.#last = now;
    return this.#now;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** What a viewer who asks again and again has got. */
export interface Viewing {
  /** The longest time without a new segment, in milliseconds; where the machine stood still, nobody had one. */
  readonly longestWaitMs: number;
  readonly segments: number;
  readonly problems: readonly string[];
}

/** A viewer: asks for the playlist five times a second and fetches every new segment, until stopped. */
export function watchAsViewer(host: LabHost, stream: string): { stop(): Promise<Viewing> } {
  const stopping = new AbortController();
  const done = view(host, stream, stopping.signal);
  return {
    stop() {
      stopping.abort();
      return done;
    },
  };
}

async function view(host: LabHost, stream: string, stop: AbortSignal): Promise<Viewing> {
  const get = getFrom(host);
  const problems: string[] = [];
  let next: number | undefined;
  let segments = 0;
  const clock = new RunningClock();
  let advancedAt = clock.now();
  let longestWaitMs = 0;
  for (; !stop.aborted; await sleep(200)) {
    // A server that restarts answers nobody for a moment, and viewers ask again; what counts is the wait.
    const reading = await playlistOf(host, stream).catch(() => undefined);
    for (const segment of newSegments(reading?.playlist, next)) {
      if (next !== undefined && segment.sequence !== next) problems.push(`${next} was never listed`);
      next = segment.sequence + 1;
      const answer = await get(new URL(segment.uri, reading?.url)).catch(() => get(new URL(segment.uri, reading?.url)));
      if (answer.status !== 200 || answer.body.length === 0) problems.push(`${segment.uri} answers ${answer.status}`);
      longestWaitMs = Math.max(longestWaitMs, clock.now() - advancedAt);
      advancedAt = clock.now();
      segments++;
    }
    const last = reading?.playlist.segments.at(-1)?.sequence;
    if (last !== undefined && next !== undefined && last + 1 < next)
      problems.push(`goes back from ${next - 1} to ${last}`);
  }
  clock.stop();
  return { longestWaitMs: Math.max(longestWaitMs, clock.now() - advancedAt), segments, problems };
}

function newSegments(playlist: MediaPlaylist | undefined, next: number | undefined) {
  if (playlist === undefined) return [];
  // A viewer who comes begins with the newest.
  if (next === undefined) return playlist.segments.slice(-1);
  return playlist.segments.filter((segment) => segment.sequence >= next);
}
