import { type CheckOutcome, fail, judge, pass } from "./check-list.js";
import type { HttpResponse } from "./http-get.js";
import { addressIn, embedUrl, playerUrl, webUrl } from "./urls.js";
import type { VerifyContext } from "./verify-context.js";

/** A stream name that a careless page would run. */
const HOSTILE_NAME = `"><script>alert(1)</script>`;
/** More than the page has; a page that imports itself in circles ends here. */
const MAX_PARTS = 60;
/** Bytes of the page, and of a script of ours: ten times of what they have. */
const MAX_PAGE = 256 * 1024;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The page, all that it loads and its settings come from the edge itself, a hostile stream name is not written into it, it
 * may be framed at /embed, and the list of streams is there only where the operator wants it.
 */
export async function checkPlayer(context: VerifyContext): Promise<CheckOutcome> {
  const { target, stream } = context;
  if (target.player === false) return checkNoPlayer(context);
  const url = playerUrl(target, stream);
  const page = await get(context, url);
  if (page.status !== 200) return fail(`${url.pathname} answers ${page.status}`);
  const problems: string[] = [];
  if (!/^text\/html\b/.test(page.headers["content-type"] ?? "")) problems.push("the page is not text/html");
  const short = await get(context, webUrl(target, `/?stream=${stream}`));
  if (short.status !== 200) problems.push(`/?stream= answers ${short.status}`);
  const hostile = await get(context, playerUrl(target, HOSTILE_NAME));
  if (hostile.body.includes(HOSTILE_NAME)) problems.push("the page repeats a hostile stream name unescaped");
  const policy = page.headers["content-security-policy"] ?? "";
  if (!/\bscript-src 'self'/.test(policy) || /'unsafe-/.test(policy))
    problems.push("the page's Content-Security-Policy lets foreign scripts or styles in");
  if (page.body.length > MAX_PAGE) return fail(`${url.pathname} has ${page.body.length} bytes`);
  const { parts, wrong } = await loadParts(context, page.body.toString("utf8"), url);
  problems.push(...wrong, ...(await settingsProblems(context)), ...(await embedProblems(context)));
  problems.push(...(await listProblems(context)));
  return judge(problems, `200, ${parts} scripts and styles from the edge itself`);
}

async function checkNoPlayer(context: VerifyContext): Promise<CheckOutcome> {
  const { status } = await get(context, webUrl(context.target, "/"));
  return status === 404 ? pass("there is none (player: false)") : fail(`/ answers ${status}, not 404 (player: false)`);
}

function get({ httpGet, signal }: VerifyContext, url: URL): Promise<HttpResponse> {
  return httpGet(url, { signal });
}

/** Fetches what a page loads, and what its modules import. */
async function loadParts(context: VerifyContext, html: string, page: URL): Promise<{ parts: number; wrong: string[] }> {
  const wrong: string[] = [];
  const waiting = assetsOf(html, page);
  const seen = new Set<string>();
  for (let url = waiting.shift(); url !== undefined && seen.size < MAX_PARTS; url = waiting.shift()) {
    if (seen.has(url.href)) continue;
    seen.add(url.href);
    if (url.origin !== page.origin) {
      wrong.push(`the page loads ${url.href} from elsewhere`);
      continue;
    }
    const response = await get(context, url);
    const type = response.headers["content-type"] ?? "none";
    if (response.status !== 200) wrong.push(`${url.pathname} answers ${response.status}`);
    else if (!/javascript|css/.test(type)) wrong.push(`${url.pathname} is sent as ${type}`);
    // A library is one file.
    else if (response.body.length < MAX_PAGE && /javascript/.test(type) && !url.pathname.startsWith("/vendor/"))
      waiting.push(...importsOf(response.body.toString("utf8"), url));
  }
  return { parts: seen.size, wrong };
}

/**
 * What a page loads by `src` of scripts and `href` of stylesheets. The parts of the patterns are bounded, as a page that
 * begins tags and ends none would take hours else.
 */
function assetsOf(html: string, base: URL): URL[] {
  const scripts = html.matchAll(/<script\b[^>]{0,300}\bsrc\s{0,9}=\s{0,9}["']?([^"'\s>]{1,300})/gi);
  const styles = html.matchAll(
    /<link\b(?=[^>]{0,300}\bstylesheet\b)[^>]{0,300}\bhref\s{0,9}=\s{0,9}["']?([^"'\s>]{1,300})/gi,
  );
  return [...scripts, ...styles].map((match) => addressIn(match[1] ?? "", base));
}

function importsOf(script: string, base: URL): URL[] {
  return [...script.matchAll(/^import\b[^;]{0,1000}?"([^"]{1,300})";$/gm)].map((match) =>
    addressIn(match[1] ?? "", base),
  );
}

async function settingsProblems(context: VerifyContext): Promise<string[]> {
  const { status, body } = await get(context, webUrl(context.target, "/player.json"));
  if (status !== 200) return [`/player.json answers ${status}`];
  return typeof parseJson(body) === "object" ? [] : ["/player.json is not JSON"];
}

async function embedProblems(context: VerifyContext): Promise<string[]> {
  const { status, headers } = await get(context, embedUrl(context.target, context.stream));
  if (status !== 200) return [`/embed answers ${status}`];
  return /\bframe-ancestors \*/.test(headers["content-security-policy"] ?? "")
    ? []
    : ["other sites may not have /embed in a frame"];
}

/** Names alone, and only with player_stream_list. */
async function listProblems(context: VerifyContext): Promise<string[]> {
  const { status, body } = await get(context, webUrl(context.target, "/streams.json"));
  if (context.target.streamList !== true)
    return status === 200 ? ["/streams.json tells what is live, without player_stream_list"] : [];
  if (status !== 200) return [`/streams.json answers ${status}`];
  const answer = parseJson(body);
  const names = typeof answer === "object" && answer !== null && "streams" in answer ? answer.streams : undefined;
  const sound = Array.isArray(names) && names.every((name) => typeof name === "string" && NAME.test(name));
  return sound && Object.keys(answer as object).length === 1 ? [] : ["/streams.json is not a list of names alone"];
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
