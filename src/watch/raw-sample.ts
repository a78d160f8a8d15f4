import { type EdgeCertificate, readCertificate } from "../edge/certificate.js";

/** What a host said in one sample, as counters; rates follow from two of them. */
export interface RawSample {
  /** Seconds of the host's own clock. */
  readonly now: number;
  readonly cpu: { readonly busy: number; readonly total: number } | undefined;
  readonly memory: { readonly totalKb: number; readonly availableKb: number } | undefined;
  readonly network: { readonly received: number; readonly sent: number } | undefined;
  readonly temperatureC: number | undefined;
  readonly throttled: string;
  readonly units: readonly { readonly name: string; readonly active: boolean }[];
  readonly tmpfs: { readonly size: number; readonly used: number } | undefined;
  /** Names that a publisher holds, whatever process it is in. */
  readonly claims: readonly string[];
  /** Those of them whose process runs the build from before an upgrade. */
  readonly onOldBuild: readonly string[];
  /** Restarts that wait until nobody publishes. */
  readonly pending: readonly { readonly unit: string; readonly why: string }[];
  /** Streams that an upgrade ended last, and when: seconds of the host's clock. */
  readonly ended: { readonly at: number; readonly names: readonly string[] } | undefined;
  readonly publishers: readonly RawPublisher[];
  readonly playlists: ReadonlyMap<string, RawPlaylist>;
  readonly connections: number | undefined;
  /** How often the playlist of each stream was asked for, since the server started. */
  readonly playlistRequests: ReadonlyMap<string, number> | undefined;
  /** What the edge notes of its certificate; null when it has none, undefined when it was not looked at this time. */
  readonly certificate: EdgeCertificate | null | undefined;
  /** When the configuration was switched, seconds of the host's clock. */
  readonly switchedAt: number | undefined;
}

export interface RawPublisher {
  readonly name: string;
  readonly address: string | undefined;
  readonly bytesIn: number;
  readonly uptimeMs: number;
  readonly videoCodec: string | undefined;
  readonly audioCodec: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly fps: number | undefined;
}

export interface RawPlaylist {
  /** Seconds of the host's clock. */
  readonly writtenAt: number;
  /** Seconds of each segment. */
  readonly segments: readonly number[];
}

/** As nginx takes them (assets/nginx/njs/edge.js); a host may say anything. */
const STREAM = /^[A-Za-z0-9_-]{1,64}$/;
/** More streams than that are no edge's; the rest is dropped. */
const MAX_STREAMS = 200;
/** Longer playlists are cut: their jitter does not change any more. */
const MAX_SEGMENTS = 500;
/** Lines of one kind that are read: files and playlists of all streams are the most. */
const MAX_LINES = 2000;
const MAX_UNITS = 40;
const LIVE = "/etc/edge/live";
const VIEWS = "/run/edge-http/views";
const PLAYLIST = /^\/run\/edge\/hls\/([A-Za-z0-9_-]{1,64})\.m3u8$/;

/**
 * Reads what the sampler printed between `begin` and `end`. Whatever has not the expected form is left out: numbers of a
 * dashboard are not worth an error.
 */
export function parseSample(lines: readonly string[], nonce: string): RawSample {
  const { fields, parts } = divide(lines, nonce);
  const one = (key: string) => fields.get(key)?.[0];
  const all = (key: string) => fields.get(key) ?? [];
  const memory = numbers(one("mem"), 2);
  const network = numbers(one("net"), 2);
  const temperature = numbers(one("temp"), 1);
  const traffic = trafficOf(parts.get("traffic"));
  const files = new Map(all("file").flatMap(fileTime));
  return {
    now: numbers(one("now")?.replace(",", "."), 1)?.[0] ?? 0,
    cpu: cpuOf(one("cpu")),
    memory: memory && { totalKb: memory[0] ?? 0, availableKb: memory[1] ?? 0 },
    network: network && { received: network[0] ?? 0, sent: network[1] ?? 0 },
    temperatureC: temperature === undefined ? undefined : (temperature[0] ?? 0) / 1000,
    throttled: one("power") ?? "",
    units: all("unit").slice(0, MAX_UNITS).flatMap(unitOf),
    tmpfs: tmpfsOf(one("tmpfs")),
    claims: all("claim")
      .filter((name) => STREAM.test(name))
      .slice(0, MAX_STREAMS),
    onOldBuild: all("old")
      .filter((name) => STREAM.test(name))
      .slice(0, MAX_STREAMS),
    pending: all("pending").slice(0, MAX_UNITS).flatMap(pendingOf),
    ended: endedOf(one("cut")),
    publishers: publishersOf(parts.get("rtmp") ?? ""),
    playlists: playlistsOf(all("list"), files),
    connections: connectionsOf(parts.get("connections")) ?? traffic?.connections,
    playlistRequests: traffic?.playlistRequests ?? viewsOf(all("file")),
    certificate: certificateOf(one("cert")),
    switchedAt: files.get(LIVE),
  };
}

