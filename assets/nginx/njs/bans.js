// Addresses that try key after key, or password after password, and are not listened to for a while. In files, as njs keeps
// nothing between requests: one for each address that was wrong of late, one for each that is banned. Gone with the unit.
//
// Different wrong ones count, so an encoder that comes back for ever with a key of yesterday bans nobody.
// biome-ignore-all lint/style/useNodejsImportProtocol: njs has no "node:" modules
import fs from "fs";

const ROOT = "/run/edge-rtmp/";
// The host itself: its own units, `edge-setup verify` where the way is a tunnel.
const LOOPBACK = /^(127\.|::1$)/;
// Files of one kind. More are attacks from everywhere, which no list of addresses helps against.
const MAX_FILES = 2000;

/** What settings say, as `ATTEMPTS WINDOW_MS TIME_MS`: attempts 0 is never. */
function limits(text) {
  const words = String(text).split(" ").map(Number);
  return { attempts: words[0] || 0, window: words[1] || 0, time: words[2] || 0 };
}

/** Milliseconds that an address is still banned for; 0 when it is not. `kind`: "publish" or "login". */
function left(kind, address, rule) {
  if (rule.attempts === 0 || LOOPBACK.test(address)) {
    return 0;
  }
  const file = `${ROOT}banned-${kind}/${networkOf(address)}`;
  const until = Number(read(file));
  if (until > Date.now()) {
    return until - Date.now();
  }
  if (until > 0) {
    remove(file);
  }
  return 0;
}

/** Notes a wrong key or password by its hash. True when the address is banned with it. */
function wrong(kind, address, digest, rule) {
  if (rule.attempts === 0 || LOOPBACK.test(address)) {
    return false;
  }
  const network = networkOf(address);
  const folder = `${ROOT}wrong-${kind}`;
  const now = Date.now();
  const mark = digest.slice(0, 8);
  const tried = read(`${folder}/${network}`)
    .split("\n")
    .map((line) => line.split(" "))
    .filter((words) => words.length === 2 && Number(words[1]) > now - rule.window && words[0] !== mark);
  tried.push([mark, String(now)]);
  if (tried.length < rule.attempts) {
    write(folder, network, tried.map((words) => words.join(" ")).join("\n"));
    return false;
  }
  remove(`${folder}/${network}`);
  write(`${ROOT}banned-${kind}`, network, String(now + rule.time));
  return true;
}

/** Who has shown a right key is no guesser. */
function right(kind, address) {
  remove(`${ROOT}wrong-${kind}/${networkOf(address)}`);
}

/** How many addresses are banned. */
function count(kind) {
  const folder = `${ROOT}banned-${kind}`;
  return names(folder).filter((name) => Number(read(`${folder}/${name}`)) > Date.now()).length;
}

/** IPv6 by /64, of which a guest has all: its first four groups, as http.conf has them ($edge_guest). */
function networkOf(address) {
  if (address.indexOf(":") < 0) {
    return address;
  }
  const halves = address.split("::");
  const head = halves[0] === "" ? [] : halves[0].split(":");
  const tail = halves[1] === undefined || halves[1] === "" ? [] : halves[1].split(":");
  const groups = head.slice();
  for (let i = head.length + tail.length; i < 8; i++) {
    groups.push("0");
  }
  return groups.concat(tail).slice(0, 4).join(":");
}

function write(folder, name, text) {
  try {
    fs.mkdirSync(folder, { mode: 0o750 });
  } catch (_e) {
    // It is there.
  }
  const files = names(folder);
  if (files.length >= MAX_FILES) {
    // All begin anew, rather than that nobody new is noted.
    files.forEach((file) => {
      remove(`${folder}/${file}`);
    });
  }
  fs.writeFileSync(`${folder}/${name}`, text, { mode: 0o640 });
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (_e) {
    return "";
  }
}

function names(folder) {
  try {
    return fs.readdirSync(folder).filter((name) => name.charAt(0) !== ".");
  } catch (_e) {
    return [];
  }
}

function remove(file) {
  try {
    fs.unlinkSync(file);
  } catch (_e) {
    // Gone already.
  }
}

export default { count, left, limits, networkOf, right, wrong };
