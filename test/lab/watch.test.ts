import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { type Publication, publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import { bootEdge, EDGE } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { outside, playlistOf, readSecrets, until } from "./support/streams.js";
import { TmuxTerminal } from "./support/tmux.js";

t.setTimeout(900_000);

interface Look {
  readonly status: string;
  readonly problem?: string;
  readonly certificateDays?: number;
  readonly units: readonly { readonly name: string; readonly active: boolean }[];
  readonly streams: readonly Record<string, unknown>[];
}

const looks = (stdout: string) =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Look);

t.test("hosts and streams under watch", { skip: labImpossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const clip = await loadTestPattern();
  const live: Publication[] = [];
  t.teardown(() => Promise.all(live.map((one) => one.stop())));
  const goLive = async (stream: string): Promise<Publication> => {
    const { token } = await readSecrets(desk);
    const answer = await publish(await outside(host, clip, stream, token));
    if (answer.status !== "live") throw new Error(`${stream} is refused: ${answer.detail}`);
    live.push(answer);
    return answer;
  };

  await t.test("one look, for monitoring", async (t) => {
    await goLive("main");
    await until("a playlist", () => playlistOf(host, "main"));
    const { code, stdout, stderr } = await desk.run("status", "--json");
    t.equal(code, 0, stderr);
    t.match(looks(stdout), [
      {
        type: "host.sample",
        host: EDGE,
        status: "ok",
        units: [
          { name: "edge-rtmp", active: true },
          { name: "edge-http", active: true },
        ],
        streams: [{ name: "main", videoCodec: "H264", audioCodec: "AAC", draining: false }],
      },
    ]);
    const [stream] = looks(stdout)[0]?.streams ?? [];
    t.ok(Number(stream?.bitrateBps) > 10_000, "what the publisher sends is measured");
    t.ok(Number(stream?.playlistAgeMs) < 10_000);
    t.match((await desk.run("status", EDGE)).stdout, /^edge {2}ok {2}cpu \d+%.*\nedge {2}stream main {2}ok/);
  });

  await t.test("what is wrong is said and makes the exit code", async (t) => {
    await host.exec("systemctl stop edge-http");
    const stopped = await desk.run("status");
    t.equal(stopped.code, 1);
    t.match(stopped.stdout, /edge {2}PROBLEM edge-http does not run/);
    const seconds = Math.floor(Date.now() / 1000);
    const certificate = {
      ...{ kind: "acme", names: ["a.example"], issuer: "An Authority", fingerprint: "0".repeat(64) },
      ...{ not_before: seconds - 85 * 86_400, not_after: seconds + 4.5 * 86_400 },
    };
    await host.exec("systemctl start edge-http; cat > /var/lib/edge/certificate.json", {
      input: JSON.stringify(certificate),
    });
    const ending = await desk.run("status", "--json");
    t.equal(ending.code, 1);
    t.equal(looks(ending.stdout)[0]?.certificateDays, 4);
    await host.exec("rm /var/lib/edge/certificate.json");

    const nobody = await desk.run("status", "-i", "root@127.0.0.1:9,");
    t.equal(nobody.code, 3);
    t.match(nobody.stdout, /unreachable/);
    const hopeless = await desk.run("watch", "-i", "root@127.0.0.1:9,", "--json");
    t.equal(hopeless.code, 3, "a watch without a host ends by itself");
    t.equal(looks(hopeless.stdout)[0]?.status, "unreachable");
    t.equal((await desk.run("status", "nowhere")).code, 2);
    t.equal((await desk.run("watch", "--interval", "0")).code, 2);
  });

  await t.test("doctor: what is wrong with a host, and which advisories name what is on it", async (t) => {
    // As after an upgrade of OpenSSL: the file is another one, and who has the old one open goes on with it.
    await host.exec(
      "cd /usr/lib/*-linux-gnu && cp -p libssl.so.3 new && mv new libssl.so.3; systemd-run -q --unit edge-broken false",
    );
    await host.exec("systemctl restart edge-http");
    const { code, stdout, stderr } = await desk.run("doctor", "--json");
    t.equal(code, 1, stderr);
    const found = stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { host?: string; level: string; check: string; text: string; id?: string });
    const texts = (check: string) =>
      found.flatMap((one) => (one.host === EDGE && one.check === check ? [`${one.level} ${one.text}`] : []));
    t.match(texts("host"), [/^ok .*Debian 13\.\d+ amd64, .* free, clock right to \d+ s, .*units active/]);
    t.same(texts("unit"), ["problem edge-broken.service has failed"]);
    t.same(texts("library"), ["problem edge-rtmp runs with a library that has been replaced since it was started"]);
    t.same(texts("release"), []);
    const map = found.find(({ id }) => id === "CVE-2026-42533");
    t.match(map, {
      host: EDGE,
      level: "problem",
      text: /^NGINX 1\.26\.3-\S+ \(Debian trixie\) .*its directives are in the configuration$/,
    });
    t.notOk(
      found.some(({ id, level }) => level === "problem" && id === "CVE-2026-56434"),
      "SSI is not compiled in",
    );
    await host.exec("systemctl reset-failed edge-broken");
  });

  await t.test("a bill of materials has what the host has, and the same bytes each time", async (t) => {
    const { code, stdout, stderr } = await desk.run("sbom", EDGE);
    t.equal(code, 0, stderr);
    t.equal((await desk.run("sbom")).stdout, stdout);
    const { components } = JSON.parse(stdout) as {
      components: { name: string; version?: string; hashes?: { content: string }[]; components?: { name: string }[] }[];
    };
    const find = (name: string) => components.find((one) => one.name === name);
    const has = async (command: string) => (await host.exec(command)).stdout.trim();
    t.equal(find("nginx")?.hashes?.[0]?.content, await has("sha256sum /opt/edge/nginx/sbin/nginx | cut -d' ' -f1"));
    t.equal(find("ffmpeg")?.version, await has("dpkg-query -W -f '${Version}' ffmpeg"));
    t.match(find("hls.js")?.version ?? "", /^\d+\.\d+\.\d+$/);
    t.ok(find("edge-setup")?.components?.some(({ name }) => name === "/opt/edge/bin/edge-release"));
    for (const secret of Object.values(await readSecrets(desk))) t.notOk(stdout.includes(String(secret)));
  });

  await t.test("the dashboard: a log, a kick, a new token that drops whoever has the old one", async (t) => {
    const { argv, env } = desk.command("watch", "--interval", "1", "-K");
    await writeFile(join(desk.folder, "watch.sh"), `exec ${argv.map((word) => `'${word}'`).join(" ")}\n`);
    const given = {
      ...Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
      CI: "",
    };
    const terminal = await TmuxTerminal.open(desk.folder, given, { columns: 130, rows: 30 });
    t.teardown(() => terminal.close());
    await goLive("talk");
    await terminal.run("unset CI; sh watch.sh; echo exit=$?");
    // A question of Enquirer's, then Ink; further below Enquirer again, and Ink: each gives the terminal to the next.
    await terminal.waitFor("sudo password");
    await terminal.run("not asked for by this host");
    t.match(await terminal.waitFor(/✔ talk .*b\/s/), /watch · 1 host · 2 streams · \d+ watching · no problem/);
    t.match(await terminal.screen(), /✔ main +\d+ kb\/s .*H264 \d+x\d+/);

    t.equal(env.NO_COLOR, "1");
    t.notMatch(await terminal.colours(), /./, "NO_COLOR is honoured");

    await terminal.press("C-z");
    await terminal.waitFor(/Stopped/);
    t.ok(await terminal.cursorVisible());
    await terminal.run("stty -a | grep -o .icanon; fg");
    await terminal.waitFor(/ icanon/);
    const resumed = await terminal.waitFor(/✔ talk .*b\/s/);
    t.equal(resumed.match(/watch · 1 host/g)?.length, 1, `nothing of the frame before is left:\n${resumed}`);
    t.match(resumed, /icanon[\s\S]*watch · 1 host/, "what was done meanwhile stays above");

    await terminal.press("l");
    await terminal.waitFor(/edge · log · follows[\s\S]*systemd/);
    await host.exec("systemctl reload edge-http");
    await terminal.waitFor(/Reloaded edge-http/);
    await terminal.press("q");
    await terminal.waitFor(/watch · 1 host/);

    await terminal.press("G");
    await terminal.waitFor(/▸ +✔ talk/);
    await terminal.press("x");
    await terminal.waitFor("End the connection that publishes talk to edge?");
    await terminal.press("y");
    await terminal.waitFor("talk is ended");
    await terminal.waitFor(/1 host · 1 stream /);
    t.ok(await (live[1] as Publication).ended, "the connection of its publisher is closed");

    const before = await readSecrets(desk);
    await terminal.press("t");
    await terminal.waitFor("Give edge a new publish token?");
    await terminal.press("y");
    await terminal.waitFor("Type the name of the host");
    await terminal.run("nobody");
    await terminal.waitFor("Nothing was changed.");
    t.same(await readSecrets(desk), before);
    await terminal.press("t");
    await terminal.waitFor("Give edge a new publish token?");
    await terminal.press("y");
    await terminal.waitFor("Type the name of the host");
    await terminal.run("edge");
    await terminal.waitFor(/sudo password[\s\S]*sudo password/);
    await terminal.run("not asked for either");
    const end = await terminal.waitFor(/stream key mystream\?token=[\s\S]*ready>/, 120);
    const after = await readSecrets(desk);
    t.not(after.token, before.token);
    t.match(end.replaceAll("\n", ""), after.token, "the new token is shown");
    const old = await publish(await outside(host, clip, "late", before.token));
    t.equal(old.status, "refused", "the old token is worth nothing");
    await goLive("late");
    const kernelCan = (await host.exec("zcat /proc/config.gz | grep -q ^CONFIG_INET_DIAG_DESTROY=y")).code === 0;
    if (kernelCan) t.ok(await (live[0] as Publication).ended, "who published with it is dropped");
    t.notMatch(await readFile(join(desk.folder, "edges.yml"), "utf8"), after.token);
  });
});
