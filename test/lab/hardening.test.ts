import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import t, { type Test } from "tap";
import { dial } from "../../src/edge/dial.js";
import { publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import type { LabHost } from "../../src/lab/index.js";
import { Secret } from "../../src/util/secret.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, waitUntil } from "./support/lab.js";
import { startPublisher } from "./support/publisher.js";
import { changeSettings, fromInside, getFrom, goLive, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

/** The most that `systemd-analyze security` may find in a unit that runs: 0 is nothing, 10 everything. */
const MOST_EXPOSED: Readonly<Record<string, number>> = {
  "edge-http": 1.5,
  "edge-rtmp": 1.5,
  "edge-rtmps": 1.5,
  "edge-media": 1.5,
  "edge-transcode@cam": 1.2,
  "edge-record@cam": 1.2,
  "edge-pull@again": 1.5,
  "edge-snapshots": 1,
  "edge-janitor": 0.7,
  "edge-views": 0.7,
  "edge-access-log": 0.7,
};

/** All that brings units with it, and one that only binds ports where it may do so without rights. */
const EVERYTHING = {
  ...{ transcoding: true, transcoding_profiles: ["240p", "native"], record: true, record_min_free: "100M" },
  ...{ hls_dvr: "10m", http_access_log: "file", rtmp_play: true, rtmps: true },
  pull: [{ name: "again", url: "rtmp://127.0.0.1:1935/hls/cam" }],
};

t.test("a hardened edge", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const { token } = await readSecrets(desk);

  await t.test("nothing listens that is not needed", async (t) => {
    const lines = (await host.exec("ss -Hltnup")).stdout.trim().split("\n");
    const listeners = lines.map((line) => {
      const [protocol, , , , address = "", , users = ""] = line.split(/\s+/);
      return `${protocol} ${address} ${/"([^"]+)"/.exec(users)?.[1]}`;
    });
    t.same([...new Set(listeners)].sort(), [
      ...["tcp 0.0.0.0:1935 nginx", "tcp 0.0.0.0:22 sshd", "tcp 0.0.0.0:80 nginx"],
      ...["tcp 127.0.0.1:1980 nginx", "tcp 127.0.0.1:1981 nginx", "tcp 127.0.0.1:1982 nginx"],
      ...["tcp [::]:1935 nginx", "tcp [::]:22 sshd", "tcp [::]:80 nginx"],
    ]);
    t.same(await openPorts(host.address), [22, 80, 1935], "nor answers to the network");
  });

  await t.test("a firewall, where one is wanted", (t) => firewall(t, edge));

  await t.test("a host of before", (t) => upgrade(t, edge));

  await t.test("who guesses is not listened to", (t) => bans(t, edge));

  await t.test("all of it works under filters that kill", async (t) => {
    const units = Object.keys(MOST_EXPOSED).map((unit) => unit.replace(/@.*/, "@"));
    // A call that is not permitted fails silently, so for once it ends the process.
    for (const unit of [...units, "edge-record-proof@"])
      await host.exec(
        `mkdir -p /run/systemd/system/${unit}.service.d; printf '[Service]\nSystemCallErrorNumber=kill\n' > /run/systemd/system/${unit}.service.d/kill.conf`,
      );
    await host.exec("systemctl daemon-reload; systemctl restart edge-http edge-rtmp edge-snapshots");
    await apply(t, edge, EVERYTHING);
    const camera = startPublisher(`rtmp://${host.address}/hls/cam?token=${token}`);
    t.teardown(() => camera.stop());
    await until("a ladder", async () => (await host.exec("ls /run/edge/hls/.abr/cam/master.m3u8")).code === 0);
    await until("a fetched stream", () => playlistOf(host, "again"));
    const verify = await desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.stdout);
    t.match(verify.stdout, /pass +renditions are valid/);
    t.match(verify.stdout, /pass +the stream is recorded/);
    await host.exec("systemctl start edge-janitor edge-views edge-access-log; systemctl reload edge-rtmp edge-http");
    const killed = "journalctl -b -o cat | grep -E 'edge-[a-z@]+.*status=31/SYS'";
    t.equal((await host.exec(killed)).stdout, "", "no call of theirs is denied");
    t.equal(
      (await host.exec("systemctl show -P SystemCallErrorNumber edge-rtmp")).stdout,
      "2147483646\n",
      "under them",
    );

    for (const [unit, most] of Object.entries(MOST_EXPOSED)) {
      const words = (await host.exec(`systemd-analyze security --no-pager ${unit}.service | tail -1`)).stdout;
      const exposure = Number(/: ([0-9.]+) /.exec(words)?.[1]);
      t.ok(exposure <= most, `${unit}: ${exposure}`);
    }
    await limits(t, edge);
    await rights(t, edge);
    await host.exec("rm -r /run/systemd/system/edge-*.service.d; systemctl daemon-reload");
  });
});

