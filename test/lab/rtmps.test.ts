import { once } from "node:events";
import type { Duplex } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import t, { type Test } from "tap";
import { dial } from "../../src/edge/dial.js";
import { tryPlay } from "../../src/edge/rtmp-play.js";
import { type Publication, publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import type { LabHost } from "../../src/lab/index.js";
import { Secret } from "../../src/util/secret.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { startPublisher } from "./support/publisher.js";
import { changeSettings, fromInside, playlistOf, readSecrets, until, watchAsViewer } from "./support/streams.js";

t.setTimeout(600_000);

const PORT = 1936;
/** Where edge-rtmps hands publishers on, with a line that says who they are. */
const HOP = 1983;

t.test("RTMP over TLS", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const { token } = await readSecrets(desk);
  const clip = await loadTestPattern();
  const go = async (socket: Duplex, streamName: string, key = token) =>
    publish({
      socket,
      tcUrl: `rtmps://${host.address}:${PORT}/hls`,
      app: "hls",
      streamName,
      clip,
      token: new Secret(key),
    });
  const live = async (socket: Duplex, streamName: string): Promise<Publication> => {
    const answer = await go(socket, streamName);
    if (answer.status !== "live") throw new Error(`${streamName} is refused: ${answer.detail}`);
    return answer;
  };
  const inside = async (stream: string) => (await playlistOf(host, stream)) !== undefined;

  await t.test("it is taken, and verified", async (t) => {
    await apply(t, edge, { rtmps: true, rtmp_access_log: true });
    const verify = await desk.run("verify", "--no-input");
    t.match(verify.stdout, /pass +publishing over TLS is accepted and plays +TLSv1\.3/);
    t.equal(verify.code, 0, verify.stdout);
    const again = await desk.run("apply", "--no-input", "--yes", "--no-verify");
    t.match(again.stdout, /changed=0/, "a second apply changes nothing");
    const listeners = (await host.exec(`ss -Hltn 'sport = :${PORT} or sport = :${HOP}' | awk '{print $4}' | sort`))
      .stdout;
    t.equal(listeners, `0.0.0.0:${PORT}\n127.0.0.1:${HOP}\n[::]:${PORT}\n`);
    const exposure = (await host.exec("systemd-analyze security --no-pager edge-rtmps.service | tail -1")).stdout;
    t.ok(Number(/: ([0-9.]+) /.exec(exposure)?.[1]) <= 1.5, exposure);
    t.equal((await go(await dial(host.address, PORT), "plain")).status, "refused", "not without TLS");
    t.equal((await go(await tls(host), "wrong", "a-wrong-token")).status, "refused", "nor with a wrong token");
    const play = { tcUrl: `rtmps://${host.address}:${PORT}/hls`, app: "hls", streamName: "cam" };
    t.equal((await tryPlay({ ...play, socket: await tls(host) })).status, "refused", "nor to play");
    for (const version of ["TLSv1", "TLSv1.1"] as const)
      await t.rejects(tls(host, { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" }), version);
    for (const version of ["TLSv1.2", "TLSv1.3"] as const)
      (await tls(host, { minVersion: version, maxVersion: version })).destroy();
  });

  await t.test("a new certificate loses no segment of a stream", async (t) => {
    const camera = startPublisher(`rtmps://${host.address}:${PORT}/hls/cam?token=${token}`);
    t.teardown(() => camera.stop());
    await until("the stream", () => inside("cam"));
    const viewer = watchAsViewer(host, "cam");
    const before = (await tls(host)).getPeerX509Certificate()?.fingerprint256;
    for (let turn = 0; turn < 3; turn++) {
      await renew(host);
      await until("the new certificate", async () => {
        const socket = await tls(host);
        socket.destroy();
        return socket.getPeerX509Certificate()?.fingerprint256 !== before;
      });
      await until("segments", async () => (await playlistOf(host, "cam"))?.playlist.segments.length);
    }
    const count = async () => (await playlistOf(host, "cam"))?.playlist.segments.at(-1)?.sequence ?? 0;
    const now = await count();
    await until("two more segments", async () => (await count()) >= now + 2);
    const viewing = await viewer.stop();
    t.same(viewing.problems, []);
    t.ok(viewing.longestWaitMs < 4500, `at most ${viewing.longestWaitMs} ms without a new segment, which are 2 s long`);
    t.equal(camera.exitCode(), null, "the publisher is still there");
    t.equal((await go(await tls(host), "cam")).status, "refused", "and its name is taken");
    const seen = await journalWith(host, `${await ourAddress(host)} publishes: cam`);
    t.notMatch(seen, token, "its own address is noted, and nothing more");
  });

  await t.test("who comes is said by a line that only the host itself can send", async (t) => {
    const from = async (line: string) => {
      const socket = fromInside(host, HOP);
      socket.write(line);
      return socket;
    };
    const workers = async () => (await host.exec("pgrep -P $(systemctl show -P MainPID edge-rtmp)")).stdout;
    const before = await workers();
    for (const line of [
      "",
      "PRO",
      "PROXY TCP4",
      "PROXY TCP4 1.2.3.4\r\n",
      "XXXXXXTCP4 x y z\r\n",
      "PROXY TCP4 x y\r\n",
      "\0".repeat(200),
    ])
      t.equal((await go(await from(line), "odd")).status, "refused", JSON.stringify(line.slice(0, 20)));
    for (const line of ["PROXY TCP4 192.0.2.7 192.0.2.1 5 1936\r\n", "PROXY TCP6 2001:db8::7 2001:db8::1 5 1936\r\n"]) {
      const stream = `from${line.split(/[ .:]/)[2]}`;
      await (await live(await from(line), stream)).stop();
      const address = line.split(" ")[2];
      await journalWith(host, `${address} publishes: ${stream}`);
    }
    t.equal(await workers(), before, "no worker died of it");
    await apply(t, edge, { rtmp_publish_allow: ["192.0.2.0/24"] });
    // nginx-rtmp says NetStream.Publish.Start before it looks at the list, and hangs up then.
    const keptOut = async (socket: Duplex) => {
      const answer = await go(socket, "kept");
      return answer.status === "refused" || (await answer.ended).reason === "closed";
    };
    t.ok(await keptOut(await tls(host)), "rtmp_publish_allow is about the publisher's own address");
    t.ok(await keptOut(await from("PROXY TCP4 192.0.3.7 192.0.2.1 5 1936\r\n")));
    const allowed = await live(await from("PROXY TCP4 192.0.2.7 192.0.2.1 5 1936\r\n"), "allowed");
    await until("the stream", () => inside("allowed"));
    await allowed.stop();
    const verify = await desk.run("verify", "--no-input");
    t.match(verify.stdout, /pass +publishing over TLS/, "the host itself may");
    await apply(t, edge, { rtmp_publish_allow: [] });
  });

  await t.test("a publisher whose key is valid no more is dropped", async (t) => {
    const one = await live(await tls(host), "one");
    await apply(t, edge, { rtmp_publish_token: "another-token-of-edge" });
    t.match(await one.ended, { reason: /closed|rejected/ }, "by NGINX");
    const again = await go(await tls(host), "two", "another-token-of-edge");
    if (again.status !== "live") throw new Error(again.detail);
    await host.exec("systemctl reload edge-rtmp");
    const run = await apply(t, edge, { rtmp_publish_token: token });
    if (/keeps its connection|that this kernel/.test(run)) await again.stop();
    else t.match(await again.ended, { reason: /closed|rejected/ }, "by the kernel, where an older worker has it");
  });

  await t.test("status tells that it does not run", async (t) => {
    await host.exec("systemctl stop edge-rtmps");
    t.match(await desk.run("status"), { code: 1, stdout: /edge {2}PROBLEM edge-rtmps does not run/ });
    await host.exec("systemctl start edge-rtmps");
    t.match(await desk.run("status"), { code: 0 });
  });

  await t.test("off, nothing of it is left", async (t) => {
    await apply(t, edge, { rtmps: false, rtmp_access_log: false });
    const left = `ls -d /etc/systemd/system/*rtmps* /etc/systemd/system/*/*rtmps* /etc/edge/nginx/rtmps.conf /run/edge-rtmps; ss -Hltn 'sport = :${PORT} or sport = :${HOP}'`;
    t.equal((await host.exec(left)).stdout, "");
  });
});

/** A connection over TLS; the certificate is the host's own. */
async function tls(host: LabHost, options = {}): Promise<TLSSocket> {
  const socket = connectTls({ host: host.address, port: PORT, rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  socket.on("error", () => {}); // of a server that hangs up; the publisher hears of it
  return socket;
}

/** Another certificate in the place of the one that is there, as a renewal does it. */
async function renew(host: LabHost): Promise<void> {
  const made = await host.exec(`set -e
    cd /etc/edge/tls && new=$(mktemp -d sets.XXXXXX) && chmod 750 $new
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $new/privkey.pem -out $new/fullchain.pem -days 9 -subj /CN=edge 2>/dev/null
    chmod 640 $new/privkey.pem && chown -R root:edge-tls $new && ln -s $new next && mv -T next live && systemctl reload edge-rtmps`);
  if (made.code !== 0) throw new Error(made.stderr);
}

/** What the journal holds of edge-rtmp once some text is in it: it comes a moment after. */
function journalWith(host: LabHost, text: string): Promise<string> {
  return until(`"${text}" in the journal`, async () => {
    const { stdout } = await host.exec("journalctl -u edge-rtmp -o cat");
    return stdout.includes(text) && stdout;
  });
}

/** This machine, as the host sees it. */
async function ourAddress(host: LabHost): Promise<string> {
  const route = await runProgram(["ip", "-o", "route", "get", host.address]);
  return / src (\S+)/.exec(route.stdout)?.[1] ?? "";
}

async function apply(t: Test, { desk }: LabEdge, vars: Readonly<Record<string, unknown>>): Promise<string> {
  await changeSettings(desk, vars);
  const run = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(run.code, 0, run.code === 0 ? "applied" : run.stdout + run.stderr);
  return run.stdout;
}