/** Fields are `key<tab>value`; a part is whatever a service answered, up to the nonce on a line of its own. */
function divide(lines: readonly string[], nonce: string) {
  const fields = new Map<string, string[]>();
  const parts = new Map<string, string>();
  let part: { name: string; lines: string[] } | undefined;
  for (const line of lines) {
    if (part !== undefined) {
      if (line === nonce) {
        parts.set(part.name, part.lines.join("\n"));
        part = undefined;
      } else part.lines.push(line);
      continue;
    }
    const [key = "", value = ""] = split(line);
    if (key === "part") part = { name: value, lines: [] };
    else add(fields, key, value);
  }
  return { fields, parts };
}

function certificateOf(text: string | undefined): RawSample["certificate"] {
  return text === undefined ? undefined : (readCertificate(text) ?? null);
}

function add(fields: Map<string, string[]>, key: string, value: string): void {
  const known = fields.get(key);
  if (known === undefined) fields.set(key, [value]);
  else if (known.length < MAX_LINES) known.push(value);
}

function split(line: string): [string, string] {
  const at = line.indexOf("\t");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}

function numbers(text: string | undefined, count: number): number[] | undefined {
  if (text === undefined) return undefined;
  const found = text.trim().split(/\s+/).map(Number);
  return found.length >= count && found.every((value) => Number.isFinite(value) && value >= 0) ? found : undefined;
}

/** /proc/stat: user nice system idle iowait irq softirq steal; guest times are in user already (proc_stat(5)). */
function cpuOf(text: string | undefined): RawSample["cpu"] {
  const times = numbers(text, 8)?.slice(0, 8);
  if (times === undefined) return undefined;
  const total = times.reduce((sum, time) => sum + time, 0);
  return { total, busy: total - (times[3] ?? 0) - (times[4] ?? 0) };
}

function unitOf(text: string): RawSample["units"] {
  const [name = "", active] = text.split(" ");
  return /^edge-[a-z]{1,16}$/.test(name) ? [{ name, active: active === "1" }] : [];
}

/** Reasons as assets/bin/edge_units.sh has them. */
function pendingOf(text: string): RawSample["pending"] {
  const [, unit, why] = /^(edge-[a-z]{1,16}) ([A-Za-z ]{1,80})$/.exec(text) ?? [];
  return unit === undefined || why === undefined ? [] : [{ unit, why }];
}

/** `SECONDS NAME, NAME`. */
function endedOf(text = ""): RawSample["ended"] {
  const [, at, list = ""] = /^(\d{1,12}) (.*)$/.exec(text) ?? [];
  const names = list.split(", ").filter((name) => STREAM.test(name));
  return at === undefined || names.length === 0 ? undefined : { at: Number(at), names: names.slice(0, MAX_STREAMS) };
}

/** `TYPE BLOCKSIZE BLOCKS FREE`; below an unmounted mount point lies the disk, which is no tmpfs. */
function tmpfsOf(text = ""): RawSample["tmpfs"] {
  const [type, ...rest] = text.split(" ");
  const [block = 0, blocks = 0, free = 0] = numbers(rest.join(" "), 3) ?? [];
  return type === "tmpfs" ? { size: block * blocks, used: block * (blocks - free) } : undefined;
}

function fileTime(text: string): [string, number][] {
  const [path = "", time] = text.split(" ");
  const seconds = Number(time?.replace(",", "."));
  return Number.isFinite(seconds) ? [[path, seconds]] : [];
}

/** Without VTS, nginx appends a byte for each playlist that it sends to the stream's file (assets/nginx/http.conf.j2). */
function viewsOf(files: readonly string[]): ReadonlyMap<string, number> | undefined {
  const sizes = files.map((text) => text.split(" ")).filter(([path = ""]) => path.startsWith(VIEWS));
  if (sizes.length === 0) return undefined;
  const found = sizes.flatMap(([path = "", , size]): [string, number][] => {
    const name = path.slice(VIEWS.length + 1);
    const count = numbers(size, 1)?.[0];
    return STREAM.test(name) && count !== undefined ? [[name, count]] : [];
  });
  return new Map(found.slice(0, MAX_STREAMS));
}

