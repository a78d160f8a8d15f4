import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { runCommand } from "./run-command.js";

const TOKEN = "token-of-the-edge-1";
const KEY = "key-of-the-church-1";
const SIGNING = "signing-key-of-the-edge";

/** `edge-setup streams WORDS` on an inventory of one edge with the variables; no host is called. */
function desk(t: Test, vars: string, ownKeys = true) {
  const folder = t.testdir({
    "edges.yml": `edges:\n  hosts:\n    pi:\n      ansible_host: 192.0.2.7\n${vars}`,
    group_vars: {
      all: {
        "edge-secrets.yml": [
          "edge_secrets:",
          "  pi:",
          `    rtmp_publish_token: "${TOKEN}"`,
          '    http_status_password: "password-of-the-edge"',
          `    hls_signing_key: "${SIGNING}"`,
          ...(ownKeys ? ["    rtmp_stream_keys:", `      church: "${KEY}"`] : []),
          "",
        ].join("\n"),
      },
    },
  });
  const secrets = join(folder, "group_vars/all/edge-secrets.yml");
  return {
    secrets,
    async streams(...words: string[]): Promise<{ code: number; out: string; err: string }> {
      const { code, out, err } = await runCommand(t, "streams", [...words, "-i", join(folder, "edges.yml")]);
      return { code, out, err: err.replaceAll(folder, "") };
    },
  };
}

t.test("list", async (t) => {
  const { streams } = desk(t, "");
  const { code, out } = await streams();
  t.equal(code, 0);
  t.equal(out, "pi\n  church  has a key of its own\n  every other name, with rtmp_publish_token\n");
  t.same(JSON.parse((await streams("list", "--json")).out), { host: "pi", streams: ["church"], others: true });
  const closed = desk(t, "      rtmp_publish_any: false\n", false);
  t.equal((await closed.streams()).out, "pi\n  no other name (rtmp_publish_any is off)\n");
});

t.test("show", async (t) => {
  const { streams } = desk(t, "      public_name: live.example.org\n");
  const { out } = await streams("show", "church");
  t.match(out, `  Publish  rtmp://live.example.org/hls/church?token=${KEY}\n`);
  t.match(out, "  HLS      http://live.example.org/hls/church.m3u8\n");
  const other = JSON.parse((await streams("show", "choir", "--json")).out);
  t.match(other, { host: "pi", stream: "choir", publish: `rtmp://live.example.org/hls/choir?token=${TOKEN}` });
  const closed = desk(t, "      rtmp_publish_any: false\n");
  t.match((await closed.streams("show", "choir")).out, "  Publish  nobody may: choir has no key\n");
});

t.test("sign", async (t) => {
  const open = await desk(t, "").streams("sign", "church");
  t.equal(open.code, 2);
  t.match(open.err, /pi plays every address, signed or not.*\n.*hls_signed: true/);

  const { streams } = desk(t, "      hls_signed: true\n");
  const day = await streams("sign", "church");
  const [, signature, expires] = /\/s\/([A-Za-z0-9_-]{22})\/([0-9]{10})\/hls\/church\.m3u8/.exec(day.out) ?? [];
  t.ok(signature);
  t.ok(Math.abs(Number(expires) - Date.now() / 1000 - 86_400) < 60);
  t.match(day.out, `index.html?stream=church&expires=${expires}&signature=${signature}`);
  const { until, hls } = JSON.parse((await streams("sign", "church", "--expires", "never", "--json")).out);
  t.equal(until, null);
  t.match(hls, "/9999999999/");
  for (const wrong of ["soon", "0h", "5", "-1h", "5w"])
    t.match(await streams("sign", "church", `--expires=${wrong}`), { code: 2, err: /--expires takes a time such as/ });
  t.notMatch(day.out + day.err, SIGNING);
  const nested = desk(t, "      hls_signed: true\n      hls_nested: true\n");
  t.match((await nested.streams("sign", "church")).out, "/hls/church/index.m3u8\n");
});

t.test("what is refused, before anything is written", async (t) => {
  const { streams, secrets } = desk(t, "      rtmp_stream_keys: { tower: key-of-the-tower-1 }\n");
  const before = await readFile(secrets, "utf8");
  const cases: [words: string[], says: RegExp][] = [
    [["remove", "church"], /streams cannot remove.*\n.*list, add, rotate, revoke, show, sign/],
    [["add"], /the name of the stream is missing.*\n.*streams add mystream/],
    [["add", "../church"], /"..\/church" is no name of a stream.*\n.*1 to 64 letters/],
    [["add", "my church"], /is no name of a stream/],
    [["add", "edge-verify-x"], /names that begin with edge-verify- are those of `edge-setup verify`/],
    [["add", "x".repeat(65)], /is no name of a stream/],
    [["add", "church", "--yes"], /church has a key on pi.*\n.*streams rotate church/],
    [["rotate", "choir", "--yes"], /choir has no key of its own on pi/],
    [["revoke", "choir", "--yes"], /choir has no key of its own on pi/],
    [["rotate", "tower", "--yes"], /the key of tower is set at .*edges\.yml:5:\d+.*\n.*Change it there/],
    [["add", "choir", "--no-input"], /nobody is there to ask.*\n.*--yes/],
  ];
  for (const [words, says] of cases) {
    const { code, err, out } = await streams(...words);
    t.equal(code, 2, words.join(" "));
    t.match(err, says);
    t.equal(out, "");
  }
  t.equal(await readFile(secrets, "utf8"), before);
});

t.test("a host whose secrets are not here", async (t) => {
  const { streams } = desk(t, "    vps: {}\n");
  const { code, err } = await streams("show", "church", "-l", "vps");
  t.equal(code, 2);
  t.match(err, /the secrets of vps are not in .*edge-secrets\.yml.*\n.*Apply first/);
});
