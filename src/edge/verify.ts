import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROOF_PREFIX } from "../inventory/settings/values.js";
import type { CheckRef, EmitEvent } from "../report/events.js";
import { packageRoot } from "../util/package-root.js";
import { type Check, CheckList, type CheckOutcome, fail, pass, warn } from "./check-list.js";
import { systemClock } from "./clock.js";
import { findRoute, type NoRoute, type OpenTcp, type Route } from "./dial.js";
import { type FlvClip, readClip } from "./flv.js";
import { createHttpGet, type HttpGet } from "./http-get.js";
import { hlsUrl, playerUrl, rtmpAppUrl, statusUrl, webUrl } from "./urls.js";
import { accessRefs, checkAccess, checkPlay } from "./verify-access.js";
import { checkRefs, type EdgeTarget, type VerifyContext } from "./verify-context.js";
import { flvChecks } from "./verify-flv.js";
import { hlsChecks } from "./verify-hls.js";
import { checkAbsent, checkSecond, checkWrongToken, startPublishing } from "./verify-ingest.js";
import { mediaChecks } from "./verify-media.js";
import { checkMetrics, checkStatusJson } from "./verify-metrics.js";
import { checkFirstSegment, checkUnpublish, playBack } from "./verify-playback.js";
import { checkPlayer } from "./verify-player.js";
import { rtmpsChecks } from "./verify-rtmps.js";
import { tlsChecks } from "./verify-tls.js";
import { checkStatus } from "./verify-web.js";

export interface VerifyOptions {
  readonly target: EdgeTarget;
  readonly emit: EmitEvent;
  readonly signal?: AbortSignal | undefined;
  /** Opens ports as the host itself sees them, for those that a firewall keeps from us. */
  readonly openTcp?: OpenTcp | undefined;
  /** Instead of assets/verify/test-pattern.flv. */
  readonly clip?: FlvClip;
}

export interface VerifyResult {
  /** Nothing failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** Milliseconds from the accepted publish to a fetched segment; undefined when none came. */
  readonly firstSegmentMs: number | undefined;
  /** Of the proof's own stream, without its token. */
  readonly urls: { readonly publish: string; readonly player: string; readonly hls: string; readonly status: string };
}

/**
 * Proves an edge: publishes a test stream of its own and plays it back, next to whatever else is live there.
 * Every finding is a check in the result; nothing that an edge does makes this throw.
 * @throws InterruptedError when the signal is aborted; the test stream is ended then
 */
export async function verifyEdge(options: VerifyOptions): Promise<VerifyResult> {
  const { target, signal } = options;
  const checks = new CheckList(target.name, options.emit, signal);
  const stream = `${PROOF_PREFIX}${randomBytes(4).toString("hex")}`;
  const clip = options.clip ?? (await loadTestPattern());
  const webPort = target.https ? target.httpsPort : target.httpPort;
  const { limited } = target;
  const ports = {
    rtmp: { port: target.rtmpPort, limited: limited.rtmp },
    web: { port: webPort, limited: limited.web },
  };
  const rtmp = await checkPort(checks, checkRefs.rtmpPort, options, ports.rtmp);
  const http = await checkPort(checks, checkRefs.httpPort, options, ports.web, (route) =>
    checkWebAnswer(target, route),
  );

  let firstSegmentMs: number | undefined;
  if (rtmp.kind === "none" || http.kind === "none") {
    const { rtmpPort: _rtmp, httpPort: _http, ...others } = checkRefs;
    const more = [...tlsChecks(target), ...featureChecks(target)].map(({ ref }) => ref);
    const refs = [...Object.values(others), ...accessRefs(target), ...more];
    checks.skip(refs, `the ${rtmp.kind === "none" ? "RTMP" : "web"} port is of no use`);
  } else {
    const httpGet = webGet(target, http.open);
    const { openTcp } = options;
    const routeTo = (port: number) => findRoute(target.host, port, openTcp);
    firstSegmentMs = await runChecks({
      ...{ target, checks, rtmp, openTcp, httpGet, routeTo, clip, stream, clock: systemClock, signal },
    });
  }
  const urls = {
    publish: `${rtmpAppUrl(target)}/${stream}`,
    player: playerUrl(target, stream).href,
    hls: hlsUrl(target, stream).href,
    status: statusUrl(target).href,
  };
  return { ok: checks.ok, checks: checks.checks, firstSegmentMs, urls };
}

/** The clip that is published when none is given. @throws Error when the package is incomplete */
export async function loadTestPattern(): Promise<FlvClip> {
  return readClip(await readFile(join(packageRoot(), "assets/verify/test-pattern.flv")));
}

