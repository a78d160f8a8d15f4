import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { dial } from "../../src/edge/dial.js";
import { createHttpGet } from "../../src/edge/http-get.js";
import { publish } from "../../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../../src/edge/verify.js";
import type { LabHost } from "../../src/lab/index.js";
import type { RunEvent } from "../../src/report/events.js";
import type { Desk } from "./support/cli.js";
import { bootEdge } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { type OtherRelease, otherRelease, otherUnitFile } from "./support/other-release.js";
import { goLive, outside, playlistOf, readSecrets, until, watchAsViewer } from "./support/streams.js";

t.setTimeout(1_200_000);

/** Changes nothing. */
const SAME = "s/#EXTM3U/#EXTM3U/";
/** Playlists that no player reads: the proof notices. */
const TORN = "s/#EXTM3U/#EXTM3X/";
/** /healthz answers with an error: the host itself notices. */
const MUTE = "s/204 No Content/504 No Content/";

t.test("an upgrade under live streams", { skip: labImpossible() }, async (t) => {
  const { host, desk } = await bootEdge(t);
  const clip = await loadTestPattern();
  const { token } = await readSecrets(desk);
  const release = async (made: Promise<OtherRelease>) => {
    const other = await made;
    t.teardown(() => other.remove());
    return other.desk;
  };
  const first = await buildOf(host);

  await t.test("takes nothing from viewers and publishers", async (t) => {
    const next = await release(otherRelease(host, desk.folder, { version: "1.26.4", sed: SAME }));
    const live = await goLive({ host }, clip, "long", token);
    let ended = false;
    void live.ended.then(() => {
      ended = true;
    });
    await until("a segment", async () => ((await playlistOf(host, "long"))?.playlist.segments.length ?? 0) > 0);
    const plan = await next.events("plan", "--exit-code");
    t.equal(plan.code, 4, "exit code", { stderr: plan.stderr });
    t.match(
      told(plan.events, "Units are upgraded"),
      /build \S+ \(nginx 1\.26\.3, .* gives way to .* live streams stay .*: long/,
    );
    t.equal(await buildOf(host), first, "a plan does nothing");

    const viewer = watchAsViewer(host, "long");
    const requests = manyRequests(host);
    const apply = await next.events("apply", "--yes", "--no-input", "--no-verify");
    t.equal(apply.code, 0, "exit code", { stderr: apply.stderr });
    const { done, failed } = await requests.stop();
    t.same(failed, [], `of ${done} requests`);
    t.not(await buildOf(host), first);
    t.match(told(apply.events, "Another build runs"), /exchange rtmp.*exchange http/);
    t.equal((await host.exec("systemctl show -P NRestarts edge-http edge-rtmp")).stdout, "0\n\n0\n");
    t.equal(ended, false, "the publisher was not disconnected");
    t.match((await desk.run("status")).stdout, /note {2}with the build from before the upgrade until they end: long/);
    await settled(t, next);
    const second = await goLive({ host }, clip, "second", token);
    await until("its playlist", async () => ((await playlistOf(host, "second"))?.playlist.segments.length ?? 0) > 0);
    t.match((await host.exec("systemctl reload edge-rtmp")).code, 0, "the new master is the one that systemd knows");
    const viewing = await viewer.stop();
    t.same(viewing.problems, []);
    t.equal(ended, false);
    await second.stop();

    await t.test("and ends streams where it is told to", async (t) => {
      const plan = await next.events("plan", "--restart-streams");
      t.match(told(plan.events, "Units are upgraded"), /are ended, and come back: long/);
      t.equal(ended, false);
      const apply = await next.events("apply", "--yes", "--no-input", "--no-verify", "--restart-streams");
      t.equal(apply.code, 0, "exit code", { stderr: apply.stderr });
      t.equal(told(apply.events, "Live streams were ended, as --restart-streams says"), "long");
      t.equal((await live.ended).reason, "closed");
      const again = await publish(await outside(host, clip, "long", token));
      t.equal(again.status, "live", "who comes back at once is taken");
      t.match((await desk.run("status")).stdout, /note {2}ended \S+ ago for an upgrade: long/);
      if (again.status === "live") await again.stop();
    });

    const back = await host.exec("/opt/edge/bin/edge-release rollback");
    t.equal(back.code, 0, back.stderr);
    t.equal(await buildOf(host), first, "one command goes back, with build and release");
    t.equal((await desk.run("apply", "--yes", "--no-input", "--no-verify")).code, 0);
    await settled(t, desk);
  });

  await t.test("goes back by itself", async (t) => {
    const good = await buildOf(host);
    const mute = await release(otherRelease(host, desk.folder, { version: "1.26.5", sed: MUTE }));
    const silent = await mute.run("apply", "--yes", "--no-input");
    t.equal(silent.code, 1);
    t.match(silent.stderr, /build \S+ did not answer; build \S+ with release \S+ is live again/);
    t.equal(await buildOf(host), good);

    const torn = await release(otherRelease(host, desk.folder, { version: "1.26.6", sed: TORN }));
    const bad = await torn.run("apply", "--yes", "--no-input");
    t.equal(bad.code, 1);
    t.match(bad.stderr, /The build and the configuration from before run again, and pass the proof/);
    t.equal(await buildOf(host), good);
    const pids = () => host.exec("systemctl show -P MainPID edge-http edge-rtmp");
    const before = (await pids()).stdout;
    const again = await torn.run("apply", "--yes", "--no-input");
    t.equal(again.code, 1, "nor is it tried again");
    t.match(again.stderr, /is not tried again, as it failed before: \S+ the proof did not pass \(.*first-segment/);
    t.equal((await pids()).stdout, before);
    t.equal((await desk.run("verify", "--no-input")).code, 0, "the edge works");

    t.not((await host.exec("/opt/edge/bin/edge-release rollback")).code, 0, "which is no way forward to it");
    await host.exec(
      "cd /opt/edge/builds && for i in 1 2 3; do mkdir old$i && touch -d 2020-01-0$i old$i/.complete old$i; done",
    );
    const right = await desk.run("apply", "--yes", "--no-input", "--no-verify");
    t.equal(right.code, 0, "the release from before is right");
    t.equal(await buildOf(host), good);
    t.notMatch((await host.exec("ls /opt/edge/builds")).stdout, /old/, "old builds go");
  });

  await t.test("restarts a unit once nobody publishes", async (t) => {
    const next = await release(otherUnitFile(host, desk.folder, "edge-rtmp.service"));
    const live = await goLive({ host }, clip, "camera", token);
    await until("its claim", async () => (await host.exec("ls /run/edge-rtmp/publishers")).stdout.includes("camera"));
    const apply = await next.events("apply", "--yes", "--no-input", "--no-verify");
    t.equal(apply.code, 0, "exit code", { stderr: apply.stderr });
    t.match(told(apply.events, "Units are upgraded"), /edge-rtmp restarts, .* once nobody publishes; live now: camera/);
    t.match(
      told(apply.events, "A restart is put off until nobody publishes"),
      /camera live, rtmp running with an old unit/,
    );
    t.match((await desk.run("status")).stdout, /note {2}edge-rtmp restarts once nobody publishes/);
    const look = () => host.exec("systemctl start edge-settle.service; /opt/edge/bin/edge-release pending");
    t.match((await look()).stdout, /edge-rtmp running with an old unit file/, "it waits");
    t.equal((await host.exec("systemctl is-active edge-settle.timer")).stdout, "active\n");
    t.equal((await live.stop()).reason, "stopped", "the stream was not cut");
    await until("the end of the stream", async () => (await look()).stdout === "");
    t.equal((await host.exec("systemctl is-active edge-settle.timer edge-rtmp")).stdout, "inactive\nactive\n");
    await settled(t, next);
  });
});

async function buildOf(host: LabHost): Promise<string> {
  return (await host.exec("readlink /opt/edge/nginx")).stdout.trim();
}

/** What a task said that counts as a change. */
function told(events: readonly RunEvent[], task: string): string | undefined {
  const said = events.find(
    (event) => event.type === "task.result" && event.task.name === task && event.status !== "skipped",
  );
  return said?.type === "task.result" ? said.reason : undefined;
}

async function settled(t: Test, desk: Desk): Promise<void> {
  const plan = await desk.run("plan", "--no-input", "--exit-code");
  t.equal(plan.code, 0, plan.code === 0 ? "nothing is left to do" : plan.stdout + plan.stderr);
}

/** Viewers who ask again and again, each over a connection of its own, until stopped. */
function manyRequests(host: LabHost): { stop(): Promise<{ done: number; failed: readonly string[] }> } {
  const get = createHttpGet(() => dial(host.address, 80));
  const url = new URL(`http://${host.address}/healthz`);
  const failed: string[] = [];
  let done = 0;
  let stopped = false;
  const one = async () => {
    for (; !stopped; await sleep(20)) {
      done++;
      const answer = await get(url).catch((error: unknown) => String(error));
      if (typeof answer === "string") failed.push(answer);
      else if (answer.status !== 204) failed.push(`status ${answer.status}`);
    }
  };
  const all = Array.from({ length: 8 }, one);
  return {
    async stop() {
      stopped = true;
      await Promise.all(all);
      return { done, failed };
    },
  };
}
