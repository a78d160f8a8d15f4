// Answers the notifications of nginx-rtmp for edge-rtmp.service. Runs in njs 0.7.9 and later, with either engine.
//
// Nothing here logs what a client sent: arguments hold the publish token.
// biome-ignore-all lint/style/useNodejsImportProtocol: njs has no "node:" modules

import bans from "bans.js";
import counts from "counts.js";
import crypto from "crypto";
import fs from "fs";
import qs from "querystring";
import stat from "rtmp-stat.js";

// {"publish": [{"stream": NAME or "*", "sha256": HEX of a token}], "relay": HEX of the relay's secret}
const STREAMS_FILE = "/etc/edge/live/streams.json";

// One file for each live publisher, `WORKER_PID CLIENT_ID MILLISECONDS HEX_OF_TOKEN ADDRESS`. They outlive a reload, which rtmp_stat does not: it
// knows the publishers of its own worker alone. Gone with the unit, as RuntimeDirectory.
const PUBLISHERS = "/run/edge-rtmp/publishers/";

// From the answer of an authorisation until rtmp_stat shows the publisher pass microseconds; this is ample.
const JOIN_MS = 2000;

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const CLIENT = /^[0-9]{1,20}$/;
const ADDRESS = /^[0-9a-f.:]{2,45}$/;
// `edge-setup verify` publishes under names that begin so.
const PROOF = "edge-verify-";
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
    !isAddress(a.addr) ||
    !isToken(a.token)
  ) {
    note(r, a, "is refused: no right name and token in the request");
    counts.add("malformed");
    r.return(403);
    return;
  }
  const rule = bans.limits(r.variables.edge_publish_bans);
  if (bans.left("publish", a.addr, rule) > 0) {
    note(r, a, "is refused: its address tried too many keys");
    counts.add("banned");
    r.return(403);
    return;
  }
  const digest = sha256(a.token);
  if (!mayPublish(a.name, digest)) {
    note(r, a, "is refused: wrong token");
    counts.add("wrong_token");
    if (bans.wrong("publish", a.addr, digest, rule)) {
      r.warn(`${a.addr} may not publish for ${rule.time / 1000} s: ${rule.attempts} wrong keys`);
    }
    r.return(403);
    return;
  }
  bans.right("publish", a.addr);
  // The relay starts before nginx-rtmp itself refuses a second publisher, and its copy would write over the segments of the
  // first: so it has to be refused here.
  const seen = await r.subrequest("/rtmp_stat");
  const live = publisherNames(seen.responseText).indexOf(a.name) >= 0;
  const free = claim(a.name, live, { pid: String(r.variables.pid), client: a.clientid, digest, address: a.addr });
  note(r, a, free ? "publishes" : "is refused: the stream has a publisher");
  counts.add(free ? "accepted" : "name_taken");
  r.return(free ? 200 : 403);
}

