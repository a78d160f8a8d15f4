// Answers the notifications of nginx-rtmp for edge-rtmp.service. Runs in njs 0.7.9 and later, with either engine.
//
// Nothing here logs what a client sent: arguments hold the publish token.
// biome-ignore-all lint/style/useNodejsImportProtocol: njs has no "node:" modules
import crypto from "crypto";
import fs from "fs";
import qs from "querystring";

// {"publish": [{"stream": NAME or "*", "sha256": HEX of a token}], "relay": HEX of the relay's secret}
const STREAMS_FILE = "/etc/edge/live/streams.json";

// One file for each live publisher, `WORKER_PID CLIENT_ID MILLISECONDS`. They outlive a reload, which rtmp_stat does not: it
// knows the publishers of its own worker alone. Gone with the unit, as RuntimeDirectory.
const PUBLISHERS = "/run/edge-rtmp/publishers/";

// From the answer of an authorisation until rtmp_stat shows the publisher pass microseconds; this is ample.
const JOIN_MS = 2000;

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const CLIENT = /^[0-9]{1,20}$/;
const MAX_TOKEN = 128;

/** on_publish: 200 for a publisher with the token of its stream whose name is free, 403 for any other. */
async function publish(r) {
  const a = notification(r);
  if (
    a === null ||
    a.call !== "publish" ||
    a.app !== "hls" ||
    !isName(a.name) ||
    !isClient(a.clientid) ||
    !isToken(a.token)
  ) {
    r.return(403);
    return;
  }
  if (!mayPublish(a.name, a.token)) {
    r.return(403);
    return;
  }
  // The relay starts before nginx-rtmp itself refuses a second publisher, and its copy would write over the segments of the
  // first: so it has to be refused here.
  const seen = await r.subrequest("/rtmp_stat");
  const live = publisherNames(seen.responseText).indexOf(a.name) >= 0;
  r.return(claim(a.name, a.clientid, String(r.variables.pid), live) ? 200 : 403);
}

/** on_publish_done: frees the name, if it is the one that holds it who leaves. */
function publishDone(r) {
  const a = notification(r);
  if (a !== null && a.call === "publish_done" && isName(a.name)) {
    const holder = readClaim(a.name);
    if (holder !== null && holder.client === a.clientid) {
      release(a.name);
    }
  }
  r.return(204);
}

/** on_connect of the inner application: only the relay knows the secret in tcUrl. */
function connect(r) {
  const a = notification(r);
  if (a === null || a.call !== "connect" || typeof a.tcurl !== "string" || a.tcurl.length > 256) {
    r.return(403);
    return;
  }
  const secret = a.tcurl.slice(a.tcurl.lastIndexOf("/") + 1);
  r.return(sameDigest(config().relay, sha256(secret)) ? 200 : 403);
}

/** Ends the connection of a publisher; besides this unit only root can read the secret that it asks for. */
async function drop(r) {
  const name = r.args.name;
  const secret = r.headersIn["X-Edge-Secret"];
  if (r.method !== "POST" || !isName(name) || !isToken(secret) || !sameDigest(config().relay, sha256(secret))) {
    r.return(403);
    return;
  }
  const done = await r.subrequest("/control/drop/publisher", { args: `app=hls&name=${name}` });
  r.return(done.status, done.responseText);
}

/** What is published now, without addresses of people or their tokens. */
async function streams(r) {
  const seen = await r.subrequest("/rtmp_stat");
  const live = publishers(seen.responseText);
  const names = live.map((s) => s.name);
  // Publishers of a worker that is finishing after a reload.
  claimed().forEach((name) => {
    const holder = readClaim(name);
    if (names.indexOf(name) < 0 && holder !== null && holder.pid !== String(r.variables.pid) && alive(holder.pid)) {
      live.push({ name: name, draining: true });
    }
  });
  r.headersOut["Content-Type"] = "application/json";
  r.headersOut["Cache-Control"] = "no-store";
  r.return(200, JSON.stringify({ v: 1, nginx: tag(seen.responseText, "nginx_version"), streams: live }));
}

/** The fields of a notification, or null: what a client appends to its stream name may be anything. */
function notification(r) {
  if (r.method !== "POST" || r.requestText === undefined) {
    return null;
  }
  return qs.parse(r.requestText);
}