/** Who guesses is not listened to for a while, and nobody gets more than a hall full of viewers needs. */
async function bans(t: Test, edge: LabEdge): Promise<void> {
  const { host, desk } = edge;
  const { token, password } = await readSecrets(desk);
  const clip = await loadTestPattern();
  const go = async (stream: string, key: string, socket?: Duplex) => {
    const options = { tcUrl: `rtmp://${host.address}/hls`, app: "hls", clip, streamName: stream };
    const answer = await publish({
      ...options,
      socket: socket ?? (await dial(host.address, 1935)),
      token: new Secret(key),
    });
    if (answer.status === "live") await answer.stop();
    return answer.status;
  };
  const guess = async (from: number, to: number) => {
    for (let turn = from; turn < to; turn++) await go("cam", `a-wrong-token-${turn}`);
  };
  const metric = async (what: string) =>
    (await host.exec(`curl -s http://127.0.0.1:1980/metrics | sed -n 's/^edge_banned_addresses{what="${what}"} //p'`))
      .stdout;

  await apply(t, edge, { ban_time: "6s" });
  const running = await goLive(edge, clip, "running", token);
  await guess(0, 10);
  t.equal(await go("cam", token), "refused", "ten different wrong keys ban, whatever comes then");
  t.equal(await metric("publish"), "1\n");
  t.equal(await go("cam", token, fromInside(host, 1935)), "live", "but not the host itself");
  // From the last wrong key to the begin of the last request that was refused: a machine that stands still only shortens it.
  const banned = Date.now();
  let refused = banned;
  await until("the end of the ban", async () => {
    const asked = Date.now();
    if ((await go("cam", token)) === "live") return true;
    refused = asked;
    return false;
  });
  t.ok(refused - banned < 8000, "it ends by itself");
  for (let turn = 0; turn < 15; turn++) await go("cam", "a-key-of-yesterday");
  await guess(0, 8);
  t.equal(await go("cam", token), "live", "nine different ones, and one again and again, do not");
  await guess(0, 9);
  t.equal(await go("cam", token), "live", "and who has shown a right key begins anew");
  for (let turn = 0; turn < 12; turn++) await go(`cam?addr=192.0.2.${turn}`, `another-wrong-token-${turn}`);
  t.equal(await go("cam", token), "live", "nor does a request that lies about its address: it is none");
  t.equal((await Promise.race([running.ended, "live"])) as string, "live", "streams that run go on");
  await running.stop();

  const get = getFrom(host);
  const status = async (secret?: string) => {
    const headers = { authorization: `Basic ${Buffer.from(`admin:${secret}`).toString("base64")}` };
    return get(new URL(`http://${host.address}/status/streams.json`), secret === undefined ? {} : { headers });
  };
  for (let turn = 0; turn < 15; turn++) t.equal((await status()).status, 401);
  for (let turn = 0; turn < 9; turn++) t.equal((await status(`wrong-${turn}`)).status, 401);
  t.equal((await status(password)).status, 200);
  t.equal((await status("wrong-9")).status, 401);
  const answer = await status(password);
  t.match([answer.status, Number(answer.headers["retry-after"])], [429, Number], "ten wrong passwords ban from logins");
  t.ok(Number(answer.headers["retry-after"]) <= 6);
  t.equal(await metric("login"), "1\n");
  t.equal(await go("cam", token), "live", "and from nothing else");
  const inside = `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/status`;
  t.equal((await host.exec(inside)).stdout, "401", "but not the host itself");
  await until("the end of the ban", async () => (await status(password)).status === 200);

  const said = (await host.exec("journalctl -o cat -u edge-rtmp -u edge-http")).stdout;
  const [own = ""] = /\S+(?= may not publish for 6 s: 10 wrong keys)/.exec(said) ?? [];
  t.match(said, `${own} may not log in for 6 s: 10 wrong passwords`);
  t.notMatch(said, /wrong-token|key-of-yesterday|wrong-9/, "no key is logged");

  const urls = Array.from({ length: 1600 }, (_, index) => new URL(`http://${host.address}/?viewer=${index % 100}`));
  const hall = await Promise.all(urls.map(async (url) => (await get(url)).status));
  t.same([...new Set(hall)], [200], "a hundred viewers who come at once are let in");
  await apply(t, edge, { ban_time: "10m", http_requests_per_address: 5, http_connections_per_address: 3 });
  const many = await Promise.all(urls.slice(0, 60).map(async (url) => (await get(url)).status));
  t.ok(many.includes(200) && many.includes(429), "more than is allowed is told so");
  const own60 = `for i in $(seq 60); do curl -s -o /dev/null -w '%{http_code}\\n' http://127.0.0.1/; done | sort | uniq -c | tr -s ' '`;
  t.equal((await host.exec(own60)).stdout, " 60 200\n", "but for the host itself");
  await apply(t, edge, { http_requests_per_address: 0 });
  await host.exec("head -c 80M /dev/zero > /opt/edge/www/large.bin");
  const slow = await Promise.all(Array.from({ length: 5 }, () => firstLine(host, "/large.bin")));
  t.same(slow.map(([line]) => line).sort(), [
    ...Array(3).fill("HTTP/1.1 200 OK"),
    ...Array(2).fill("HTTP/1.1 429 Too Many Requests"),
  ]);
  for (const [, socket] of slow) socket.destroy();
  await host.exec("rm /opt/edge/www/large.bin");
  await apply(t, edge, { http_requests_per_address: 500, http_connections_per_address: 500 });
}