/** on_publish_done: frees the name, if it is the one that holds it who leaves. */
function publishDone(r) {
  const a = notification(r);
  if (a !== null && a.call === "publish_done" && isName(a.name)) {
    const holder = readClaim(a.name);
    if (holder !== null && holder.client === a.clientid) {
      release(a.name);
      note(r, a, "has left");
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

/** After a login that the web server refused: 401 as before, which may be the last one for a while. */
function loginFailed(r) {
  const address = r.headersIn["X-Edge-Address"];
  const login = r.headersIn.Authorization;
  const rule = bans.limits(r.variables.edge_login_bans);
  // The first request of a browser has none.
  if (isAddress(address) && login !== undefined && bans.wrong("login", address, sha256(login), rule)) {
    r.warn(`${address} may not log in for ${rule.time / 1000} s: ${rule.attempts} wrong passwords`);
  }
  r.headersOut["Cache-Control"] = "no-store";
  r.return(401);
}

/** For an address that was banned from logins: when to come again. A ban that is over ends here. */
function loginBanned(r) {
  const address = r.headersIn["X-Edge-Address"];
  const ms = isAddress(address) ? bans.left("login", address, bans.limits(r.variables.edge_login_bans)) : 0;
  r.headersOut["Retry-After"] = String(Math.ceil(ms / 1000) || 1);
  r.headersOut["Cache-Control"] = "no-store";
  r.return(429);
}

/** Ends the connection of a publisher. */
async function drop(r) {
  const name = r.args.name;
  if (!isOperator(r) || !isName(name)) {
    r.return(403);
    return;
  }
  const done = await dropPublisher(r, name);
  r.return(done.status, done.responseText);
}

/**
 * Ends the publishers whose tokens are valid no more. Answers a line for each: `dropped NAME`, or for one of a worker that
 * finishes after a reload, which this one has no power over, `elsewhere NAME WORKER_PID ADDRESS`.
 */
async function recheck(r) {
  if (!isOperator(r)) {
    r.return(403);
    return;
  }
  const lines = [];
  const names = claimed();
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const holder = readClaim(name);
    if (holder === null || holder.digest === undefined || mayPublish(name, holder.digest) || !alive(holder.pid)) {
      continue;
    }
    if (holder.pid === String(r.variables.pid)) {
      await dropPublisher(r, name);
      lines.push(`dropped ${name}\n`);
    } else {
      lines.push(`elsewhere ${name} ${holder.pid} ${holder.address}\n`);
    }
  }
  r.return(200, lines.join(""));
}

function dropPublisher(r, name) {
  return r.subrequest("/control/drop/publisher", { args: `app=hls&name=${name}` });
}

/** Besides this unit only root can read the secret that this asks for. */
function isOperator(r) {
  const secret = r.headersIn["X-Edge-Secret"];
  return r.method === "POST" && isToken(secret) && sameDigest(config().relay, sha256(secret));
}

/** With rtmp_access_log: a line of the journal, of nothing but names and addresses. */
function note(r, a, what) {
  if (r.variables.edge_access_log !== "on") {
    return;
  }
  const who = a !== null && isAddress(a.addr) ? a.addr : "somebody";
  const stream = a !== null && isName(a.name) ? a.name : "a stream of no valid name";
  r.warn(`${who} ${what}: ${stream}`);
}

/** What is published now, without addresses of people or their tokens. */
async function liveStreams(r) {
  const seen = await r.subrequest("/rtmp_stat");
  const live = stat.publishers(seen.responseText);
  const connected = stat.pushes(seen.responseText);
  live.forEach((stream) => {
    const targets = config().push.filter((target) => target.stream === stream.name);
    if (targets.length > 0) {
      stream.push = targets.map((target) => ({
        name: target.name,
        connected: connected[target.port] !== undefined,
        ms: connected[target.port] === undefined ? null : connected[target.port],
      }));
    }
  });
  const names = live.map((s) => s.name);
  // Publishers of a worker that is finishing after a reload.
  claimed().forEach((name) => {
    const holder = readClaim(name);
    if (names.indexOf(name) < 0 && holder !== null && holder.pid !== String(r.variables.pid) && alive(holder.pid)) {
      live.push({ name: name, draining: true });
    }
  });
  return { nginx: stat.tag(seen.responseText, "nginx_version"), streams: live };
}

/** Streams with a key of their own. */
function keyedStreams() {
  return config()
    .publish.map((key) => key.stream)
    .filter((stream) => stream !== PROOF && isName(stream));
}

/** For everybody, where the operator wants it (player_stream_list): names of what is live, but for the proof's. */
async function names(r) {
  const live = (await liveStreams(r)).streams.map((s) => s.name).filter((name) => name.indexOf(PROOF) !== 0);
  r.headersOut["Content-Type"] = "application/json";
  r.return(200, JSON.stringify({ streams: live }));
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

function isAddress(address) {
  return typeof address === "string" && ADDRESS.test(address);
}

function isToken(token) {
  return typeof token === "string" && token.length > 0 && token.length <= MAX_TOKEN;
}

/**
 * Whether a stream may be published with the token of this hash: its own key where it has one, else the key of all ("*"),
 * which is for the proof's streams alone (PROOF) where no others exist. Compares with every key, whatever matched before, so that time tells nothing.
 */
function mayPublish(name, digest) {
  const keys = config().publish;
  const has = (stream) => keys.some((key) => key.stream === stream);
  const wanted = has(name) ? name : name.indexOf(PROOF) === 0 && has(PROOF) ? PROOF : "*";
  let allowed = false;
  keys.forEach((key) => {
    const match = sameDigest(key.sha256, digest);
    allowed = (match && key.stream === wanted) || allowed;
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
function claim(name, live, who) {
  const holder = readClaim(name);
  if (holder !== null) {
    if (holder.pid === who.pid) {
      if (live || Date.now() - holder.since < JOIN_MS) {
        return false;
      }
    } else if (alive(holder.pid)) {
      return false;
    }
  } else if (live) {
    return false;
  }
  fs.writeFileSync(PUBLISHERS + name, `${who.pid} ${who.client} ${Date.now()} ${who.digest} ${who.address}\n`, {
    mode: 0o640,
  });
  return true;
}

function readClaim(name) {
  try {
    const words = fs
      .readFileSync(PUBLISHERS + name, "utf8")
      .trim()
      .split(" ");
    return { pid: words[0], client: words[1], since: Number(words[2]), digest: words[3], address: words[4] };
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
  return stat.publishers(xml).map((s) => s.name);
}

export default {
  publish,
  publishDone,
  connect,
  drop,
  recheck,
  loginFailed,
  loginBanned,
  keyedStreams,
  liveStreams,
  names,
};
