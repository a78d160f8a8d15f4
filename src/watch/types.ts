/** One look at one host. Numbers are undefined where the host cannot tell, or cannot yet. */
export interface HostSample {
  readonly host: string;
  /** Milliseconds since the epoch, this machine's clock. */
  readonly at: number;
  readonly status: "ok" | "unreachable";
  /** Why it is unreachable. */
  readonly problem?: string;
  /** What to do about that. */
  readonly hint?: string;
  /** Milliseconds until it is tried again. */
  readonly retryMs?: number;
  /** Of all cores together, 0 to 100, since the sample before. */
  readonly cpuPercent?: number;
  readonly memoryUsedMb?: number;
  readonly memoryTotalMb?: number;
  readonly temperatureC?: number;
  /** Throttling and under-voltage of a Raspberry Pi, in words. */
  readonly power: readonly string[];
  /** The tmpfs of HLS segments, bytes. */
  readonly tmpfsUsed?: number;
  readonly tmpfsSize?: number;
  /** Bits per second on the interface of the default route, since the sample before. */
  readonly uplinkBps?: number;
  readonly downlinkBps?: number;
  readonly units: readonly { readonly name: string; readonly active: boolean }[];
  /** Open connections of viewers, of all streams together. */
  readonly connections?: number;
  /** Days to the end of the certificate that is shown; undefined without one. */
  readonly certificateDays?: number;
  readonly certificate?: {
    /** `Let's Encrypt`, `staging`, `own`, `self-signed`, or the CA's name. */
    readonly label: string;
    readonly names: readonly string[];
    /** It ends, and should have been renewed. */
    readonly late: boolean;
    /** Self-signed, and there until the CA gives one. */
    readonly standsIn: boolean;
  };
  /** Milliseconds since the configuration was last switched. */
  readonly lastChangeMs?: number;
  /** What an upgrade has left to do, and what it ended of late, in words; nothing of it is wrong. */
  readonly notes: readonly string[];
  readonly streams: readonly StreamSample[];
}

/** One live stream. */
export interface StreamSample {
  readonly name: string;
  /** Its publisher is held by a process that finishes after a reload; its numbers are not known. */
  readonly draining: boolean;
  /** Address of the encoder. */
  readonly publisher?: string;
  readonly videoCodec?: string;
  readonly audioCodec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** Bits per second that come in. */
  readonly bitrateBps?: number;
  /** Milliseconds since the publisher came. */
  readonly uptimeMs?: number;
  /** By the rate at which its playlist is asked for; only builds with VTS count that. */
  readonly viewers?: number;
  /** Milliseconds since the playlist was last written. */
  readonly playlistAgeMs?: number;
  /** Seconds of the longest segment in the playlist. */
  readonly segmentSeconds?: number;
  /** Standard deviation of the lengths of the playlist's segments, milliseconds. */
  readonly segmentJitterMs?: number;
}