function playlistsOf(lists: readonly string[], files: ReadonlyMap<string, number>): Map<string, RawPlaylist> {
  const found = new Map<string, RawPlaylist>();
  for (const line of lists.slice(0, MAX_STREAMS)) {
    const [path = "", ...lengths] = line.split(" ");
    const name = PLAYLIST.exec(path)?.[1];
    const writtenAt = files.get(path);
    if (name === undefined || writtenAt === undefined) continue;
    const segments = lengths
      .slice(0, MAX_SEGMENTS)
      .map(Number)
      .filter((length) => Number.isFinite(length));
    found.set(name, { writtenAt, segments });
  }
  return found;
}

/** The body of an HTTP answer with status 200, or nothing. */
function bodyOf(answer: string | undefined): string | undefined {
  if (answer === undefined || !/^HTTP\/1\.[01] 200 /.test(answer)) return undefined;
  const blank = /\r?\n\r?\n/.exec(answer);
  return blank === null ? undefined : answer.slice(blank.index + blank[0].length);
}

/** The publishers of the application `hls` in rtmp_stat's XML. */
function publishersOf(answer: string): RawPublisher[] {
  const xml = bodyOf(answer) ?? "";
  const application = xml.split("<application>").find((part) => tag(part, "name") === "hls") ?? "";
  return application.split("<stream>").slice(1, MAX_STREAMS).flatMap(publisherOf);
}

function publisherOf(text: string): RawPublisher[] {
  const stream = text.split("</stream>")[0] ?? "";
  const [before = "", ...clients] = stream.split("<client>");
  const own = [before, ...clients.map((client) => client.split("</client>")[1] ?? "")].join("");
  const name = tag(own, "name") ?? "";
  if (!STREAM.test(name) || !own.includes("<publishing/>")) return [];
  const encoder = clients.find((client) => client.includes("<publishing/>")) ?? "";
  const video = own.split("<video>")[1]?.split("</video>")[0] ?? "";
  const audio = own.split("<audio>")[1]?.split("</audio>")[0] ?? "";
  return [
    {
      name,
      address: word(tag(encoder, "address")),
      bytesIn: count(tag(own, "bytes_in")) ?? 0,
      uptimeMs: count(tag(encoder, "time")) ?? count(tag(own, "time")) ?? 0,
      videoCodec: word(tag(video, "codec")),
      audioCodec: word(tag(audio, "codec")),
      width: count(tag(video, "width")),
      height: count(tag(video, "height")),
      fps: count(tag(video, "frame_rate")),
    },
  ];
}

function tag(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]{0,200})</${name}>`).exec(xml)?.[1];
}

/** A short word of harmless characters: an address, a codec. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z0-9.:%/_-]{1,64}$/.test(text) ? text : undefined;
}

/** A count above zero; rtmp_stat says 0 where it does not know. */
function count(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** stub_status, without the connection that asks. */
function connectionsOf(answer: string | undefined): number | undefined {
  const active = /^Active connections: (\d{1,9})/m.exec(bodyOf(answer) ?? "")?.[1];
  return active === undefined ? undefined : Math.max(0, Number(active) - 1);
}

interface Traffic {
  readonly connections: number | undefined;
  readonly playlistRequests: ReadonlyMap<string, number>;
}

/** VTS's JSON: the group `playlists::*` of http.conf, by stream (nginx-module-vts 0.2, README, "JSON"). */
function trafficOf(answer: string | undefined): Traffic | undefined {
  const body = bodyOf(answer);
  if (body === undefined) return undefined;
  try {
    const all = JSON.parse(body);
    const active: unknown = all?.connections?.active;
    const zones: Readonly<Record<string, { requestCounter?: unknown } | null>> =
      all?.filterZones?.["playlists::*"] ?? {};
    const found = Object.entries(zones).flatMap(([name, zone]): [string, number][] =>
      STREAM.test(name) && typeof zone?.requestCounter === "number" ? [[name, zone.requestCounter]] : [],
    );
    const connections = typeof active === "number" ? Math.max(0, active - 1) : undefined;
    return { connections, playlistRequests: new Map(found) };
  } catch {
    return undefined;
  }
}
