import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import type { LabHost } from "../../src/lab/index.js";
import type { RunEvent } from "../../src/report/events.js";
import { makeDesk } from "./support/cli.js";
import { bootEdge, edgeLayer } from "./support/edge.js";
import { bootForTest, connectionVars, labImpossible } from "./support/lab.js";

// Hosts that share a build: one has it, one is bare, and one of another release that has nothing to do with them. What is compiled
// here is compiled in a plan only: the edge that all suites share went through the real thing.

const MINUTE = 60_000;
const COMPILE = "NGINX with RTMP, NJS and VTS";
const FETCH = "The build for its twins";
const TAKE = "The build from the controller";
const INSTALL = "NGINX as another host compiled it";
const ABOUT_BUILD = [COMPILE, FETCH, TAKE, INSTALL];

/** What a host does, or would do, about its build. */
function doings(events: readonly RunEvent[], host: string): string[] {
  const names = events.flatMap((event) =>
    event.type === "task.result" && event.host === host && (event.status === "changed" || event.pending === true)
      ? [event.task.name]
      : [],
  );
  return ABOUT_BUILD.filter((name) => names.includes(name));
}

const failures = (events: readonly RunEvent[], host: string) =>
  events.flatMap((event) =>
    event.type === "task.result" && event.host === host && event.status === "failed" ? [event.reason] : [],
  );

const warnings = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === "message" && event.level === "warning" ? [event.text] : []));

async function nginxOf(host: LabHost): Promise<string> {
  return (await host.exec("sha256sum /opt/edge/nginx/sbin/nginx; /opt/edge/nginx/sbin/nginx -V 2>&1")).stdout;
}

t.test("hosts that share a build", { skip: labImpossible(), timeout: 10 * MINUTE }, async (t) => {
  const [{ host: edge, desk: first }, twin, other] = await Promise.all([
    bootEdge(t),
    edgeLayer().then((layer) => bootForTest(t, { name: "twin", layer })),
    bootForTest(t, { name: "other", release: "bookworm" }),
  ]);
  const { folder } = first;
  for (const host of [twin, other]) await appendFile(edge.knownHostsFile, await readFile(host.knownHostsFile, "utf8"));
  const inventory = JSON.parse(await readFile(join(folder, "edges.yml"), "utf8"));
  for (const host of [twin, other]) inventory.edges.hosts[host.name] = connectionVars(host);
  await writeFile(join(folder, "edges.yml"), JSON.stringify(inventory));
  const before = process.env.XDG_CACHE_HOME;
  t.teardown(() => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  });
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  const desk = makeDesk(folder, edge);
  const apply = () => desk.events("apply", "--no-input", "--yes", "--no-verify", "--limit", "edge:twin");

  await t.test("a plan says who compiles, and who takes the build from whom", async (t) => {
    const { code, events, stderr } = await desk.events("plan", "--no-input");
    t.equal(code, 0, stderr);
    t.same(doings(events, "edge"), [COMPILE, FETCH], "packs what it has");
    t.same(doings(events, "twin"), [TAKE, INSTALL]);
    t.same(doings(events, "other"), [COMPILE, FETCH], "of another release: on its own");
    const reasons = events.flatMap((event) =>
      event.type === "task.result" && event.host === "twin" && event.task.name === TAKE ? [event.reason] : [],
    );
    t.match(reasons[0], /to be fetched from edge/);
  });

  await t.test("when the one that has it fails, its twin says so; the next run goes on", async (t) => {
    await edge.exec("rm -rf /var/lib/edge/artifacts && touch /var/lib/edge/artifacts");
    const failed = await apply();
    t.equal(failed.code, 1);
    t.match(failures(failed.events, "twin").join("\n"), /edge/);
    await edge.exec("rm /var/lib/edge/artifacts");
    const { code, events, stderr } = await apply();
    t.equal(code, 0, stderr);
    t.same(doings(events, "twin"), [TAKE, INSTALL]);
    t.equal(await nginxOf(twin), await nginxOf(edge), "the same program");
    t.match((await twin.exec("systemctl is-active edge-rtmp edge-http")).stdout, /^active\nactive\n$/);
    t.notOk(
      events.some((event) => event.type === "task.progress"),
      "nothing was compiled",
    );
  });

  await t.test("a second apply has nothing to do, with or without the cache", async (t) => {
    const { events } = await apply();
    const changed = events.flatMap((event) => (event.type === "run.end" ? Object.values(event.recap) : []));
    t.same(
      changed.map((recap) => recap.changed),
      [0, 0],
    );
    await rm(join(folder, "cache/edge-setup/artifacts"), { recursive: true });
    t.same(
      (await apply()).events.filter((event) => event.type === "task.result" && event.status === "changed"),
      [],
    );
  });

  await t.test("a damaged build in the cache is set aside, and had anew", async (t) => {
    await twin.exec("rm -rf /opt/edge/builds");
    t.equal((await apply()).code, 0);
    const artifacts = join(folder, "cache/edge-setup/artifacts");
    const id = (await edge.exec("basename $(readlink /opt/edge/nginx)")).stdout.trim();
    await appendFile(join(artifacts, `${id}.tar.gz`), "x");
    await twin.exec("rm -rf /opt/edge/builds /var/lib/edge/artifacts");
    const { code, events, stderr } = await apply();
    t.equal(code, 0, stderr);
    t.equal(warnings(events).filter((text) => text.includes("is damaged")).length, 1);
    t.same(doings(events, "edge"), [COMPILE, FETCH]);
    t.same(doings(events, "twin"), [TAKE, INSTALL]);
  });

  await t.test("from the cache alone, when no host has it any more", async (t) => {
    await twin.exec("rm -rf /opt/edge/builds");
    const { code, events, stderr } = await desk.events(
      "apply",
      "--no-input",
      "--yes",
      "--no-verify",
      "--limit",
      "twin",
    );
    t.equal(code, 0, stderr);
    t.same(doings(events, "twin"), [INSTALL], "the archive is there already");
  });
});
