import { readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { parse } from "yaml";
import { dial } from "../../src/edge/dial.js";
import type { FlvClip } from "../../src/edge/flv.js";
import { createHttpGet } from "../../src/edge/http-get.js";
import { tryPlay } from "../../src/edge/rtmp-play.js";
import { type Publication, type PublishOptions, publish, publishBurst } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import type { LabExecResult } from "../../src/lab/index.js";
import { Secret } from "../../src/util/secret.js";
import { bootEdge, EDGE, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { sampleProcesses } from "./support/processes.js";
import { changeSettings, readSecrets, SECRETS_FILE, signatureFor, until, watchSegments } from "./support/streams.js";

t.setTimeout(600_000);

t.test("who may publish and who may watch", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const clip = await loadTestPattern();
  const { token } = await readSecrets(desk);
  const workers = await nginxProcesses(edge);
  const since = (await host.exec("date +%s")).stdout.trim();
  const outputs: string[] = [];
  const keys: Record<string, string> = {};

  /** `edge-setup WORDS`, whose output is searched for secrets at the end unless it is asked for them. */
  async function run(t: Test, words: readonly string[], asksForSecrets = false): Promise<LabExecResult> {
    const samples = sampleProcesses(host, { token, ...keys });
    const result = await desk.run(...words, "--no-input");
    t.same((await samples.stop()).found, [], "no process shows a secret");
    t.equal(result.code, 0, result.code === 0 ? words.join(" ") : result.stdout + result.stderr);
    if (!asksForSecrets) outputs.push(result.stdout, result.stderr);
    return result;
  }
  async function keyOf(stream: string): Promise<string> {
    const file = parse(await readFile(join(desk.folder, SECRETS_FILE), "utf8"));
    return file.edge_secrets[EDGE].rtmp_stream_keys[stream];
  }
  const from = (stream: string, key: string | undefined, address = host.address) =>
    publisher(address, clip, stream, key);

  await t.test("a stream with a key of its own takes that alone", async (t) => {
    for (const stream of ["church", "tower"]) {
      const { stdout } = await run(t, ["streams", "add", stream, "--yes"], true);
      keys[stream] = await keyOf(stream);
      t.match(stdout, `rtmp://${host.address}/hls/${stream}?token=${keys[stream]}`, "the address is told");
    }
    t.equal((await stat(join(desk.folder, SECRETS_FILE))).mode & 0o777, 0o600);
    t.match((await run(t, ["streams"])).stdout, "  church  has a key of its own\n  tower  has a key of its own\n");
    const held = (await host.exec("cat /etc/edge/live/streams.json; grep -r '' /etc/edge/nginx /etc/edge/live")).stdout;
    for (const key of [token, ...Object.values(keys)]) t.notOk(held.includes(key), "the host holds hashes");
    t.equal((await host.exec("stat -Lc %a /etc/edge/live/streams.json")).stdout, "440\n");

    const hashes = JSON.parse((await host.exec("cat /etc/edge/live/streams.json")).stdout);
    const watch = await watchSegments(host);
    const refused: [what: string, name: string, key: string][] = [
      ["the token of all", "church", token],
      ["the key of another stream", "church", keys.tower ?? ""],
      ["its key for another stream", "tower", keys.church ?? ""],
      ["its key for a stream without one", "choir", keys.church ?? ""],
      ["half of its key", "church", (keys.church ?? "").slice(0, 16)],
      ["its key in other letters", "church", (keys.church ?? "").toUpperCase()],
      ["its key twice", "church", `${keys.church}&token=${keys.church}`],
      ["its key and the token", "church", `${keys.church}&token=${token}`],
      ["its key as a list", "church", `&token[]=${keys.church}`],
      ["its key after another name", "tower", `${keys.church}&name=church`],
      ["10,000 characters", "church", "x".repeat(10_000)],
      ["the hash of its key", "church", hashes.publish[0].sha256],
    ];
    for (const [what, name, key] of refused) {
      const burst = await publishBurst({
        ...(await publisher(host.address, clip, `${name}?token=${key}`, undefined)),
        mediaMs: 20_000,
      });
      t.equal(burst.outcome.status, "refused", what);
    }
    await sleep(500);
    t.same(await watch.seen(), [], "nothing of them is written");
    await watch.stop();

    const church = await live(from("church", keys.church));
    t.match(await publish(await from("church", keys.church)), { status: "refused" }, "a second publisher is refused");
    const choir = await live(from("choir", token));
    t.pass("a stream without one takes the token of all");
    await Promise.all([church.stop(), choir.stop()]);
  });

  await t.test("who publishes with what is valid no more is dropped", async (t) => {
    const [church, tower, other] = await Promise.all([
      live(from("church", keys.church)),
      live(from("tower", keys.tower, host.address6)),
      live(from("other", token)),
    ]);
    t.teardown(() => Promise.all([church.stop(), tower.stop(), other.stop()]));
    const ended = endsOf({ church, tower, other });
    const old = keys.church ?? "";
    const { stderr, stdout } = await run(t, ["streams", "rotate", "church", "--yes", "-v"], true);
    keys.rotated = await keyOf("church");
    t.not(keys.rotated, old);
    await until("the end of church", async () => ended.church !== undefined);
    t.same(Object.keys(ended), ["church"], "nobody else is");
    t.match(stdout + stderr, "that is valid no more, and was dropped");
    t.match(await publish(await from("church", old)), { status: "refused" });
    await (await live(from("church", keys.rotated))).stop();

    await changeSettings(desk, { hls_fragment: "1s" });
    await run(t, ["apply", "--yes", "--no-verify"]);
    t.same(Object.keys(ended), ["church"], "a reload leaves tower to the worker that has it");
    const revoked = await run(t, ["streams", "revoke", "tower", "--yes", "-v"]);
    const kernelCan = (await host.exec("zcat /proc/config.gz | grep -q ^CONFIG_INET_DIAG_DESTROY=y")).code === 0;
    if (kernelCan) {
      await until("the end of tower", async () => ended.tower !== undefined);
      t.match(revoked.stderr, "that is valid no more, and was dropped");
      t.equal(ended.other, undefined, "another publisher of that worker stays");
    } else t.match(revoked.stderr, "that this kernel cannot end");
    t.match(await publish(await from("tower", keys.tower)), { status: "refused" });
    await (await live(from("tower", token))).stop();
    await other.stop();
  });

  await t.test("without rtmp_publish_any only streams with keys are there", async (t) => {
    const { church: _, ...gone } = keys;
    await changeSettings(desk, { rtmp_publish_any: false, hls_fragment: "2s" });
    await run(t, ["apply", "--yes"]);
    t.match(await publish(await from("other", token)), { status: "refused" });
    t.match(await publish(await from("tower", gone.tower)), { status: "refused" });
    await (await live(from("church", keys.rotated))).stop();
    await changeSettings(desk, { rtmp_publish_any: true });
  });

  await t.test("signed addresses", async (t) => {
    await changeSettings(desk, { hls_signed: true });
    const { events } = await desk.events("apply", "--yes", "--no-input");
    const results = events.flatMap((event) => (event.type === "check.result" ? [[event.check.id, event.status]] : []));
    t.same(Object.fromEntries(results)["signed-address"], "pass");
    t.same(
      results.filter(([, status]) => status === "fail"),
      [],
    );
    const publication = await live(from("other", token));
    t.teardown(() => publication.stop());
    const sign = async (stream: string, expires: string) => {
      const { stdout } = await run(t, ["streams", "sign", stream, "--expires", expires, "--json"]);
      return new URL(JSON.parse(stdout).hls);
    };
    const good = await sign("other", "1h");
    const get = createHttpGet(() => dial(host.address, 80));
    const playlist = await until("two segments", async () => {
      const { status, body } = await get(good);
      return status === 200 && body.toString().split("#EXTINF").length > 2 && body.toString();
    });
    const segment = playlist.split("\n").filter((line) => line.endsWith(".ts"))[0] ?? "";
    const probe = await runProgram([
      "ffprobe",
      "-v",
      "error",
      "-show_entries",
      "stream=codec_name",
      "-of",
      "csv=p=0",
      good.href,
    ]);
    t.same(
      [...new Set(probe.stdout.split("\n").filter((word) => word !== ""))].sort(),
      ["aac", "h264"],
      `ffprobe plays it ${probe.stderr}`,
    );
    const answers = async (path: string, status: number, what: string) => {
      const answer = await get(new URL(path, good));
      t.equal(answer.status, status, what);
      t.equal(answer.headers["access-control-allow-origin"], "*", `${what}: players may read why`);
    };
    const own = good.pathname;
    const [, , signature = "", expires = ""] = own.split("/");
    const { signing } = await readSecrets(desk);
    const pathOf = (seconds: number) => `${signatureFor("other", signing, seconds)}/hls/other.m3u8`;
    t.equal(pathOf(Number(expires)), own, "what the signature is of");
    await answers(own.replace("other.m3u8", segment), 200, "its segments by the same signature");
    await answers("/hls/other.m3u8", 404, "unsigned");
    await answers(`/hls/${segment}`, 404, "an unsigned segment");
    await answers(own.replace(expires, String(Number(expires) + 60)), 403, "a longer time");
    await answers(
      own.replace(signature, `${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`),
      403,
      "another signature",
    );
    await answers(own.replace("other.m3u8", "church.m3u8"), 403, "of another stream");
    await answers(own.replace("other.m3u8", segment.replace("other", "church")), 403, "a segment of another stream");
    // A minute is more than any machine stands still for.
    const short = await sign("other", "60s");
    await answers(short.pathname, 200, "in time");
    const over = pathOf(Math.floor(Date.now() / 1000) - 1);
    await answers(over, 410, "after its time");
    await answers(over.replace("other.m3u8", segment), 410, "a segment after its time");
    const forever = await sign("other", "never");
    await answers(forever.pathname, 200, "for good");
    await publication.stop();
    await changeSettings(desk, { hls_signed: false });
  });

  await t.test("paths that nobody should send", async (t) => {
    await changeSettings(desk, { hls_signed: true, hls_keys: true });
    await run(t, ["apply", "--yes", "--no-verify"]);
    const sig = "A".repeat(22);
    const paths = [
      ...[
        "/hls/../../../etc/passwd",
        "/hls/..%2f..%2f..%2fetc%2fpasswd",
        "/hls/%2e%2e/%2e%2e/etc/shadow",
        "/hls/x%00.m3u8",
      ],
      ...["/hls/a%0d%0aSet-Cookie:%20x.m3u8", "/hls/my stream.m3u8", "/hls/%22'<script>.m3u8", "/hls/$(id).ts"],
      ...[
        `/hls/${"a".repeat(10_000)}.m3u8`,
        `/hls/${"a".repeat(65)}.m3u8`,
        "/hls/.m3u8",
        "/hls//x.m3u8",
        "/hls/x.m3u8.bak",
      ],
      ...[
        `/s/${sig}/9999999999/hls/../../etc/passwd`,
        `/s/${sig}/0/hls/x.m3u8`,
        `/s/${sig}/99999999999999999999/hls/x.m3u8`,
      ],
      ...[`/s//9999999999/hls/x.m3u8`, `/s/${sig}/9999999999/status`, `/s/${"A".repeat(10_000)}/9999999999/hls/x.m3u8`],
      ...[`/s/${sig}/9999999999/hls/x-1.key`, `/s/${sig}/-1/hls/x.m3u8`, "/s/", "/s", "/viewers.conf", "/streams.json"],
    ];
    for (const path of paths) {
      const answer = await rawGet(host.address, path);
      t.match(answer, /^HTTP\/1\.1 (400|403|404|410|414) /, path.slice(0, 60));
      t.notMatch(answer, /root:|Set-Cookie|<script>/i);
    }
    await changeSettings(desk, { hls_signed: false, hls_keys: false });
  });

  await t.test("allow lists", async (t) => {
    // Of the two addresses that the host sees us by, one is allowed.
    const list = [`${host.address6.replace(/::.*/, "::")}/64`];
    const lists = {
      rtmp_publish_allow: list,
      rtmp_play: true,
      rtmp_play_allow: list,
      http_allow: list,
      http_status_allow: list,
    };
    await changeSettings(desk, lists);
    const { events, code } = await desk.events("apply", "--yes", "--no-input");
    const results = events.flatMap((event) => (event.type === "check.result" ? [event] : []));
    t.equal(code, 0, JSON.stringify(results.filter(({ status }) => status === "fail")));
    t.equal(results.find(({ check }) => check.id === "rtmp-play")?.status, "pass");
    // nginx-rtmp says NetStream.Publish.Start before it looks at the list, and hangs up then.
    const watch = await watchSegments(host);
    for (const [stream, key] of [
      ["other", token],
      ["church", keys.rotated],
    ] as const) {
      const answer = await publish(await from(stream, key));
      if (answer.status === "live")
        t.match(await answer.ended, { reason: "closed", mediaMs: 0 }, "by IPv4 nobody publishes");
      await publishBurst({ ...(await from(stream, key)), mediaMs: 20_000 });
    }
    await sleep(1500);
    t.same(await watch.seen(), [], "nor is anything written");
    await watch.stop();
    const publication = await live(from("other", token, host.address6));
    t.teardown(() => publication.stop());
    const play = async (address: string) =>
      (await tryPlay({ ...(await publisher(address, clip, "other", undefined)), waitMs: 15_000 })).status;
    t.equal(await play(host.address6), "plays");
    t.equal(await play(host.address), "refused");
    const four = createHttpGet(() => dial(host.address, 80));
    const six = createHttpGet(() => dial(host.address6, 80));
    const at = (path: string) => new URL(path, `http://${host.address}`);
    const playlist = await until("a segment", async () => {
      const text = (await six(at("/hls/other.m3u8"))).body.toString();
      return text.includes(".ts") && text;
    });
    const segment = `/hls/${playlist.split("\n").find((line) => line.endsWith(".ts"))}`;
    for (const path of [
      "/",
      "/index.html?stream=other",
      "/hls/other.m3u8",
      segment,
      "/status",
      "/status/streams.json",
    ]) {
      t.equal((await four(at(path))).status, 403, `by IPv4 ${path}`);
      t.equal((await six(at(path))).status, path.startsWith("/status") ? 401 : 200, `by IPv6 ${path}`);
    }
    t.equal((await four(at("/healthz"))).status, 204);
    await publication.stop();

    await changeSettings(desk, { rtmp_publish_allow: [], rtmp_play_allow: [], http_allow: [], http_status_allow: [] });
    await run(t, ["apply", "--yes"]);
    const open = await live(from("other", token));
    t.equal(await play(host.address), "plays", "rtmp_play alone is for everybody");
    t.equal((await four(at("/"))).status, 200);
    await open.stop();
    await changeSettings(desk, { rtmp_play: false });
    await run(t, ["apply", "--yes"]);
  });

  await t.test("nothing has crashed, and no secret is told", async (t) => {
    t.same(await nginxProcesses(edge), workers, "the masters are those of the begin");
    const journal = (await host.exec(`journalctl -a --since @${since} --no-pager -o cat`)).stdout;
    // What the kernel ended for us is an alert of nginx.
    const alerts = journal.split("\n").filter((line) => /\[(alert|emerg)\]/.test(line) && !line.includes("(103: "));
    t.same([alerts, journal.match(/exited on signal|core dumped/g)], [[], null]);
    t.equal(
      (await host.exec("find / -xdev -name 'core*' -newer /etc/edge/live -size +100k -type f 2>/dev/null")).stdout,
      "",
    );
    const logs = await runProgram([
      "grep",
      "-rlaF",
      "-e",
      token,
      ...Object.values(keys).flatMap((key) => ["-e", key]),
      desk.state,
    ]);
    t.equal(logs.stdout, "", "nor do logs of runs");
    for (const secret of [token, ...Object.values(keys)]) {
      t.notOk(journal.includes(secret), "the journal");
      t.notOk(
        outputs.some((text) => text.includes(secret)),
        "what commands print",
      );
    }
    t.equal((await desk.run("plan", "--no-input", "--exit-code")).code, 0, "and all is as it was");
  });
});

async function publisher(
  address: string,
  clip: FlvClip,
  streamName: string,
  key: string | undefined,
): Promise<PublishOptions> {
  const tcUrl = `rtmp://${address.includes(":") ? `[${address}]` : address}/hls`;
  const secret = key === undefined ? {} : { token: new Secret(key) };
  return { socket: await dial(address, 1935), tcUrl, app: "hls", streamName, clip, timeoutMs: 6000, ...secret };
}

/** @throws Error when it is refused */
async function live(options: Promise<PublishOptions>): Promise<Publication> {
  const answer = await publish(await options);
  if (answer.status !== "live") throw new Error(`refused: ${answer.detail}`);
  return answer;
}

/** Which publications have ended, as they do. */
function endsOf(publications: Readonly<Record<string, Publication>>): Record<string, string> {
  const ends: Record<string, string> = {};
  for (const [name, publication] of Object.entries(publications))
    publication.ended.then((end) => {
      ends[name] = end.detail;
    });
  return ends;
}

/** The masters, which only a crash or a restart would change. */
async function nginxProcesses({ host }: LabEdge): Promise<string> {
  return (
    await host.exec(
      "cat /run/edge-rtmp/nginx.pid /run/edge-http/nginx.pid; systemctl show -p NRestarts edge-rtmp edge-http",
    )
  ).stdout;
}

/** The answer to a request line that no client library would send. */
function rawGet(address: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(80, address, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    let text = "";
    socket.setEncoding("latin1").on("data", (part) => {
      text += part;
    });
    socket.on("end", () => resolve(text)).on("error", reject);
  });
}
