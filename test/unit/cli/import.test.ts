import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { parse } from "yaml";
import { loadFleet } from "../../../src/cli/fleet.js";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { validateAllSettings } from "../../../src/inventory/settings/validate.js";
import { runCommand } from "./run-command.js";

// The golden tables are written anew by: UPDATE_GOLDEN=1 npx tap --disable-coverage test/unit/cli/import.test.ts
const update = process.env.UPDATE_GOLDEN === "1";
const fixtures = join(import.meta.dirname, "../inventory/fixtures");

/** `edge-setup import` on a file with this text. */
async function imported(t: Test, text: string | Buffer, ...words: string[]) {
  const folder = t.testdir({});
  const file = join(folder, "edge.env");
  await writeFile(file, text);
  const { code, out, err } = await runCommand(t, "import", [file, "-i", join(folder, "edges.yml"), ...words]);
  return { folder, code, out, err: err.replaceAll(`${folder}/`, "") };
}

const rows = (out: string): Record<string, { fate: string; setting: string | null; written: unknown; why: string }> =>
  Object.fromEntries(
    out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .map((row) => [row.variable, row]),
  );

for (const name of ["restreamer-edge", "restreamer-edge-later"])
  t.test(`${name}.env, all of it`, async (t) => {
    const { code, out, err } = await imported(t, await readFile(join(fixtures, `${name}.env`), "utf8"));
    t.equal(code, 0, err);
    const golden = join(fixtures, `${name}.import.txt`);
    if (update) await writeFile(golden, out);
    t.equal(out, await readFile(golden, "utf8"), "UPDATE_GOLDEN=1 writes it anew");
    t.notMatch(out, /=datarhei\b/, "secrets are masked");
  });

// From restreamer-edge's README, as they stand there.
const README = {
  start: `docker run -d --name restreamer-edge --restart always -p 80:80 -p 1935:1935 \\
  -e "HTTP_SERVER_HLS_STATUS_USERNAME=your-username" \\
  -e "HTTP_SERVER_HLS_STATUS_PASSWORD=a-password-of-mine" \\
  -e "RTMP_SERVER_HLS_PUBLISH_TOKEN=a-token-of-mine" \\
      datarhei/restreamer-edge:latest`,
  playground: `  -e "WORKER_PROCESSES=4" \n  -e "WORKER_CONNECTIONS=4096"\n  -e "RTMP_SERVER_HLS_PLAYLIST_LENGTH=18000" \n`,
  log: `  -e "HTTP_ACCESS_LOG=/dev/stdout" \n`,
  cloud: `#cloud-config
write_files:
  - path: /etc/restreamer-edge.env
    content: |
      RTMP_SERVER_HLS_PUBLISH_TOKEN=datarhei
      HTTP_SERVER_HLS_STATUS_USERNAME=admin
        ExecStart=/usr/bin/docker run --name restreamer-edge -p 80:80 --env-file /etc/restreamer-edge.env datarhei/restreamer-edge:latest
        TimeoutStartSec=0`,
  marathon: `curl -X POST -H "Content-Type: application/json" marathon-ip:8080/v2/apps -d '{
	"id": "/datarhei/restreamer-edge",
	"env": {
		"RTMP_SERVER_HLS_PUBLISH_TOKEN": "datarhei",
		"HTTP_SERVER_HLS_STATUS_USERNAME": "somebody",
	},
	"cpus": 1
}'`,
  defaults: `RTMP_SERVER_PORT "1941"\nRTMP_SERVER_TIMEOUT "30s"\n`,
  compose: `services:
  edge:
    environment:
      - RTMP_SERVER_PORT=1940 # ours
      HTTP_SERVER_PORT: "8080"  # not 80
      RTMP_SERVER_HLS_FRAGMENT: 4s`,
};

t.test("the forms of the predecessor's README", async (t) => {
  const read = async (text: string) => {
    const { code, out, err } = await imported(t, text, "--json");
    t.equal(code, 0, err);
    return rows(out);
  };
  t.match(await read(README.start), {
    HTTP_SERVER_HLS_STATUS_USERNAME: { fate: "renamed", setting: "http_status_username", written: "your-username" },
    HTTP_SERVER_HLS_STATUS_PASSWORD: { fate: "renamed", written: "***" },
    RTMP_SERVER_HLS_PUBLISH_TOKEN: { fate: "renamed", written: "***" },
  });
  t.match(await read(README.playground), {
    WORKER_PROCESSES: { fate: "taken", written: "4" },
    WORKER_CONNECTIONS: { fate: "taken", setting: "worker_connections" },
    RTMP_SERVER_HLS_PLAYLIST_LENGTH: { fate: "corrected", setting: "hls_dvr", written: "18000" },
  });
  t.match(await read(README.log), { HTTP_ACCESS_LOG: { fate: "corrected", written: "journal" } });
  const cloud = await read(README.cloud);
  t.same(Object.keys(cloud), ["RTMP_SERVER_HLS_PUBLISH_TOKEN", "HTTP_SERVER_HLS_STATUS_USERNAME"]);
  t.match(cloud, { RTMP_SERVER_HLS_PUBLISH_TOKEN: { fate: "corrected", why: /well-known/, written: null } });
  t.match(await read(README.marathon), { HTTP_SERVER_HLS_STATUS_USERNAME: { written: "somebody" } });
  t.match(await read(README.defaults), {
    RTMP_SERVER_PORT: { written: 1941 },
    RTMP_SERVER_TIMEOUT: { setting: "rtmp_timeout", written: "30s" },
  });
  t.match(await read(README.compose), {
    RTMP_SERVER_PORT: { written: 1940 },
    HTTP_SERVER_PORT: { written: 8080 },
    RTMP_SERVER_HLS_FRAGMENT: { written: "4s" },
  });
});