// A field given twice is an array, so a client cannot bring a second name or call.
function isName(name) {
  return typeof name === "string" && NAME.test(name);
}

// nginx's number of the connection: a second one, brought by the client, would hold the name with nobody to free it.
function isClient(id) {
  return typeof id === "string" && CLIENT.test(id);
}

function isToken(token) {
  return typeof token === "string" && token.length > 0 && token.length <= MAX_TOKEN;
}

/** Compares with every key, whatever matched before, so that time tells nothing. */
function mayPublish(name, token) {
  const digest = sha256(token);
  let allowed = false;
  config().publish.forEach((key) => {
    const match = sameDigest(key.sha256, digest);
    const named = key.stream === "*" || key.stream === name;
    allowed = (match && named) || allowed;
  });
  return allowed;
}

function config() {
  return JSON.parse(fs.readFileSync(STREAMS_FILE, "utf8"));
}

function sha256(text) {
  return crypto.createHash("sha256").update(text).digest("hex");
}

function sameDigest(expected, given) {
  let difference = expected.length ^ given.length;
  for (let i = 0; i < given.length; i++) {
    difference |= expected.charCodeAt(i) ^ given.charCodeAt(i);
  }
  return difference === 0;
}

/** Takes the name for a publisher; false when another has it. Without a pause, so that no second request comes between. */
function claim(name, client, pid, live) {
  const holder = readClaim(name);
  if (holder !== null) {
    if (holder.pid === pid) {
      if (live || Date.now() - holder.since < JOIN_MS) {
        return false;
      }
    } else if (alive(holder.pid)) {
      return false;
    }
  } else if (live) {
    return false;
  }
  fs.writeFileSync(PUBLISHERS + name, `${pid} ${client} ${Date.now()}\n`, { mode: 0o640 });
  return true;
}

function readClaim(name) {
  try {
    const words = fs
      .readFileSync(PUBLISHERS + name, "utf8")
      .trim()
      .split(" ");
    return { pid: words[0], client: words[1], since: Number(words[2]) };
  } catch (_e) {
    return null;
  }
}

function claimed() {
  try {
    return fs.readdirSync(PUBLISHERS).filter(isName);
  } catch (_e) {
    return [];
  }
}

function release(name) {
  try {
    fs.unlinkSync(PUBLISHERS + name);
  } catch (_e) {
    // Already free.
  }
}

function alive(pid) {
  try {
    fs.accessSync(`/proc/${pid}`);
    return true;
  } catch (_e) {
    return false;
  }
}

function publisherNames(xml) {
  return publishers(xml).map((s) => s.name);
}

/** The streams of the application `hls` that have a publisher, from the XML of rtmp_stat. */
function publishers(xml) {
  const found = [];
  xml
    .split("<application>")
    .slice(1)
    .forEach((application) => {
      if (tag(application, "name") !== "hls") {
        return;
      }
      application
        .split("<stream>")
        .slice(1)
        .forEach((part) => {
          const stream = part.split("</stream>")[0];
          // Outside of <client>, so that the first tags are those of the stream.
          const own = stream.replace(/<client>[\s\S]*?<\/client>/g, "");
          if (own.indexOf("<publishing/>") < 0) {
            return;
          }
          const video = own.split("<video>")[1] || "";
          const audio = own.split("<audio>")[1] || "";
          found.push({
            name: tag(own, "name"),
            ms: Number(tag(own, "time")),
            bits_per_second: Number(tag(own, "bw_in")),
            bytes: Number(tag(own, "bytes_in")),
            video:
              video === ""
                ? null
                : {
                    codec: tag(video, "codec"),
                    width: Number(tag(video, "width")),
                    height: Number(tag(video, "height")),
                    frames_per_second: Number(tag(video, "frame_rate")),
                  },
            audio:
              audio === ""
                ? null
                : {
                    codec: tag(audio, "codec"),
                    channels: Number(tag(audio, "channels")),
                    hertz: Number(tag(audio, "sample_rate")),
                  },
          });
        });
    });
  return found;
}

function tag(xml, name) {
  const match = xml.match(new RegExp(`<${name}>([^<]*)</${name}>`));
  return match === null ? "" : match[1];
}

export default { publish, publishDone, connect, drop, streams };
