import type { HostSample, StreamSample } from "./types.js";

/** Fuller than that, segments of one more stream may not fit. */
const FULL_PERCENT = 90;
/** A Raspberry Pi slows itself down from 80 °C on (raspberrypi.com, "Frequency management and thermal control"). */
const HOT_C = 80;
/** A playlist is written once a segment; three missed are a stall that players show. */
const STALLED_SEGMENTS = 3;

/** What is wrong with a host, worst first, in words; empty for a healthy one. */
export function hostProblems(sample: HostSample): string[] {
  if (sample.status === "unreachable") return [sample.problem ?? "does not answer"];
  const units = sample.units.filter((unit) => !unit.active).map((unit) => unit.name);
  if (sample.lastChangeMs === undefined && units.length === sample.units.length) return ["not an edge yet"];
  const { tmpfsSize = 0, tmpfsUsed = 0, temperatureC = 0, certificateDays = 0, certificate } = sample;
  return [
    ...units.map((name) => `${name} does not run`),
    ...(tmpfsSize > 0 && tmpfsUsed * 100 >= tmpfsSize * FULL_PERCENT ? ["the memory for segments is nearly full"] : []),
    ...(sample.tmpfsSize === undefined ? ["the memory for segments is not mounted"] : []),
    ...(certificate?.late ? [endText(certificateDays)] : []),
    ...(certificate?.standsIn ? ["the certificate is self-signed, as the CA has not given one"] : []),
    ...(temperatureC >= HOT_C ? [`${Math.round(temperatureC)} °C is too hot`] : []),
    ...sample.power,
  ];
}

function endText(days: number): string {
  if (days < 0) return "the certificate has ended";
  return `the certificate ends in ${days} ${days === 1 ? "day" : "days"}`;
}

/** `Let's Encrypt 60 d`. */
export function certificateText({ certificate, certificateDays }: HostSample): string | undefined {
  return certificate === undefined ? undefined : `${certificate.label} ${certificateDays} d`;
}

/** What is wrong with a stream, in words. */
export function streamProblems(stream: StreamSample): string[] {
  const { playlistAgeMs, segmentSeconds = 0, uptimeMs = Number.POSITIVE_INFINITY } = stream;
  const stalledAfter = STALLED_SEGMENTS * Math.max(1, segmentSeconds) * 1000;
  if (playlistAgeMs === undefined) return uptimeMs > stalledAfter * 4 ? ["no playlist"] : [];
  // A publisher that just came back has the playlist of its last visit.
  if (playlistAgeMs <= stalledAfter || uptimeMs <= stalledAfter) return [];
  return [`no new segment for ${Math.round(playlistAgeMs / 1000)} s`];
}

/** `3.1 Mb/s`, `640 kb/s`. */
export function rateText(bitsPerSecond: number | undefined): string {
  if (bitsPerSecond === undefined) return "-";
  const kilo = bitsPerSecond / 1000;
  return kilo >= 999.5 ? `${(kilo / 1000).toFixed(1)} Mb/s` : `${Math.round(kilo)} kb/s`;
}

/** `12/64 MB`. */
export function memoryText(usedMb: number | undefined, totalMb: number | undefined): string {
  return usedMb === undefined || totalMb === undefined ? "-" : `${Math.round(usedMb)}/${Math.round(totalMb)} MB`;
}

const MB = 1024 * 1024;

export function tmpfsText({ tmpfsUsed, tmpfsSize }: HostSample): string {
  return memoryText(
    tmpfsUsed === undefined ? undefined : tmpfsUsed / MB,
    tmpfsSize === undefined ? undefined : tmpfsSize / MB,
  );
}

/** `H264 1280x720 30 fps + AAC`. */
export function pictureText({ videoCodec, audioCodec, width, height, fps }: StreamSample): string {
  const video = [
    videoCodec,
    width === undefined || height === undefined ? undefined : `${width}x${height}`,
    fps === undefined ? undefined : `${Math.round(fps)} fps`,
  ].filter((part) => part !== undefined);
  return [video.join(" "), audioCodec ?? ""].filter((part) => part !== "").join(" + ") || "-";
}
