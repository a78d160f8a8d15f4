/** HLS playlists as RFC 8216 defines them, as far as an edge writes them: media and master. */
export interface HlsKey {
  readonly method: string;
  readonly uri: string | undefined;
  /** 16 bytes; without it the media sequence number is the IV (section 5.2). */
  readonly iv: Buffer | undefined;
}

export interface HlsSegment {
  readonly uri: string;
  /** EXTINF, in seconds. */
  readonly duration: number;
  readonly sequence: number;
  readonly discontinuity: boolean;
  readonly key: HlsKey | undefined;
}

export interface MediaPlaylist {
  readonly kind: "media";
  readonly version: number;
  /** The lowest EXT-X-VERSION that what it holds is of (section 7), and what asks for it. */
  readonly needs: { readonly version: number; readonly because: string };
  /** Seconds. */
  readonly targetDuration: number;
  readonly mediaSequence: number;
  readonly segments: readonly HlsSegment[];
  /** EXT-X-DISCONTINUITY-SEQUENCE: the discontinuities that have left the playlist. */
  readonly discontinuitySequence: number;
  /** EXT-X-PLAYLIST-TYPE. */
  readonly type: "EVENT" | "VOD" | undefined;
  /** EXT-X-ENDLIST: nothing more will come. */
  readonly ended: boolean;
}

export interface HlsVariant {
  readonly uri: string;
  /** Bits per second. */
  readonly bandwidth: number;
  readonly attributes: ReadonlyMap<string, string>;
}

export interface MasterPlaylist {
  readonly kind: "master";
  readonly variants: readonly HlsVariant[];
}

export type Playlist = MediaPlaylist | MasterPlaylist;

/** The text breaks RFC 8216. `line` is 1-based. */
export class PlaylistError extends Error {
  override readonly name = "PlaylistError";
  constructor(
    readonly line: number,
    what: string,
  ) {
    super(`line ${line}: ${what}`);
  }
}

/** Days of segments. */
const MAX_LINES = 300_000;

interface Tag {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}
interface Uri {
  readonly line: number;
  readonly uri: string;
}

/**
 * Reads a playlist strictly.
 * @throws PlaylistError at the first line that breaks the standard.
 */
export function parsePlaylist(text: string): Playlist {
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_LINES) throw new PlaylistError(MAX_LINES, "the playlist goes on");
  if (lines[0] !== "#EXTM3U") throw new PlaylistError(1, "the playlist does not begin with #EXTM3U");
  const items = lines.flatMap((content, index) => readLine(content, index + 1));
  const once = new Set<string>();
  for (const item of items) {
    if ("uri" in item || !ONCE.has(item.name)) continue;
    if (once.has(item.name)) throw new PlaylistError(item.line, `a second #${item.name}`);
    once.add(item.name);
  }
  const isMaster = items.some((item) => "name" in item && MASTER_ONLY.has(item.name));
  return isMaster ? readMaster(items) : readMedia(items);
}

/**
 * Splits an attribute list (section 4.2), with quotes taken off.
 * @throws PlaylistError
 */
export function parseAttributes(value: string, line: number): Map<string, string> {
  const attributes = new Map<string, string>();
  const pattern = /([A-Z0-9-]+)=("([^"]*)"|[^",]*)(,|$)/y;
  while (pattern.lastIndex < value.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(value);
    if (match === null)
      throw new PlaylistError(line, `the attribute list is malformed at "${value.slice(at, at + 20)}"`);
    const name = match[1] ?? "";
    if (attributes.has(name)) throw new PlaylistError(line, `the attribute ${name} is given twice`);
    attributes.set(name, match[3] ?? match[2] ?? "");
  }
  return attributes;
}

function readLine(content: string, line: number): (Tag | Uri)[] {
  if (content.trim() === "") return [];
  if (!content.startsWith("#")) return [{ line, uri: content.trim() }];
  if (!content.startsWith("#EXT")) return []; // a comment
  const colon = content.indexOf(":");
  const name = colon < 0 ? content.slice(1) : content.slice(1, colon);
  return [{ line, name: name.trimEnd(), value: colon < 0 ? "" : content.slice(colon + 1).trimEnd() }];
}

function readMaster(items: readonly (Tag | Uri)[]): MasterPlaylist {
  const variants: HlsVariant[] = [];
  let pending: Map<string, string> | undefined;
  for (const item of items) {
    if ("uri" in item) {
      if (pending === undefined) throw new PlaylistError(item.line, "a URI without #EXT-X-STREAM-INF before it");
      variants.push({ uri: item.uri, bandwidth: Number(pending.get("BANDWIDTH")), attributes: pending });
      pending = undefined;
    } else if (item.name === "EXT-X-STREAM-INF") {
      pending = parseAttributes(item.value, item.line);
      if (!/^[1-9]\d*$/.test(pending.get("BANDWIDTH") ?? ""))
        throw new PlaylistError(item.line, "a variant without BANDWIDTH");
    } else if (MEDIA_ONLY.has(item.name)) {
      throw new PlaylistError(item.line, `#${item.name} in a master playlist`);
    }
  }
  if (pending !== undefined)
    throw new PlaylistError(items.at(-1)?.line ?? 1, "#EXT-X-STREAM-INF without a URI after it");
  return { kind: "master", variants };
}

/** Sections 4.3.2 and 4.3.3. */
const MEDIA_ONLY = new Set([
  ...["EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME"],
  ...["EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST"],
  ...["EXT-X-PLAYLIST-TYPE", "EXT-X-I-FRAMES-ONLY"],
]);
/** Section 4.3.4. */
const MASTER_ONLY = new Set(["EXT-X-STREAM-INF", "EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-KEY"]);
/** Sections 4.3.1 and 4.3.3: at most one of each. */
const ONCE = new Set([
  ...["EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"],
  ...["EXT-X-PLAYLIST-TYPE", "EXT-X-ENDLIST"],
]);

