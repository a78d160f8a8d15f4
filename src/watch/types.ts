/** One look at one host, of a dashboard's refresh. Numbers are undefined where the host cannot tell. */
export interface HostSample {
  readonly host: string;
  /** Milliseconds since the epoch, this machine's clock. */
  readonly at: number;
  readonly status: "ok" | "unreachable";
  /** Why it is unreachable. */
  readonly problem?: string;
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
  /** Bits per second sent and received on the interface of the default route, since the sample before. */
  readonly uplinkBps?: number;
  readonly downlinkBps?: number;
  readonly units: readonly { readonly name: string; readonly active: string }[];
  /** Days to the end of the certificate; undefined without one. */
  readonly certificateDays?: number;
  /** When the configuration was last switched, milliseconds since the epoch. */
  readonly lastChange?: number;
  readonly streams: readonly StreamSample[];
}

export interface StreamSample {
  readonly name: string;
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
  /** Viewers by HLS requests of the last seconds, where the edge counts them. */
  readonly viewers?: number;
  readonly renditions: readonly string[];
  /** Milliseconds since the playlist was last written. */
  readonly playlistAgeMs?: number;
  /** Standard deviation of the lengths of the playlist's segments, milliseconds. */
  readonly segmentJitterMs?: number;
}
