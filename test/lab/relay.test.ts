import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import t, { type Test } from "tap";
import { messageType } from "../../src/edge/rtmp-chunks.js";
import { publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { FakeRtmpServer } from "../unit/edge/fake-rtmp-server.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { startPublisher } from "./support/publisher.js";
import { changeSettings, getFrom, outside, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

const KEYS = { plain: "key-of-plain-service", secure: "key-of-secure-service", refusing: "key-of-refusing-service" };
const LOGIN = "login-of-the-source";

t.test("streams to and from elsewhere", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host } = edge;
  const { token, password } = await readSecrets(edge.desk);
  // This machine as its lab hosts see it.
  const here = host.address.replace(/\d+$/, "1");
  const url = `rtmp://${host.address}/hls/cam?token=${token}`;

  await t.test("push", async (t) => {
    const service = await FakeRtmpServer.start(() => "start");
    t.teardown(() => service.stop());
    const forward = (socket: Socket) => {
      const inner = service.connect();
      socket.on("error", () => inner.destroy()).on("close", () => inner.destroy());
      socket.pipe(inner).pipe(socket);
    };
    const certificate = await certificateFor(t, edge, here);
    const plain = await listen(t, createServer(forward));
    const secure = await listen(t, createTlsServer(certificate, forward));
    const attempts: number[] = [];
    const refusing = await listen(
      t,
      createServer((socket) => {
        attempts.push(Date.now());
        socket.destroy();
      }),
    );
    const publisher = startPublisher(url);
    t.teardown(() => publisher.stop());
    await until("the stream", () => playlistOf(host, "cam"));
    await apply(t, edge, {
      push: [
        { name: "plain", stream: "cam", url: `rtmp://${here}:${plain}/live` },
        { name: "secure", stream: "cam", url: `rtmps://${here}:${secure}/live2` },
        { name: "refusing", stream: "cam", url: `rtmp://${here}:${refusing}/live` },
      ],
      push_keys: KEYS,
    });
    t.equal(publisher.exitCode(), null, "the publisher goes on");
    // The worker that has it finishes with the configuration of before.
    await publisher.stop();
    const again = startPublisher(url);
    t.teardown(() => again.stop());

    const published = () => service.commands.filter(([name]) => name === "publish").map(([, , , key]) => key);
    await until("both services", async () => published().length >= 2);
    t.same(published().sort(), [KEYS.plain, KEYS.secure], "each with its key");
    await until("pictures", async () => service.of(messageType.video).length > 60);
    const streams = await getFrom(host)(new URL(`http://${host.address}/status/streams.json`), {
      headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}` },
    });
    t.match(JSON.parse(streams.body.toString()).streams, [
      { name: "cam", push: [{ name: "plain", connected: true }, { connected: true }, { connected: false }] },
    ]);
    const verify = await edge.desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.code === 0 ? "a service that is down is no failure" : verify.stdout);
    t.match(verify.stdout, /warn +targets of push .*not connected: refusing/);

    // Of 2, 4, 8 s and so on. A machine that stands still makes one longer, so the fourth attempt need not be the last.
    const waits = () => attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    const isLonger = (wait: number) => wait > (waits()[0] ?? 0) * 2;
    await until("attempts to become less and less often", async () => waits().some(isLonger), 120_000);
    t.comment(`waits of ${waits().join(", ")} ms`);
    t.equal(again.exitCode(), null);
    t.ok(await playlistOf(host, "cam"), "and HLS does not mind");
    await tellsNobody(t, edge, Object.values(KEYS));
    await again.stop();
    await apply(t, edge, { push: [], push_keys: {} });
    t.equal((await host.exec("grep -rl key-of- /etc/edge/live/ /etc/edge/nginx")).stdout, "", "off, no key is left");
  });

  await t.test("pull", async (t) => {
    const source = startPublisher(url);
    t.teardown(() => source.stop());
    await until("the source", () => playlistOf(host, "cam"));
    await apply(t, edge, {
      rtmp_play: true,
      pull: [
        { name: "hls", url: `http://viewer:${LOGIN}@127.0.0.1/hls/cam.m3u8` },
        { name: "rtmp", url: "rtmp://127.0.0.1:1935/hls/cam" },
        { name: "away", url: `rtmp://${here}:9/hls/cam` },
      ],
    });
    // Who plays over RTMP meets the new worker, which the publisher has to come to, too.
    await source.stop();
    const back = startPublisher(url);
    t.teardown(() => back.stop());
    for (const name of ["hls", "rtmp"])
      await until(name, async () => ((await playlistOf(host, name))?.playlist.segments.length ?? 0) >= 2);
    const probe = await runProgram(["ffprobe", "-v", "error", "-show_streams", `http://${host.address}/hls/hls.m3u8`]);
    t.match(probe.stdout, /codec_name=h264/);
    const clip = await loadTestPattern();
    t.match(
      await publish(await outside(host, clip, "away", token)),
      { status: "refused" },
      "its name is the unit's alone",
    );
    const verify = await edge.desk.run("verify", "--no-input");
    t.match(verify.stdout, /warn +fetched streams are live +not live: away/);
    await tellsNobody(t, edge, [LOGIN]);
    await apply(t, edge, { rtmp_play: false, pull: [] });
    const left =
      "systemctl list-units --plain --no-legend --state=active 'edge-pull@*'; ls /etc/edge/pull /etc/systemd/system/edge-pull*";
    t.equal((await host.exec(left)).stdout, "", "off, nothing of it is left");
  });
});

/** A certificate for this machine that the host trusts; its address stands as a name, as NGINX compares names alone. */
async function certificateFor(t: Test, { host }: LabEdge, address: string): Promise<{ key: Buffer; cert: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), "edge-relay-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const made = await runProgram([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-keyout", key, "-out", cert, "-subj", "/CN=service", "-addext", `subjectAltName=DNS:${address}`],
  ]);
  if (made.code !== 0) throw new Error(made.stderr);
  const trust = "cat > /usr/local/share/ca-certificates/service.crt && update-ca-certificates";
  await host.exec(trust, { input: await readFile(cert, "utf8") });
  return { key: await readFile(key), cert: await readFile(cert) };
}

/** Gives the port. */
async function listen(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** No argument of a process, line of the journal or file that others can read on the host, and no log of ours, has a secret. */
async function tellsNobody(t: Test, { host, desk }: LabEdge, secrets: readonly string[]): Promise<void> {
  // Read from stdin, as a word of the command would be an argument itself.
  const input = `${secrets.join("\n")}\n`;
  const places = [
    "cat /proc/[0-9]*/cmdline",
    "journalctl --no-pager",
    "find /etc /run /var/lib /var/log /opt -xdev -type f -perm /o=r -print0 | xargs -0 cat",
  ];
  for (const place of places) {
    const found = await host.exec(`cat > /root/secrets; { ${place}; } 2>/dev/null | grep -a -c -F -f /root/secrets`, {
      input,
    });
    t.equal(found.stdout.trim(), "0", place);
  }
  const ours = await runProgram(["grep", "-r", "-l", "-F", ...secrets.flatMap((secret) => ["-e", secret]), desk.state]);
  t.equal(ours.stdout, "", "our own logs");
}

/** Applies settings, and again: the second time nothing may change. */
async function apply(t: Test, { desk }: LabEdge, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await changeSettings(desk, settings);
  const first = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(first.code, 0, first.code === 0 ? "applied" : first.stdout + first.stderr);
  const second = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.match(second.stdout, /changed=0/, "a second apply changes nothing");
}
