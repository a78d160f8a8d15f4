import { type CheckOutcome, fail, pass, skip } from "./check-list.js";
import type { HttpResponse } from "./http-get.js";
import { recordsIn } from "./json-answer.js";
import { parsePrometheusText } from "./prometheus-text.js";
import { webUrl } from "./urls.js";
import type { VerifyContext } from "./verify-context.js";
import { login } from "./verify-web.js";

const JSON_PATH = "/status/streams.json";
const METRICS_PATH = "/metrics";
/** Far above what 100 streams take; a page that grows without bound is one that a scraper gives up. */
const MAX_BYTES = 512 * 1024;

/** What is published, as programs read it. */
export async function checkStatusJson(context: VerifyContext, isLive: boolean): Promise<CheckOutcome> {
  const answer = await behindLogin(context, JSON_PATH);
  if ("outcome" in answer) return answer.outcome;
  const text = answer.response.body.toString("utf8");
  const names = recordsIn(answer.response.body, JSON_PATH, "streams").map((stream) => stream.name);
  if (text.includes(context.target.token.reveal())) return fail(`${JSON_PATH} holds the publish token`);
  if (isLive && !names.includes(context.stream)) return fail(`${JSON_PATH} does not have the stream that is live`);
  return pass(`${answer.said}, ${names.length} ${names.length === 1 ? "stream" : "streams"}`);
}

/** What Prometheus reads. */
export async function checkMetrics(context: VerifyContext, isLive: boolean): Promise<CheckOutcome> {
  if (context.target.metrics === undefined) {
    const { status } = await context.httpGet(webUrl(context.target, METRICS_PATH), { signal: context.signal });
    return status === 404
      ? skip("http_metrics is off")
      : fail(`${METRICS_PATH} answers ${status}, and http_metrics is off`);
  }
  const answer = await behindLogin(context, METRICS_PATH);
  if ("outcome" in answer) return answer.outcome;
  const { response } = answer;
  const type = response.headers["content-type"] ?? "none";
  if (!/^text\/plain; version=0\.0\.4\b/.test(type)) return fail(`${METRICS_PATH} is sent as ${type}`);
  if (response.body.length > MAX_BYTES) return fail(`${METRICS_PATH} has ${response.body.length} bytes`);
  try {
    const samples = parsePrometheusText(response.body.toString("utf8"));
    const up = samples.find(({ name, labels }) => name === "edge_stream_up" && labels.stream === context.stream);
    if (isLive && up?.value !== 1) return fail(`${METRICS_PATH} does not have the stream that is live`);
    return pass(`${answer.said}, ${samples.length} samples, ${response.body.length} bytes`);
  } catch (error) {
    return fail(`${METRICS_PATH} is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A page that nobody gets without the login, or whom http_metrics_allow names. */
async function behindLogin(
  { httpGet, signal, target }: VerifyContext,
  path: string,
): Promise<{ readonly response: HttpResponse; readonly said: string } | { readonly outcome: CheckOutcome }> {
  const url = webUrl(target, path);
  const open = await httpGet(url, { signal });
  if (open.status === 200 && target.metrics?.open) return { response: open, said: "200 by http_metrics_allow" };
  if (open.status === 200) return { outcome: fail(`${path} is open to everybody`) };
  if (open.status !== 401) return { outcome: fail(`${path} answers ${open.status} without a login, not 401`) };
  const headers = login(target.statusUser, target.statusPassword.reveal());
  const response = await httpGet(url, { headers, signal });
  if (response.status !== 200) return { outcome: fail(`${path} answers ${response.status} with the login`) };
  return { response, said: "401 without, 200 with login" };
}
