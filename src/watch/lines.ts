import { formatDuration } from "../report/format.js";
import type { HostSample, StreamSample } from "./types.js";
import {
  certificateText,
  hostProblems,
  memoryText,
  pictureText,
  rateText,
  streamProblems,
  tmpfsText,
} from "./words.js";

/** Of a certificate; the others are in `edge-setup certs`. */
const SHOWN_NAMES = 3;

/** One look at a host as lines for logs, scripts and screen readers: the host, then each stream. */
export function sampleLines(sample: HostSample): string[] {
  if (sample.status === "unreachable") {
    const hint = sample.hint === undefined ? [] : [`  ${sample.hint}`];
    return [`${sample.host}  unreachable  ${sample.problem ?? ""}`, ...hint];
  }
  const { cpuPercent, temperatureC, connections, certificate, lastChangeMs } = sample;
  const parts = [
    `cpu ${cpuPercent === undefined ? "-" : `${Math.round(cpuPercent)}%`}`,
    `memory ${memoryText(sample.memoryUsedMb, sample.memoryTotalMb)}`,
    ...(temperatureC === undefined ? [] : [`${Math.round(temperatureC)} °C`]),
    `segments ${tmpfsText(sample)}`,
    `up ${rateText(sample.uplinkBps)}`,
    `down ${rateText(sample.downlinkBps)}`,
    ...(connections === undefined ? [] : [`${connections} connections`]),
    ...(certificate === undefined
      ? []
      : [`certificate ${certificateText(sample)} for ${certificate.names.slice(0, SHOWN_NAMES).join(" ")}`]),
    ...(lastChangeMs === undefined ? [] : [`changed ${formatDuration(lastChangeMs)} ago`]),
  ];
  return [
    `${sample.host}  ${verdict(hostProblems(sample))}  ${parts.join(", ")}`,
    ...sample.notes.map((note) => `${sample.host}  note  ${note}`),
    ...sample.streams.map((stream) => `${sample.host}  ${streamLine(stream)}`),
  ];
}

function streamLine(stream: StreamSample): string {
  const { name, uptimeMs, viewers, playlistAgeMs, segmentJitterMs } = stream;
  if (stream.draining) return `stream ${name}  ok  held by a process that finishes`;
  const parts = [
    rateText(stream.bitrateBps),
    pictureText(stream),
    `from ${stream.publisher ?? "-"}`,
    `live ${uptimeMs === undefined ? "-" : formatDuration(uptimeMs)}`,
    ...(viewers === undefined ? [] : [`${viewers} watching`]),
    `playlist ${playlistAgeMs === undefined ? "-" : formatDuration(playlistAgeMs)}`,
    ...(segmentJitterMs === undefined ? [] : [`jitter ${segmentJitterMs} ms`]),
  ];
  return `stream ${name}  ${verdict(streamProblems(stream))}  ${parts.join(", ")}`;
}

function verdict(problems: readonly string[]): string {
  return problems.length === 0 ? "ok" : `PROBLEM ${problems.join("; ")}`;
}

/** Whether anything is wrong with a host or a stream of it. */
export function hasProblem(sample: HostSample): boolean {
  return hostProblems(sample).length > 0 || sample.streams.some((stream) => streamProblems(stream).length > 0);
}
