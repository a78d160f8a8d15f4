import { connect } from "node:net";
import t, { type Test } from "tap";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { startPublisher } from "./support/publisher.js";
import { changeSettings, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

/** The most that `systemd-analyze security` may find in a unit that runs: 0 is nothing, 10 everything. */
const MOST_EXPOSED: Readonly<Record<string, number>> = {
  "edge-http": 1.5,
  "edge-rtmp": 1.5,
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
  ...{ hls_dvr: "10m", http_access_log: "file", rtmp_play: true },
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

  await t.test("all of it works under filters that kill", async (t) => {
    const units = Object.keys(MOST_EXPOSED).map((unit) => unit.replace(/@.*/, "@"));
    // A call that is not permitted fails silently, so for once it ends the process.
    for (const unit of [...units, "edge-record-proof@"])
      await host.exec(
        `mkdir -p /run/systemd/system/${unit}.service.d; printf '[Service]\nSystemCallErrorNumber=kill\n' > /run/systemd/system/${unit}.service.d/kill.conf`,
      );
    await host.exec("systemctl daemon-reload; systemctl restart edge-http edge-rtmp edge-media edge-snapshots");
    await apply(t, edge, EVERYTHING);
    const camera = startPublisher(`rtmp://${host.address}/hls/cam?token=${token}`);
    t.teardown(() => camera.stop());
    await until("a ladder", async () => (await host.exec("ls /run/edge/hls/.abr/cam/master.m3u8")).code === 0, 60_000);
    await until("a fetched stream", () => playlistOf(host, "again"), 60_000);
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
    await host.exec("rm -r /run/systemd/system/edge-*.service.d; systemctl daemon-reload");
  });
});

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