function readMedia(items: readonly (Tag | Uri)[]): MediaPlaylist {
  const reader = new MediaReader();
  for (const item of items) {
    if ("uri" in item) reader.segment(item);
    else reader.tag(item);
  }
  return reader.finish();
}

class MediaReader {
  readonly #segments: HlsSegment[] = [];
  #version = 1;
  #target: number | undefined;
  #sequence: number | undefined;
  #discontinuities = 0;
  #type: "EVENT" | "VOD" | undefined;
  #needs = { version: 1, because: "" };
  #ended = false;
  #duration: number | undefined;
  #discontinuity = false;
  #key: HlsKey | undefined;

  tag(tag: Tag): void {
    switch (tag.name) {
      case "EXT-X-VERSION":
        this.#version = integer(tag);
        return;
      case "EXT-X-TARGETDURATION":
        this.#target = integer(tag);
        return;
      case "EXT-X-MEDIA-SEQUENCE":
        if (this.#segments.length > 0)
          throw new PlaylistError(tag.line, "#EXT-X-MEDIA-SEQUENCE after the first segment");
        this.#sequence = integer(tag);
        return;
      case "EXT-X-DISCONTINUITY-SEQUENCE":
        // Section 4.3.3.3.
        if (this.#segments.length > 0 || this.#discontinuity)
          throw new PlaylistError(tag.line, "#EXT-X-DISCONTINUITY-SEQUENCE after the first segment or discontinuity");
        this.#discontinuities = integer(tag);
        return;
      case "EXT-X-PLAYLIST-TYPE":
        if (tag.value !== "EVENT" && tag.value !== "VOD")
          throw new PlaylistError(tag.line, `the playlist type is "${tag.value}"`);
        this.#type = tag.value;
        return;
      case "EXTINF":
        this.#duration = duration(tag);
        if (tag.value.includes(".")) this.#need(3, "EXTINF with a fraction");
        return;
      case "EXT-X-BYTERANGE":
        this.#need(4, "EXT-X-BYTERANGE");
        return;
      case "EXT-X-MAP":
        this.#need(6, "EXT-X-MAP");
        return;
      case "EXT-X-DISCONTINUITY":
        this.#discontinuity = true;
        return;
      case "EXT-X-KEY":
        this.#key = readKey(tag);
        if (this.#key?.iv !== undefined) this.#need(2, "the IV of EXT-X-KEY");
        if (/\bKEYFORMAT(VERSIONS)?=/.test(tag.value)) this.#need(5, "the KEYFORMAT of EXT-X-KEY");
        return;
      case "EXT-X-ENDLIST":
        this.#ended = true;
        return;
      default: // unknown tags are to be ignored (section 6.3.1)
    }
  }

  segment({ line, uri }: Uri): void {
    if (this.#duration === undefined) throw new PlaylistError(line, "a segment without #EXTINF");
    this.#segments.push({
      uri,
      duration: this.#duration,
      sequence: (this.#sequence ?? 0) + this.#segments.length,
      discontinuity: this.#discontinuity,
      key: this.#key,
    });
    this.#duration = undefined;
    this.#discontinuity = false;
  }

  #need(version: number, because: string): void {
    if (version > this.#needs.version) this.#needs = { version, because };
  }

  finish(): MediaPlaylist {
    const target = this.#target;
    if (target === undefined) throw new PlaylistError(1, "no #EXT-X-TARGETDURATION");
    if (this.#duration !== undefined) throw new PlaylistError(1, "an #EXTINF without a segment after it");
    return {
      kind: "media",
      version: this.#version,
      targetDuration: target,
      needs: this.#needs,
      mediaSequence: this.#sequence ?? 0,
      discontinuitySequence: this.#discontinuities,
      type: this.#type,
      segments: this.#segments,
      ended: this.#ended,
    };
  }
}

function integer(tag: Tag): number {
  if (!/^\d{1,15}$/.test(tag.value)) throw new PlaylistError(tag.line, `#${tag.name} is not a whole number`);
  return Number(tag.value);
}

function duration(tag: Tag): number {
  const match = /^(\d+(\.\d+)?)(,.*)?$/.exec(tag.value);
  if (match === null) throw new PlaylistError(tag.line, "#EXTINF has no duration");
  return Number(match[1]);
}

function readKey(tag: Tag): HlsKey | undefined {
  const attributes = parseAttributes(tag.value, tag.line);
  const method = attributes.get("METHOD");
  if (method === undefined) throw new PlaylistError(tag.line, "#EXT-X-KEY without METHOD");
  if (!/^(NONE|AES-128|SAMPLE-AES)$/.test(method)) throw new PlaylistError(tag.line, `the key method is "${method}"`);
  // Section 4.3.2.4.
  if (method === "NONE") {
    if (attributes.size > 1) throw new PlaylistError(tag.line, "METHOD=NONE with other attributes");
    return undefined;
  }
  if ((attributes.get("URI") ?? "") === "") throw new PlaylistError(tag.line, "#EXT-X-KEY without URI");
  const iv = /^0[xX]([0-9a-fA-F]{32})$/.exec(attributes.get("IV") ?? "")?.[1];
  if (attributes.has("IV") && iv === undefined) throw new PlaylistError(tag.line, "the IV is not 128 bits");
  return { method, uri: attributes.get("URI"), iv: iv === undefined ? undefined : Buffer.from(iv, "hex") };
}
