import { powerWords } from "../discovery/throttled.js";
import { certificateLabel, daysLeft, type EdgeCertificate, isLate } from "../edge/certificate.js";
import type { RawPlaylist, RawPublisher, RawSample } from "./raw-sample.js";
import type { HostSample, StreamSample } from "./types.js";
import { upgradeNotes } from "./upgrade-notes.js";

const BITS = 8;
const KB_PER_MB = 1024;

/** The certificate that was seen last: it is looked at rarely. */
export interface SampleMemory {
  readonly raw: RawSample;
  readonly certificate: EdgeCertificate | null | undefined;
}

/**
 * What a dashboard shows, from the counters of now and of the sample before.
 * @param at milliseconds since the epoch, this machine's clock
 */
export function hostSample(
  host: string,
  at: number,
  raw: RawSample,
  before: SampleMemory | undefined,
): { readonly sample: HostSample; readonly memory: SampleMemory } {
  const certificate = raw.certificate === undefined ? before?.certificate : raw.certificate;
  const old = before?.raw;
  const seconds = old === undefined ? 0 : raw.now - old.now;
  const network = raw.network;
  const cpu = cpuPercent(raw.cpu, old?.cpu);
  const sent = perSecond(network?.sent, old?.network?.sent, seconds);
  const received = perSecond(network?.received, old?.network?.received, seconds);
  const sample: HostSample = {
    host,
    at,
    status: "ok",
    power: powerWords(raw.throttled),
    units: raw.units,
    notes: upgradeNotes(raw),
    streams: streamsOf(raw, old, seconds),
    ...defined("cpuPercent", cpu),
    ...(raw.memory === undefined
      ? {}
      : {
          memoryTotalMb: Math.round(raw.memory.totalKb / KB_PER_MB),
          memoryUsedMb: Math.round((raw.memory.totalKb - raw.memory.availableKb) / KB_PER_MB),
        }),
    ...defined("temperatureC", raw.temperatureC),
    ...(raw.tmpfs === undefined ? {} : { tmpfsSize: raw.tmpfs.size, tmpfsUsed: raw.tmpfs.used }),
    ...defined("uplinkBps", sent === undefined ? undefined : sent * BITS),
    ...defined("downlinkBps", received === undefined ? undefined : received * BITS),
    ...defined("connections", raw.connections),
    ...certificateParts(certificate, raw.now * 1000),
    ...defined("lastChangeMs", raw.switchedAt === undefined ? undefined : since(raw.switchedAt, raw.now)),
  };
  return { sample, memory: { raw, certificate } };
}

/** @param now of the host's clock, so that a wrong one here or there does not matter */
function certificateParts(
  certificate: EdgeCertificate | null | undefined,
  now: number,
): Pick<HostSample, "certificate" | "certificateDays"> {
  if (certificate === undefined || certificate === null) return {};
  const { names, standsIn } = certificate;
  return {
    certificateDays: daysLeft(certificate, now),
    certificate: { label: certificateLabel(certificate), names, standsIn, late: isLate(certificate, now) },
  };
}

function defined<K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: number });
}

/** Milliseconds from one second of the host's clock to another; not below 0. */
function since(from: number, to: number): number {
  return Math.max(0, Math.round((to - from) * 1000));
}

function cpuPercent(now: RawSample["cpu"], before: RawSample["cpu"]): number | undefined {
  if (now === undefined || before === undefined || now.total <= before.total) return undefined;
  return Math.min(100, Math.max(0, (100 * (now.busy - before.busy)) / (now.total - before.total)));
}

/** Undefined where a counter began anew: a restart is no negative rate. */
function perSecond(now: number | undefined, before: number | undefined, seconds: number): number | undefined {
  if (now === undefined || before === undefined || seconds <= 0 || now < before) return undefined;
  return (now - before) / seconds;
}

function streamsOf(raw: RawSample, old: RawSample | undefined, seconds: number): StreamSample[] {
  const seen = new Set(raw.publishers.map(({ name }) => name));
  const live = raw.publishers.map((one) => {
    const before = old?.publishers.find(({ name }) => name === one.name);
    return liveStream(one, before, raw, old, seconds);
  });
  const draining = raw.claims
    .filter((name) => !seen.has(name))
    .map((name) => ({ name, draining: true, ...viewersOf(name, raw, old, seconds), ...playlistHealth(raw, name) }));
  return [...live, ...draining].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function liveStream(
  one: RawPublisher,
  before: RawPublisher | undefined,
  raw: RawSample,
  old: RawSample | undefined,
  seconds: number,
): StreamSample {
  const bytes = perSecond(one.bytesIn, before?.bytesIn, seconds);
  return {
    name: one.name,
    draining: false,
    ...(one.address === undefined ? {} : { publisher: one.address }),
    ...(one.videoCodec === undefined ? {} : { videoCodec: one.videoCodec }),
    ...(one.audioCodec === undefined ? {} : { audioCodec: one.audioCodec }),
    ...defined("width", one.width),
    ...defined("height", one.height),
    ...defined("fps", one.fps),
    ...defined("bitrateBps", bytes === undefined ? undefined : bytes * BITS),
    uptimeMs: one.uptimeMs,
    ...viewersOf(one.name, raw, old, seconds),
    ...playlistHealth(raw, one.name),
  };
}

/** A player asks for the playlist once a target duration (RFC 8216, 6.3.4), so requests tell how many there are. */
function viewersOf(
  name: string,
  raw: RawSample,
  old: RawSample | undefined,
  seconds: number,
): { readonly viewers?: number } {
  const rate = perSecond(raw.playlistRequests?.get(name), old?.playlistRequests?.get(name), seconds);
  if (rate === undefined) return raw.playlistRequests === undefined ? {} : { viewers: 0 };
  const target = Math.ceil(longest(raw.playlists.get(name)));
  return { viewers: Math.round(rate * Math.max(1, target)) };
}

function longest(playlist: RawPlaylist | undefined): number {
  return Math.max(0, ...(playlist?.segments ?? []));
}

function playlistHealth(raw: RawSample, name: string): Partial<StreamSample> {
  const playlist = raw.playlists.get(name);
  if (playlist === undefined) return {};
  const { segments } = playlist;
  const mean = segments.reduce((sum, length) => sum + length, 0) / Math.max(1, segments.length);
  const variance = segments.reduce((sum, length) => sum + (length - mean) ** 2, 0) / Math.max(1, segments.length);
  return {
    playlistAgeMs: since(playlist.writtenAt, raw.now),
    segmentSeconds: longest(playlist),
    segmentJitterMs: Math.round(Math.sqrt(variance) * 1000),
  };
}
