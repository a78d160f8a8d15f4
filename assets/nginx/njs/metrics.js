// /metrics in Prometheus' text format 0.0.4, and the same of streams as JSON. Runs in njs 0.7.9 and later, with either engine.
// No address of a person and no token is in either.
// biome-ignore-all lint/style/useNodejsImportProtocol: njs has no "node:" modules

import bans from "bans.js";
import counts from "counts.js";
import edge from "edge.js";
import fs from "fs";
import host from "host.js";

// What the release says of itself and of the host.
const SETTINGS = "/etc/edge/live/metrics.json";
// More than an edge holds, and few enough for a scrape; edge_streams_live has their number all the same.
const MAX_STREAMS = 100;
// rtmp_stat says 0 where it does not know.
const KNOWN = (value) => value > 0;

/** What is published now, as JSON. */
async function streams(r) {
  const seen = await look(r);
  r.headersOut["Content-Type"] = "application/json";
  r.headersOut["Cache-Control"] = "no-store";
  r.return(200, JSON.stringify({ v: 1, nginx: seen.nginx, streams: seen.streams }));
}

/** All of it, for Prometheus. */
async function metrics(r) {
  const begin = Date.now();
  const seen = await look(r);
  const connections = await r.subrequest("/peer/connections");
  const text = [
    ofEdge(seen),
    ofStreams(seen),
    ofPublishers(),
    ofConnections(connections.status === 200 ? connections.responseText : ""),
    ofHost(seen.settings),
    family("edge_scrape_duration_seconds", "gauge", "Time that gathering these metrics took.", [
      { value: (Date.now() - begin) / 1000 },
    ]),
  ].join("");
  r.headersOut["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8";
  r.headersOut["Cache-Control"] = "no-store";
  r.return(200, text);
}

/** Live streams with what their playlists and viewers tell. */
async function look(r) {
  const settings = JSON.parse(fs.readFileSync(SETTINGS, "utf8"));
  const live = await edge.liveStreams(r);
  const sent = settings.vts ? await traffic(r) : { requests: host.playlistRequests(), bytes: {} };
  const rates = host.playlistRates(sent.requests);
  live.streams.slice(0, MAX_STREAMS).forEach((stream) => {
    const playlist = host.playlist(settings, stream.name);
    if (playlist !== null) {
      stream.playlist_age_seconds = playlist.age;
      stream.target_duration_seconds = playlist.target;
      // A player asks once a target duration (RFC 8216, section 6.3.4).
      if (rates[stream.name] !== undefined) {
        stream.viewers = Math.round(rates[stream.name] * Math.max(1, playlist.target));
      }
    }
    stream.playlist_requests = sent.requests[stream.name] || 0;
    if (settings.vts) {
      stream.sent_bytes = sent.bytes[stream.name] || 0;
    }
  });
  return { settings: settings, nginx: live.nginx, streams: live.streams };
}

/** How often each stream's playlist was sent, and how many bytes in all, as VTS counts them (http.conf). */
async function traffic(r) {
  const found = { requests: {}, bytes: {} };
  try {
    const answer = await r.subrequest("/peer/traffic");
    const zones = JSON.parse(answer.responseText).filterZones || {};
    const playlists = zones["playlists::*"] || {};
    Object.keys(playlists).forEach((name) => {
      found.requests[name] = playlists[name].requestCounter;
    });
    const all = zones["live::*"] || {};
    Object.keys(all).forEach((name) => {
      found.bytes[name] = all[name].outBytes;
    });
  } catch (_e) {
    // The web server does not answer: its scrape cannot come through either.
  }
  return found;
}

function ofEdge(seen) {
  const build = { version: seen.settings.version, build: seen.settings.build, nginx: seen.nginx, njs: njs.version };
  return (
    family("edge_build_info", "gauge", "Versions of edge-setup and of what it built.", [{ labels: build, value: 1 }]) +
    family("edge_streams_live", "gauge", "Streams that have a publisher.", [{ value: seen.streams.length }])
  );
}

function ofStreams(seen) {
  const live = seen.streams.slice(0, MAX_STREAMS);
  const names = live.map((stream) => stream.name);
  // A stream with a key of its own is expected, whether it is there or not.
  const absent = edge
    .keyedStreams()
    .filter((name) => names.indexOf(name) < 0)
    .slice(0, MAX_STREAMS);
  const known = live.filter((stream) => !stream.draining);
  const video = known.filter((stream) => stream.video !== null);
  const each = (list, value, isKnown) =>
    list
      .map((stream) => ({ labels: { stream: stream.name }, value: value(stream) }))
      .filter((sample) => sample.value !== undefined && (isKnown === undefined || isKnown(sample.value)));
  return [
    family(
      "edge_stream_up",
      "gauge",
      "Whether the stream has a publisher. 0 only for streams with a key of their own.",
      each(live, () => 1).concat(absent.map((name) => ({ labels: { stream: name }, value: 0 }))),
    ),
    family(
      "edge_stream_publisher_connected_seconds",
      "gauge",
      "Time since the publisher came.",
      each(known, (stream) => stream.ms / 1000),
    ),
    family(
      "edge_stream_received_bytes_total",
      "counter",
      "Bytes from the publisher since the stream began.",
      each(known, (stream) => stream.bytes),
    ),
    family(
      "edge_stream_received_bytes_per_second",
      "gauge",
      "What the publisher sends, nginx-rtmp's mean over 10 s.",
      each(known, (stream) => stream.bits_per_second / 8),
    ),
    family(
      "edge_stream_video_width_pixels",
      "gauge",
      "Width of the picture.",
      each(video, (stream) => stream.video.width, KNOWN),
    ),
    family(
      "edge_stream_video_height_pixels",
      "gauge",
      "Height of the picture.",
      each(video, (stream) => stream.video.height, KNOWN),
    ),
    family(
      "edge_stream_video_frames_per_second",
      "gauge",
      "Frame rate that the publisher announces.",
      each(video, (stream) => stream.video.frames_per_second, KNOWN),
    ),
    family(
      "edge_stream_codec_info",
      "gauge",
      "Codecs of the stream.",
      known.map((stream) => ({
        labels: { stream: stream.name, video: codec(stream.video), audio: codec(stream.audio) },
        value: 1,
      })),
    ),
    family(
      "edge_stream_playlist_age_seconds",
      "gauge",
      "Time since the playlist was written.",
      each(live, (stream) => stream.playlist_age_seconds),
    ),
    family(
      "edge_stream_target_duration_seconds",
      "gauge",
      "Longest segment of the playlist.",
      each(live, (stream) => stream.target_duration_seconds),
    ),
    family(
      "edge_stream_playlist_requests_total",
      "counter",
      "How often the playlist was sent to viewers.",
      each(live, (stream) => stream.playlist_requests),
    ),
    family(
      "edge_stream_sent_bytes_total",
      "counter",
      "Bytes of playlists and segments sent to viewers; only where VTS is built in.",
      each(live, (stream) => stream.sent_bytes),
    ),
    family(
      "edge_stream_viewers",
      "gauge",
      "HLS viewers, estimated: playlists sent a second, since the scrape before, times their target duration.",
      each(live, (stream) => stream.viewers),
    ),
    family(
      "edge_stream_rtmp_players",
      "gauge",
      "Clients that play the stream over RTMP, but for the host's own.",
      each(known, (stream) => stream.rtmp_players),
    ),
    family("edge_push_up", "gauge", "Whether a target of push has the stream.", pushes(known)),
  ].join("");
}

function pushes(known) {
  const samples = [];
  known.forEach((stream) => {
    (stream.push || []).forEach((target) => {
      samples.push({ labels: { stream: stream.name, target: target.name }, value: target.connected ? 1 : 0 });
    });
  });
  return samples;
}

function codec(track) {
  return track === null || track.codec === "" ? "none" : track.codec;
}

function ofPublishers() {
  const all = counts.read();
  const refusals = Object.keys(all).filter((outcome) => outcome !== "accepted");
  return (
    family("edge_publish_accepted_total", "counter", "Publishers that were accepted.", [{ value: all.accepted }]) +
    family(
      "edge_publish_refused_total",
      "counter",
      "Publishers that were refused, not counting those whose network rtmp_publish_allow keeps out.",
      refusals.map((reason) => ({ labels: { reason: reason }, value: all[reason] })),
    ) +
    family(
      "edge_banned_addresses",
      "gauge",
      "Addresses that are banned for wrong keys (publish) or passwords (login).",
      ["publish", "login"].map((kind) => ({ labels: { what: kind }, value: bans.count(kind) })),
    )
  );
}

/** stub_status of the web server, this scrape's own connection included. */
function ofConnections(text) {
  const active = text.match(/^Active connections: ([0-9]+)/);
  const totals = text.match(/\n ([0-9]+) [0-9]+ ([0-9]+)/);
  const now = text.match(/Reading: ([0-9]+) Writing: ([0-9]+) Waiting: ([0-9]+)/);
  if (active === null || totals === null || now === null) {
    return "";
  }
  return (
    family(
      "edge_http_connections",
      "gauge",
      "Connections of the web server.",
      ["reading", "writing", "waiting"].map((state, at) => ({ labels: { state: state }, value: Number(now[at + 1]) })),
    ) +
    family("edge_http_connections_accepted_total", "counter", "Connections that were accepted.", [
      { value: Number(totals[1]) },
    ]) +
    family("edge_http_requests_total", "counter", "Requests to the web server.", [{ value: Number(totals[2]) }])
  );
}

function ofHost(settings) {
  const units = host.units();
  const media = host.media();
  const certificate = host.certificate();
  const ofCertificate = (value) => (certificate === null ? [] : [{ labels: { kind: certificate.kind }, value: value }]);
  const byUnit = (value) =>
    units
      .map((one) => ({ labels: { unit: one.unit }, value: value(one) }))
      .filter((sample) => sample.value !== undefined);
  const byMedia = (value) =>
    media.units.map((one) => ({ labels: { unit: one.unit, stream: one.stream }, value: value(one) }));
  return [
    family("edge_hls_memory_size_bytes", "gauge", "Memory for segments.", [{ value: settings.hls_bytes }]),
    family("edge_hls_memory_used_bytes", "gauge", "Memory that segments and playlists take.", [
      { value: host.usedBytes(settings) },
    ]),
    family(
      "edge_unit_processes",
      "gauge",
      "Processes and threads of a unit.",
      byUnit((one) => one.processes),
    ),
    family(
      "edge_unit_cpu_seconds_total",
      "counter",
      "CPU time of a unit's processes since it started.",
      byUnit((one) => one.cpu),
    ),
    family(
      "edge_unit_memory_bytes",
      "gauge",
      "Memory of a unit's processes, without pages of files.",
      byUnit((one) => one.bytes),
    ),
    family(
      "edge_media_unit_up",
      "gauge",
      "Whether a unit of a stream (encoder, recorder) runs.",
      byMedia((one) => (one.state === "active" ? 1 : 0)),
    ),
    family(
      "edge_media_held",
      "gauge",
      "Kinds of such units of which none may run, as the disk is nearly full.",
      media.held.map((kind) => ({ labels: { kind: kind }, value: 1 })),
    ),
    family(
      "edge_media_unit_restarts_total",
      "counter",
      "How often systemd started a unit of a stream again.",
      byMedia((one) => one.restarts),
    ),
    family(
      "edge_certificate_expiry_timestamp_seconds",
      "gauge",
      "When the certificate that is shown ends, as Unix time.",
      ofCertificate(certificate === null ? 0 : certificate.to),
    ),
    family(
      "edge_certificate_lifetime_seconds",
      "gauge",
      "How long it is good in all.",
      ofCertificate(certificate === null ? 0 : certificate.to - certificate.from),
    ),
  ].join("");
}

/** One metric with its samples, `{labels, value}`; nothing without one. */
function family(name, type, help, samples) {
  if (samples.length === 0) {
    return "";
  }
  const lines = samples.map((sample) => `${name}${labelText(sample.labels)} ${sample.value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels) {
  if (labels === undefined) {
    return "";
  }
  const pairs = Object.keys(labels).map((key) => `${key}="${escaped(String(labels[key]))}"`);
  return `{${pairs.join(",")}}`;
}

function escaped(text) {
  return text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

export default { metrics, streams };
