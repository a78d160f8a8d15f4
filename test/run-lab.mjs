/**
 * Runs files of lab tests side by side, as the command `tap` does, and prints raw TAP: `node test/run-lab.mjs FILE...`.
 * That one takes files by name, and so many at a time. Here the longest come first, so that none is left alone at the end, and a
 * file that keeps processors busy takes the room of two that wait for streams and hosts for most of their time.
 */
import { basename } from "node:path";
import t from "tap";

/** Seconds: a guard against hangs, far above what the slowest takes on two busy cores. */
const TIMEOUT = 1500;
/** On two cores: a file that waits for streams and hosts needs an eighth to a quarter of them. */
const ROOM = 3;
/** Run Ansible, encode or compile for most of their time. */
const BUSY = ["conformance", "transcode", "build-local"];
/**
 * What begins first. The very first needs nothing of the edge that the second provisions, and that all others wait for; then busy
 * ones, each once there is room for it, as later light ones alone find some; then those that take longest.
 */
const FIRST = [
  "conformance",
  "access",
  "hls",
  "transcode",
  "build-local",
  "player-settings",
  "hardening",
  "ansible",
  "edge",
];

const nameOf = (file) => basename(file, ".test.ts");
const roomOf = (file) => (BUSY.includes(nameOf(file)) ? 2 : 1);
const rankOf = (file) => (FIRST.includes(nameOf(file)) ? FIRST.indexOf(nameOf(file)) : FIRST.length);
const fits = (file) => roomOf(file) <= room;

const files = process.argv.slice(2).sort((a, b) => rankOf(a) - rankOf(b));
let room = ROOM;

async function run(file) {
  room -= roomOf(file);
  await t.spawn(process.execPath, ["--enable-source-maps", "--import=tsx", file], {
    ...{ name: file, buffered: true, timeout: TIMEOUT * 1000, at: null, stack: "" },
    // CI as .taprc has it, colours as `tap` has them where nobody looks.
    env: { ...process.env, CI: "false", NO_COLOR: "1", FORCE_COLOR: "0", TAP_TIMEOUT: String(TIMEOUT) },
  });
  room += roomOf(file);
  begin();
  if (room === ROOM) t.end();
}

/** Begins what there is room for. */
function begin() {
  for (let next = files.findIndex(fits); next >= 0; next = files.findIndex(fits)) run(...files.splice(next, 1));
}

// What ends this ends the files, which then stop their hosts.
const running = new Set();
t.on("spawn", (file) =>
  file.once("process", (child) => {
    running.add(child);
    child.once("exit", () => running.delete(child));
  }),
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    process.kill(process.pid, signal);
  });

// Files have a timeout each, and all together none.
t.setTimeout(0);
t.jobs = files.length;
begin();
