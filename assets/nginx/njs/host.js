// What an edge's host tells of its streams, its memory and its units. Whatever cannot be read is left out: numbers of a
// dashboard are not worth an error.
// biome-ignore-all lint/style/useNodejsImportProtocol: njs has no "node:" modules
import fs from "fs";

// Written by edge-media.service where units belong to streams; not there otherwise.
const MEDIA_STATE = "/run/edge-media/state.json";
// Without VTS, nginx appends a byte to a stream's file here for each of its playlists that it sends.
const VIEWS = "/run/edge-http/views/";
// Of the last look, as njs keeps nothing between requests.
const LAST_VIEWS = "/run/edge-rtmp/views.json";
// Two looks that are closer tell no rate; between two that are further apart it means nothing.
const VIEW_MS = { least: 10000, most: 600000 };

// Not there where nothing shows a certificate.
const CERTIFICATE = "/var/lib/edge/certificate.json";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const UNIT = /^edge-[a-z]{1,16}@[A-Za-z0-9_.-]{1,128}\.(service|timer)$/;
const KIND = /^edge-[a-z]{1,16}$/;
const UNIT_STATE = /^[a-z-]{1,16}$/;
const MAX_UNITS = 500;
// A playlist of a long window is not worth reading for the length of its segments.
const MAX_PLAYLIST = 262144;
const MAX_FILES = 5000;
// Control groups (cgroup v2). Not /proc: processes of a unit that may bind low ports are invisible to the other.
const GROUPS = {
  "edge-rtmp.service": "/sys/fs/cgroup/system.slice/edge-rtmp.service",
  "edge-http.service": "/sys/fs/cgroup/system.slice/edge-http.service",
  "edge-rtmps.service": "/sys/fs/cgroup/system.slice/edge-rtmps.service",
  // All of FFmpeg.
  "edge-media.slice": "/sys/fs/cgroup/edge.slice/edge-media.slice",
};

/** Age of a stream's playlist and its target duration, in seconds; null without one. */
function playlist(settings, name) {
  const path = `${settings.hls_path}/${name}${settings.playlist_suffix}`;
  try {
    const stat = fs.statSync(path);
    const match =
      stat.size <= MAX_PLAYLIST ? fs.readFileSync(path, "utf8").match(/#EXT-X-TARGETDURATION:([0-9]+)/) : null;
    return {
      age: Math.max(0, (Date.now() - stat.mtimeMs) / 1000),
      target: match === null ? settings.fragment_ms / 1000 : Number(match[1]),
    };
  } catch (_e) {
    return null;
  }
}

/** Bytes of the segments' memory that files take. */
function usedBytes(settings) {
  const left = { files: MAX_FILES };
  return bytesIn(settings.hls_path, left, 1);
}

function bytesIn(folder, left, depth) {
  let sum = 0;
  names(folder).forEach((name) => {
    if (left.files-- <= 0) {
      return;
    }
    try {
      const stat = fs.statSync(`${folder}/${name}`);
      sum += stat.isDirectory() && depth > 0 ? bytesIn(`${folder}/${name}`, left, depth - 1) : stat.blocks * 512;
    } catch (_e) {
      // Gone meanwhile.
    }
  });
  return sum;
}

/** How often each stream's playlist was sent, where nginx counts by files. */
function playlistRequests() {
  const counts = {};
  names(VIEWS)
    .filter((name) => NAME.test(name))
    .forEach((name) => {
      try {
        counts[name] = fs.statSync(VIEWS + name).size;
      } catch (_e) {
        // Gone meanwhile.
      }
    });
  return counts;
}

/** Playlists a second of each stream, between this look and the one before; {} at the first. */
function playlistRates(counts) {
  const now = Date.now();
  let last = { at: 0, counts: {}, rates: {} };
  try {
    last = JSON.parse(fs.readFileSync(LAST_VIEWS, "utf8"));
  } catch (_e) {
    // The first look.
  }
  const ms = now - last.at;
  if (ms >= 0 && ms < VIEW_MS.least) {
    return last.rates;
  }
  const rates = {};
  if (ms <= VIEW_MS.most) {
    Object.keys(counts).forEach((name) => {
      // A count that went back began anew.
      const before = last.counts[name] <= counts[name] ? last.counts[name] : 0;
      rates[name] = ((counts[name] - before) * 1000) / ms;
    });
  }
  try {
    fs.writeFileSync(LAST_VIEWS, JSON.stringify({ at: now, counts: counts, rates: rates }), { mode: 0o640 });
  } catch (_e) {
    // The next look is the first one, then.
  }
  return rates;
}

/** CPU seconds, bytes of memory and number of the processes of each unit, as far as the kernel counts them. */
function units() {
  return Object.keys(GROUPS).map((name) => {
    const folder = GROUPS[name];
    const cpu = read(`${folder}/cpu.stat`).match(/usage_usec ([0-9]+)/);
    // Without the pages of files: segments in memory are told apart.
    const memory = read(`${folder}/memory.stat`).match(/(?:^|\n)anon ([0-9]+)/);
    const processes = read(`${folder}/pids.current`).match(/[0-9]+/);
    return {
      unit: name,
      cpu: cpu === null ? undefined : Number(cpu[1]) / 1e6,
      bytes: memory === null ? undefined : Number(memory[1]),
      processes: processes === null ? undefined : Number(processes[0]),
    };
  });
}

/**
 * Units that belong to streams (encoders, recorders), and the kinds of which none may run for want of room on the
 * disk.
 */
function media() {
  const found = [];
  let state = {};
  try {
    state = JSON.parse(read(MEDIA_STATE)) || {};
  } catch (_e) {
    // None, or half a file.
  }
  const streams = state.streams || {};
  Object.keys(streams)
    .filter((name) => NAME.test(name))
    .forEach((name) => {
      const units = streams[name].units || {};
      Object.keys(units)
        .filter((unit) => UNIT.test(unit) && found.length < MAX_UNITS)
        .forEach((unit) => {
          found.push({
            stream: name,
            unit: unit,
            state: UNIT_STATE.test(units[unit].state) ? units[unit].state : "unknown",
            restarts: Number(units[unit].restarts) || 0,
          });
        });
    });
  return { units: found, held: (state.held || []).filter((kind) => KIND.test(kind)) };
}

/** What edge-certs notes of the certificate that is shown; null without one. */
function certificate() {
  try {
    const record = JSON.parse(read(CERTIFICATE));
    return record.not_after > 0 ? { kind: String(record.kind), from: record.not_before, to: record.not_after } : null;
  } catch (_e) {
    return null;
  }
}

function names(folder) {
  try {
    return fs.readdirSync(folder);
  } catch (_e) {
    return [];
  }
}

function read(path) {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (_e) {
    return "";
  }
}

export default { certificate, media, playlist, playlistRates, playlistRequests, units, usedBytes };