async function runChecks(context: VerifyContext): Promise<number | undefined> {
  const { checks, clock } = context;
  await checks.run(checkRefs.wrongToken, () => checkWrongToken(context));
  await checks.run(checkRefs.absent, () => checkAbsent(context));
  let live: Awaited<ReturnType<typeof startPublishing>>[1];
  await checks.run(checkRefs.publish, async () => {
    const [outcome, publication] = await startPublishing(context);
    live = publication;
    return outcome;
  });
  const publication = live;
  const publishedAt = clock.now();
  if (publication === undefined) {
    const { firstSegment, second, play, playlist, playlistHeaders, segments, segmentHeaders } = checkRefs;
    checks.skip([firstSegment, second, play, ...accessRefs(context.target)], "nothing is published");
    await checkWeb(context, false);
    const { advance, unpublish } = checkRefs;
    const media = featureChecks(context.target).map(({ ref }) => ref);
    const playing = [playlist, playlistHeaders, segments, segmentHeaders, advance];
    checks.skip([...playing, ...media, unpublish], "nothing is published");
    return undefined;
  }
  try {
    let firstSegmentMs: number | undefined;
    await checks.run(checkRefs.firstSegment, async () => {
      const [outcome, ms] = await checkFirstSegment(context, publication, publishedAt);
      firstSegmentMs = ms;
      return outcome;
    });
    await checks.run(checkRefs.second, () => checkSecond(context, publication));
    await checks.run(checkRefs.play, () => checkPlay(context));
    await checkAccess(context);
    await checkWeb(context, true);
    await playBack(context, publication);
    for (const { ref, run } of featureChecks(context.target)) await checks.run(ref, () => run(context));
    await checks.run(checkRefs.unpublish, () => checkUnpublish(context, publication));
    return firstSegmentMs;
  } finally {
    await publication.stop();
  }
}

/** Made while the stream is live, after it has played. */
function featureChecks(target: EdgeTarget) {
  return [...hlsChecks(target), ...mediaChecks(target), ...flvChecks(target), ...rtmpsChecks(target)];
}

async function checkWeb(context: VerifyContext, isLive: boolean): Promise<void> {
  await context.checks.run(checkRefs.player, () => checkPlayer(context));
  await context.checks.run(checkRefs.status, () => checkStatus(context));
  await context.checks.run(checkRefs.statusJson, () => checkStatusJson(context, isLive));
  await context.checks.run(checkRefs.metrics, () => checkMetrics(context, isLive));
  for (const { ref, run } of tlsChecks(context.target)) await context.checks.run(ref, () => run(context));
}

async function checkPort(
  checks: CheckList,
  ref: CheckRef,
  { target, openTcp }: VerifyOptions,
  { port, limited }: { readonly port: number; readonly limited: boolean },
  speak?: (route: Route) => Promise<void>,
): Promise<Route | NoRoute> {
  let found: Route | NoRoute = { kind: "none", obstacle: "not tried" };
  await checks.run(ref, async () => {
    const route = await findRoute(target.host, port, openTcp);
    if (route.kind !== "none") await speak?.(route);
    found = route;
    if (limited && route.kind === "direct" && openTcp !== undefined) {
      found = { kind: "tunnel", obstacle: undefined, open: () => openTcp("127.0.0.1", port) };
      return pass(
        `${target.host} port ${port} answers; it is for some addresses alone, so the host itself does the rest`,
      );
    }
    return portOutcome(route, target.host, port);
  });
  return found;
}

/** A wrong certificate shall fail one check, not ten. */
async function checkWebAnswer(target: EdgeTarget, route: Route): Promise<void> {
  await webGet(target, route.open)(webUrl(target, "/"));
}

/** Whoever vouches for the certificate: that is a check of its own. */
function webGet({ tls }: EdgeTarget, open: Route["open"]): HttpGet {
  return createHttpGet(open, tls?.certificate?.fingerprint);
}

function portOutcome(route: Route | NoRoute, host: string, port: number): CheckOutcome {
  switch (route.kind) {
    case "direct":
      return pass(`${host} port ${port} answers`);
    case "tunnel":
      return warn(
        `port ${port} of ${host} is closed from this machine (${route.obstacle}), but open on the host itself`,
        `let TCP port ${port} through the firewall of the host, its provider, or this network`,
      );
    case "none":
      return fail(`port ${port} of ${host}: ${route.obstacle}`, "is the service running? `edge-setup plan` tells");
  }
}
