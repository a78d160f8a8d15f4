import t from "tap";
import { encode } from "uqr";
import { qrLines } from "../../../src/edge/qr.js";
import { nextSteps, resultCardLines } from "../../../src/edge/result-card.js";
import {
  embedSnippet,
  ffmpegCommand,
  hlsUrl,
  pageRows,
  playerUrl,
  publishUrl,
  rtmpAppUrl,
  rtmpsAppUrl,
  statusUrl,
} from "../../../src/edge/urls.js";
import { Secret } from "../../../src/util/secret.js";

const edge = { host: "edge.example", rtmpPort: 1935, httpPort: 80, https: false, httpsPort: 443 };

t.test("default ports are left out", async (t) => {
  t.equal(rtmpAppUrl(edge), "rtmp://edge.example/hls");
  t.equal(publishUrl(edge, "live", "a/b&c"), "rtmp://edge.example/hls/live?token=a%2Fb%26c");
  t.equal(playerUrl(edge, "live").href, "http://edge.example/index.html?stream=live");
  t.equal(hlsUrl(edge, "live").href, "http://edge.example/hls/live.m3u8");
  t.equal(statusUrl({ ...edge, https: true }).href, "https://edge.example/status");
});

t.test("other ports and IPv6 literals", async (t) => {
  const six = { ...edge, host: "2001:db8::7", rtmpPort: 19350, httpPort: 8080 };
  t.equal(rtmpAppUrl(six), "rtmp://[2001:db8::7]:19350/hls");
  t.equal(hlsUrl(six, "live").href, "http://[2001:db8::7]:8080/hls/live.m3u8");
  t.equal(hlsUrl({ ...six, https: true, httpsPort: 8443 }, "live").href, "https://[2001:db8::7]:8443/hls/live.m3u8");
});

t.test("RTMP over TLS has an address where it is on, with the port that an encoder would not guess", async (t) => {
  t.equal(rtmpsAppUrl(edge), undefined);
  t.equal(rtmpsAppUrl({ ...edge, rtmpsPort: 1936 }), "rtmps://edge.example:1936/hls");
  t.equal(rtmpsAppUrl({ ...edge, rtmpsPort: 443 }), "rtmps://edge.example/hls");
  const secrets = { token: new Secret("t0ken"), statusPassword: new Secret("pa55") };
  const card = { edge: { ...edge, rtmpsPort: 1936 }, stream: "live", statusUser: "admin", ...secrets, reveal: false };
  t.match(resultCardLines(card).join("\n"), /or, with TLS +rtmps:\/\/edge.example:1936\/hls\n/);
});

t.test("the ffmpeg command is safe to paste", async (t) => {
  t.match(ffmpegCommand(edge, "live", "$(reboot)"), / -f flv 'rtmp:\/\/edge.example\/hls\/live\?token=%24\(reboot\)'$/);
});

t.test("the card shows secrets only when told to", async (t) => {
  const secrets = { token: new Secret("t0ken"), statusPassword: new Secret("pa55") };
  const card = { edge, stream: "live", statusUser: "admin", ...secrets, firstSegmentMs: 3109 };
  const hidden = resultCardLines({ ...card, reveal: false }).join("\n");
  t.notMatch(hidden, /t0ken|pa55/);
  t.match(hidden, /Stream Key +live\?token=\*\*\*/);
  const shown = resultCardLines({ ...card, reveal: true }).join("\n");
  t.match(shown, /Server +rtmp:\/\/edge.example\/hls\n/);
  t.match(shown, /token=t0ken/);
  t.match(shown, /\(admin \/ pa55\)/);
  t.match(shown, /3\.1 s/);
});

t.test("the player in a frame of another site, whatever its address holds", async (t) => {
  const snippet = embedSnippet(edge, 'a"b&c');
  t.match(snippet, /^<iframe src="http:\/\/edge\.example\/embed\?stream=a%22b%26c" .*allowfullscreen><\/iframe>$/);
});

t.test("an edge without a player page has no address of one", async (t) => {
  t.same(
    pageRows(edge, "cam").map(([label]) => label),
    ["Player", "Embed"],
  );
  t.same(pageRows({ ...edge, player: false }, "cam"), []);
  t.notMatch(nextSteps(undefined, false).join(), /player/);
});

t.test("the QR code is the player's address, with a quiet zone", async (t) => {
  const lines = await qrLines("http://192.0.2.7/?stream=mystream");
  const { data, size } = encode("http://192.0.2.7/?stream=mystream", { border: 4 });
  const dark = (row: number, column: number) => {
    const sign = [...(lines[row >> 1] ?? "")][column] ?? " ";
    return row % 2 === 0 ? "█▀".includes(sign) : "█▄".includes(sign);
  };
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      if (dark(row, column) !== data[row]?.[column]) t.fail(`module ${row},${column}`);
  t.match(lines[0], /^ +$/, "light above");
  for (const line of lines) t.match(line, /^ {2}.* {2}$/, "light on both sides");
});

t.test("next steps name commands that work, and none for a host that is gone with the run", (t) => {
  t.match(
    nextSteps("-l church -i edges.yml").at(-1),
    /`edge-setup watch -l church -i edges\.yml` .*`edge-setup verify -l church/,
  );
  t.equal(nextSteps(undefined).length, 2);
  t.end();
});