/** What a request is answered, whose answer is read no further, and its connection. */
async function firstLine(host: LabHost, path: string): Promise<[line: string, socket: Duplex]> {
  const socket = await dial(host.address, 80);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: edge\r\n\r\n`);
  const [data] = await once(socket, "data");
  socket.pause();
  return [data.toString("latin1").split("\r\n")[0], socket];
}

/** Who reads what, tried as each unit with its own user, groups and view of the files. */
async function rights(t: Test, { host }: LabEdge): Promise<void> {
  const secrets = {
    "live/streams.json": ["edge-rtmp"],
    "live/rtmp-relay.conf": ["edge-rtmp"],
    "live/rtmp-push.conf": ["edge-rtmp"],
    "nginx/streams.json": ["edge-rtmp"],
    "live/status.htpasswd": ["edge-http"],
    "live/signing.conf": ["edge-http"],
    "nginx/http.conf": ["edge-http"],
    "live/rtmps.conf": ["edge-rtmps"],
    "tls/live/privkey.pem": ["edge-rtmps"],
    "pull/again.ffpreset": ["edge-pull@again"],
  };
  const units = ["edge-rtmp", "edge-http", "edge-rtmps", "edge-media", "edge-snapshots", "edge-transcode@cam"].concat(
    ...["edge-record@cam", "edge-pull@again"],
  );
  const asUnit = (unit: string, command: string) =>
    host.exec(`p=$(systemctl show -P MainPID ${unit}); set -- $(sed -n 's/^[UG]id:\\t\\([0-9]*\\).*/\\1/p' /proc/$p/status)
      groups=$(sed -n 's/^Groups:\\t *//p' /proc/$p/status | sed 's/ *$//' | tr ' ' ,)
      nsenter -t $p -m -- setpriv --reuid=$1 --regid=$2 \${groups:+--groups} \${groups:---clear-groups} --inh-caps=-all --bounding-set=-all ${command}`);
  for (const unit of units) {
    t.equal((await asUnit(unit, "true")).code, 0, unit);
    for (const [file, readers] of Object.entries(secrets)) {
      const { code } = await asUnit(unit, `cat /etc/edge/${file}`);
      t.equal(code === 0, readers.includes(unit), `${unit} and ${file}`);
    }
    t.not((await asUnit(unit, "sh -c 'echo >> /etc/edge/live/http.conf'")).code, 0, `${unit} writes no configuration`);
  }
  // They share a user, and have users of their own.
  const look = (other: string) => `head -c1 /proc/$(systemctl show -P MainPID ${other})/environ`;
  const nginx = ["edge-rtmp", "edge-rtmps", "edge-http"];
  for (const unit of ["edge-snapshots", "edge-transcode@cam", "edge-rtmps", "edge-rtmp"])
    for (const other of nginx.filter((name) => name !== unit)) {
      const inside = `p=$(systemctl show -P MainPID ${unit}); nsenter -t $p -U -m --setuid $(id -u edge) --setgid $(stat -c %g /proc/$p)`;
      const { stderr } = await host.exec(`${inside} ${look(other)}`);
      t.match(stderr, /Permission denied|No such file/, `${unit} does not see into ${other}`);
    }
  for (const other of ["edge-rtmp", "edge-rtmps"]) {
    const { stderr } = await host.exec(`setpriv --reuid=edge --regid=edge --clear-groups ${look(other)}`);
    t.match(stderr, /Permission denied/, `nor does anything else of that user see into ${other}`);
  }
}

/** A host from before its configuration was divided: its streams go on, and it is as a new one. */
async function upgrade(t: Test, edge: LabEdge): Promise<void> {
  const { host, desk } = edge;
  const { token } = await readSecrets(desk);
  await host.exec(`find /etc/edge/nginx /etc/edge/releases -exec chgrp edge {} +; chmod 0750 /etc/edge/nginx /etc/edge/releases /etc/edge/releases/*
    sed -i 's/^Group=edge-http/Group=edge/' /etc/systemd/system/edge-http.service
    sed -i '/^PrivateUsers/d' /etc/systemd/system/edge-rtmp.service; systemctl daemon-reload; systemctl restart edge-rtmp edge-http`);
  const camera = startPublisher(`rtmp://${host.address}/hls/cam?token=${token}`);
  t.teardown(() => camera.stop());
  await until("the stream", () => playlistOf(host, "cam"));
  const first = await desk.run("apply", "--no-input", "--yes");
  t.equal(first.code, 0, first.code === 0 ? "applied and verified" : first.stdout + first.stderr);
  t.equal(camera.exitCode(), null, "the publisher goes on");
  t.match((await desk.run("apply", "--no-input", "--yes", "--no-verify")).stdout, /changed=0/);
  await camera.stop();
  const last = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(last.code, 0, "what was put off is done when nobody publishes");
  t.equal((await host.exec("/opt/edge/bin/edge-release status")).stdout, "current\n");
}

/** Rules of nftables beside those of others: what is not the edge's is closed, and nobody is locked out. */
async function firewall(t: Test, edge: LabEdge): Promise<void> {
  const { host, desk } = edge;
  const foreign = "table inet others { chain input { type filter hook input priority 10; tcp dport 9 drop; }; }";
  await apply(t, edge, { firewall: true, rtmp_connections_per_address: 5 });
  await host.exec(`nft '${foreign}'; systemd-run -q --unit=other-service python3 -m http.server 8088`);
  const listens = waitUntil("ss -Hltn 'sport = :2222' | grep -q .");
  await host.exec(`systemd-run -q --unit=other-ssh /usr/sbin/sshd -D -p 2222; ${listens}`);
  const open = (port: number) => answers(host.address, port);
  await until(
    "another service",
    async () => (await host.exec("curl -s -o /dev/null http://127.0.0.1:8088/")).code === 0,
  );
  t.notOk(await open(8088), "what is not the edge's cannot be reached");
  for (const port of [22, 80, 1935]) t.ok(await open(port), `${port} can`);
  t.equal(
    (await host.exec("curl -s -o /dev/null http://127.0.0.1/healthz")).code,
    0,
    "nor is the host closed to itself",
  );
  const again = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.match(again.stdout, /changed=1 /, "another port of sshd is opened by the next apply");
  t.ok(await open(2222));
  t.match((await desk.run("apply", "--no-input", "--yes", "--no-verify")).stdout, /changed=0/);

  const sockets = await Promise.all(Array.from({ length: 9 }, () => dial(host.address, 1935).catch(() => undefined)));
  t.equal(sockets.filter((socket) => socket !== undefined).length, 5, "an address has so many connections to RTMP");
  for (const socket of sockets) socket?.destroy();

  await host.exec("echo nonsense >> /etc/edge/firewall.nft");
  t.not((await host.exec("/opt/edge/bin/edge-firewall apply")).code, 0, "rules that are wrong are not loaded");
  t.notOk(await open(8088), "and those of before stay");
  const verify = await desk.run("apply", "--no-input", "--yes");
  t.equal(verify.code, 0, verify.code === 0 ? "all of the edge works behind it" : verify.stdout + verify.stderr);
  await apply(t, edge, { firewall: false, rtmp_connections_per_address: 200 });
  t.ok(await open(8088), "off, nothing is closed");
  const left =
    "nft list tables; ls -d /etc/edge/firewall* /etc/systemd/system/*firewall* /opt/edge/bin/edge-firewall /run/edge-firewall";
  t.equal((await host.exec(left)).stdout, "table inet others\n", "and nothing of it is left, but for others' rules");
  await host.exec("systemctl stop other-service other-ssh; nft delete table inet others");
}

/** What runs now: FFmpeg within its limits, and none of it dumps its memory. */
async function limits(t: Test, { host }: LabEdge): Promise<void> {
  const slice = "edge.slice/edge-media.slice";
  const groups =
    "for p in $(pgrep 'ffmpeg|ffprobe'); do grep ^0:: /proc/$p/cgroup; done | grep -o 'edge.slice/.*' | sort -u";
  t.same((await host.exec(groups)).stdout.trim().split("\n"), [
    ...["again", "cam"].map((stream) => `${slice}/edge-media-streams.slice/edge-record@${stream}.service`),
    `${slice}/edge-media-streams.slice/edge-transcode@cam.service`,
    `${slice}/edge-pull@again.service`,
  ]);
  t.equal((await host.exec("systemctl show -P Slice edge-snapshots")).stdout, "edge-media.slice\n");
  const show = "systemctl show -p CPUWeight -p TasksMax -p MemoryMax edge-media.slice";
  t.match((await host.exec(show)).stdout, /^CPUWeight=20\nMemoryMax=[0-9]+\nTasksMax=1024\n$/);

  const dumps =
    "for p in $(pgrep -u edge; systemctl show -P MainPID edge-media); do grep '^Max core' /proc/$p/limits; cat /proc/$p/coredump_filter; done | tr -s ' ' | sed 's/ $//' | sort -u";
  t.equal((await host.exec(dumps)).stdout, "00000000\nMax core file size 0 0 bytes\n");
  const capabilities = "for p in $(pgrep -u edge); do grep -h -e ^CapPrm -e ^CapAmb /proc/$p/status; done | sort -u";
  t.same(
    (await host.exec(capabilities)).stdout.split("\n").filter((line) => !/\t0{16}$/.test(line)),
    ["CapAmb:\t0000000000000400", "CapPrm:\t0000000000000400", ""],
    "no capability, but for port 80 that to bind it",
  );
}

/** All TCP ports that take connections from outside. */
async function openPorts(address: string): Promise<number[]> {
  const open: number[] = [];
  let next = 1;
  const look = async () => {
    while (next <= 65_535) {
      const port = next++;
      if (await answers(address, port)) open.push(port);
    }
  };
  await Promise.all(Array.from({ length: 200 }, look));
  return open.sort((a, b) => a - b);
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(3000, () => done(false));
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

async function apply(t: Test, { desk }: LabEdge, vars: Readonly<Record<string, unknown>>): Promise<void> {
  await changeSettings(desk, vars);
  const run = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(run.code, 0, run.code === 0 ? "applied" : run.stdout + run.stderr);
}
