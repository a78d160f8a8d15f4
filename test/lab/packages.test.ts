import t, { type Test } from "tap";
import { loadTestPattern } from "../../src/edge/verify.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { changeSettings, goLive, playlistOf, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

const RELEASE = "/opt/edge/bin/edge-release";
const MASK = "/etc/systemd/system/nginx.service";
/** Where the packages' files are, and what purging them leaves. */
const THEIRS =
  "/etc/nginx /var/lib/nginx /var/log/nginx /usr/share/nginx /var/www /etc/needrestart /var/lib/edge/nginx-packages";

/** Begins with an edge that was compiled. */
const skip = labImpossible() || (process.env.EDGE_LAB_FROM === undefined ? false : "for edges from source");

t.test("NGINX from packages, and back", { skip }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const { token } = await readSecrets(desk);
  const clip = await loadTestPattern();
  const say = async (command: string) => (await host.exec(command)).stdout.trim();
  const newest = async () => (await playlistOf(host, "cam"))?.playlist.segments.at(-1)?.sequence ?? -1;
  const goesOn = async (t: Test, what: string) => {
    const now = await newest();
    await until(what, async () => (await newest()) > now);
    t.pass(what);
  };

  await t.test("an NGINX of the operator's own is not touched", async (t) => {
    await host.exec(`printf '[Service]\\nExecStart=/bin/true\\n' >${MASK}`);
    await changeSettings(desk, { nginx_from: "packages" });
    const refused = await desk.run("apply", "--no-input", "--yes", "--no-verify");
    t.equal(refused.code, 1);
    t.match(refused.stdout + refused.stderr, /nginx\.service of this host is in use.*or write nginx_from: source/s);
    t.notOk(await say("ls /usr/sbin/nginx 2>/dev/null"), "nothing was installed");
    await host.exec(`rm ${MASK}`);
  });

  await t.test("a publisher stays while everything changes, and the packages' own service never runs", async (t) => {
    const camera = await goLive(edge, clip, "cam", token);
    t.teardown(() => camera.stop());
    await until("the stream", async () => (await newest()) >= 0);
    await apply(t, edge, { nginx_from: "packages" });
    t.equal(
      await say(`readlink ${MASK}; systemctl is-active nginx; systemctl is-enabled nginx`),
      "/dev/null\ninactive\nmasked",
    );
    t.match(await say(`${RELEASE} status`), /^rtmp running with an old unit file$/, "its restart waits");
    await goesOn(t, "the stream goes on");
    await camera.stop();
    await apply(t, edge, {});
    t.equal(await say(`${RELEASE} status`), "current");
    t.match(await apply(t, edge, {}), /changed=0/);
    const verify = await desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.stdout);
    const loaded = await say("cat /proc/$(cat /run/edge-rtmp/nginx.pid)/maps");
    for (const file of ["/usr/sbin/nginx", "/usr/lib/nginx/modules/ngx_http_js_module.so", "/ngx_rtmp_module.so"])
      t.match(loaded, file);
  });

  await t.test("what apt replaces is told, and taken into use without an end of a stream", async (t) => {
    const camera = await goLive(edge, clip, "cam", token);
    t.teardown(() => camera.stop());
    const sequence = await newest();
    await until("the stream", async () => (await newest()) > sequence);
    const masters = () => say("cat /run/edge-rtmp/nginx.pid /run/edge-http/nginx.pid");
    const [rtmp = "", http = ""] = (await masters()).split("\n");
    await host.exec("DEBIAN_FRONTEND=noninteractive apt-get install -y --reinstall nginx");
    const update = "running NGINX of before an update of its packages";
    t.equal(await say(`${RELEASE} status`), `rtmp ${update}; http ${update}`);
    t.match((await desk.run("doctor")).stdout, `PROBLEM  what runs is not what is wanted: rtmp ${update}`);
    await host.exec("systemctl start edge-updates.service");
    t.equal(await say(`${RELEASE} status`), "current", "taken over");
    await goesOn(t, "the stream goes on");
    await camera.stop();
    t.notOk(
      (await masters()).split("\n").some((pid) => pid === rtmp || pid === http),
      "others run",
    );
  });

  await t.test("an NGINX that the modules are not made for is told, and not run", async (t) => {
    await host.exec(
      "mv /usr/sbin/nginx /root/nginx; printf '#!/bin/sh\\necho nginx version: nginx/9.9.9 >&2\\n' >/usr/sbin/nginx; chmod 755 /usr/sbin/nginx",
    );
    t.match(await say(`${RELEASE} status`), /^the installed NGINX is 9\.9\.9, for which packages-.* is not made/);
    await host.exec("systemctl start edge-updates.service");
    t.equal(
      await say("systemctl reload edge-rtmp && systemctl restart edge-rtmp edge-http && echo started"),
      "started",
    );
    t.match(await say("readlink /proc/$(cat /run/edge-http/nginx.pid)/exe"), /\/kept\/sbin\/nginx$/);
    t.equal((await desk.run("verify", "--no-input")).code, 0, "the copy of before works");
    await host.exec("mv /root/nginx /usr/sbin/nginx");
    await host.exec("systemctl restart edge-rtmp edge-http");
    t.equal(await say(`${RELEASE} status`), "current");
  });

  await t.test("RTMP of its package too: nothing is compiled", async (t) => {
    const ran = await apply(t, edge, { rtmp_module: "package" });
    t.notMatch(ran, /%/, "no compile");
    t.match(await say("readlink -f /opt/edge/nginx/modules/ngx_rtmp_module.so"), "/usr/lib/nginx/modules/");
    const verify = await desk.run("verify", "--no-input");
    t.equal(verify.code, 0, verify.stdout);
  });

  await t.test("back to what is compiled: nothing of the packages stays", async (t) => {
    await apply(t, edge, { nginx_from: "source", rtmp_module: "rtmp" });
    t.equal(await say(`${RELEASE} status`), "current");
    t.equal(await say(`ls -d ${THEIRS} ${MASK} 2>/dev/null; dpkg -l | grep -c nginx`), "0");
    t.match(await apply(t, edge, {}), /changed=0/);
  });
});

async function apply(t: Test, { desk }: LabEdge, vars: Readonly<Record<string, unknown>>): Promise<string> {
  await changeSettings(desk, vars);
  const run = await desk.run("apply", "--no-input", "--yes", "--no-verify");
  t.equal(run.code, 0, run.code === 0 ? "applied" : run.stdout + run.stderr);
  return run.stdout;
}