t.test("what is refused says where and why", async (t) => {
  const cases: [text: string | Buffer, says: RegExp][] = [
    ["RTMP_SERVER_PORT=99999\n", /edge\.env:1:1: RTMP_SERVER_PORT .*99999/],
    ["\n-e RTMP_SERVER_PING=soon\n", /edge\.env:2:4: RTMP_SERVER_PING .*soon/],
    ['docker run -e "RTMP_SERVER_PORT=1935 image\n', /edge\.env:1:15: a quote is not closed/],
    ['RTMP_SERVER_PORT="1935\n', /edge\.env:1:18: a quote is not closed/],
    ["RTMP_SERVER_HLS_PLAYLIST_LENGTH=3\n", /edge\.env:1:1: hls_playlist_length 3s is less than 3 fragments of 2s/],
    ["RTMP_SERVER_PORT=8080\nHTTP_SERVER_PORT=8080\n", /edge\.env:\d:1: .* are both 8080/],
    ["nothing of it\n", /has no variables of restreamer-edge/],
    ["", /has no variables of restreamer-edge/],
    [Buffer.from("RTMP_SERVER_PORT=1935\0"), /edge\.env is no text/],
    [Buffer.from([0xff, 0xfe, 0x41, 0x80, 0x0a]), /edge\.env is no text/],
    [Buffer.alloc(10_000_000, "A=1\n"), /edge\.env has 10000000 bytes/],
  ];
  for (const [text, says] of cases) {
    const { code, out, err } = await imported(t, text, "--host", "pi@192.0.2.7");
    t.equal(code, 2, err);
    t.match(err, says);
    t.equal(out, "");
  }
  const { code, err } = await imported(t, "RTMP_SERVER_PORT=1982", "--host", "try");
  t.equal(code, 2, err);
});

t.test("hostile texts do no harm", async (t) => {
  const esc = await imported(t, "EVIL=\u001b[2J\u001b]0;x\u0007\nRTMP_SERVER_PORT=1940\n");
  t.notOk(esc.out.includes("\u001b") || esc.out.includes("\u0007"), "no control character comes through");
  const other = await imported(t, "AWS_SECRET_ACCESS_KEY=abcdef\nTITLE=Bob's stream\nRTMP_SERVER_PORT=1940\n");
  t.equal(other.code, 0, other.err);
  t.notMatch(other.out, /abcdef/, "other programs' secrets are not printed");
  const twice = await imported(t, "RTMP_SERVER_PORT=1940\nRTMP_SERVER_PORT=1941\nRTMP_SRV_PORT=1942\n", "--json");
  t.match(rows(twice.out), {
    RTMP_SERVER_PORT: { fate: "refused", why: "RTMP_SRV_PORT further down says the same", written: null },
    RTMP_SRV_PORT: { fate: "renamed", written: 1942 },
  });
  const long = await imported(t, `HTTP_SERVER_HLS_STATUS_USERNAME=${"x".repeat(100_000)}\n`);
  t.equal(long.code, 2);
  t.ok(long.err.length < 2000, "nor fill the screen");
});

t.test("--host writes an inventory that a plan accepts, and secrets apart", async (t) => {
  const text = `RTMP_SERVER_HLS_PUBLISH_TOKEN=a-token-of-mine\nHTTP_SERVER_PORT=8080\nRTMP_SERVER_HLS_FRAGMENT=4s\nRTMP_SERVER_HLS_KEY=on\nHTTP_ACCESS_LOG=/dev/stdout\n`;
  const { code, folder, out, err } = await imported(t, text, "--host", "pi@raspberrypi.local,203.0.113.9:2222");
  t.equal(code, 0, err);
  t.match(err, /edges\.yml is written.*\n {2}edge-setup plan/s);
  const file = join(folder, "edges.yml");
  const inventory = parse(await readFile(file, "utf8"));
  for (const host of Object.values(inventory.edges.hosts))
    t.match(host, {
      http_server_port: 8080,
      hls_fragment: "4s",
      hls_keys: true,
      http_access_log: "journal",
    });
  t.same(validateAllSettings((await loadInventory(file)).hosts), []);
  const secrets = join(folder, "group_vars/all/edge-secrets.yml");
  t.equal((await stat(secrets)).mode & 0o777, 0o600);
  t.match(await readFile(secrets, "utf8"), "a-token-of-mine");
  t.notMatch((await readFile(file, "utf8")) + out + err, /a-token-of-mine/);
  const fleet = await loadFleet({ inventory: file }, { saveSecrets: false, passwords: {} });
  t.same(
    fleet.hosts.map(({ settings: { values } }) => values.rtmp_publish_token?.reveal()),
    ["a-token-of-mine", "a-token-of-mine"],
  );
});
