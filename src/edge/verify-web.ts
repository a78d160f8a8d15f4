import { type CheckOutcome, fail, judge, pass } from "./check-list.js";
import type { HttpGetOptions, HttpResponse } from "./http-get.js";
import { playerUrl, statusUrl, webUrl } from "./urls.js";
import type { VerifyContext } from "./verify-context.js";

/** A stream name that a careless page would run. */
const HOSTILE_NAME = `"><script>alert(1)</script>`;
const MAX_REDIRECTS = 3;

/** The page, its scripts and styles come from the edge itself, and a hostile stream name is not written into it. */
export async function checkPlayer(context: VerifyContext): Promise<CheckOutcome> {
  const { target, httpGet, signal, stream } = context;
  const url = playerUrl(target, stream);
  const page = await httpGet(url, { signal });
  if (page.status !== 200) return fail(`${url.pathname} answers ${page.status}`);
  const problems: string[] = [];
  if (!/^text\/html\b/.test(page.headers["content-type"] ?? "")) problems.push("the page is not text/html");
  const short = await httpGet(webUrl(target, `/?stream=${stream}`), { signal });
  if (short.status !== 200) problems.push(`/?stream= answers ${short.status}`);
  const hostile = await httpGet(playerUrl(target, HOSTILE_NAME), { signal });
  if (hostile.body.includes(HOSTILE_NAME)) problems.push("the page repeats a hostile stream name unescaped");
  const parts = assetsOf(page.body.toString("utf8"), url);
  for (const part of parts) problems.push(...(await assetProblems(context, part)));
  return judge(problems, `200, ${parts.length} scripts and styles from the edge itself`);
}

/** Refuses without a login and with a wrong one, answers with the right one. */
export async function checkStatus(context: VerifyContext): Promise<CheckOutcome> {
  const { target } = context;
  const open = await follow(context, statusUrl(target), {});
  if (open.status === 200) return fail("the status page is open to everybody");
  if (open.status !== 401) return fail(`${statusUrl(target).pathname} answers ${open.status} without a login, not 401`);
  const wrong = await follow(context, statusUrl(target), login(target.statusUser, "wrong"));
  if (wrong.status !== 401) return fail(`a wrong password is answered by ${wrong.status}, not 401`);
  const right = await follow(context, statusUrl(target), login(target.statusUser, target.statusPassword.reveal()));
  if (right.status === 401)
    return fail("the login is refused", "the password in the inventory is not the one on the host");
  if (right.status !== 200) return fail(`the status page answers ${right.status}`);
  return pass("401 without, 200 with login");
}

export function login(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

/** GET that follows redirects on the edge itself; a login is sent nowhere else. */
async function follow(
  context: VerifyContext,
  from: URL,
  headers: HttpGetOptions["headers"] = {},
): Promise<HttpResponse> {
  let url = from;
  for (let turn = 0; ; turn++) {
    const response = await context.httpGet(url, { headers, signal: context.signal });
    const location = response.headers.location;
    if (response.status < 300 || response.status > 399 || location === undefined || turn === MAX_REDIRECTS)
      return response;
    const next = new URL(location, url);
    if (next.origin !== from.origin) return response;
    url = next;
  }
}

/** What a page loads by `src` of scripts and `href` of stylesheets. */
function assetsOf(html: string, base: URL): URL[] {
  const scripts = html.matchAll(/<script\b[^>]*\bsrc\s*=\s*["']?([^"'\s>]+)/gi);
  const styles = html.matchAll(/<link\b(?=[^>]*\bstylesheet\b)[^>]*\bhref\s*=\s*["']?([^"'\s>]+)/gi);
  return [...scripts, ...styles].map((match) => new URL(match[1] ?? "", base));
}

async function assetProblems({ httpGet, signal, target }: VerifyContext, url: URL): Promise<string[]> {
  if (url.origin !== webUrl(target, "/").origin) return [`the page loads ${url.href} from elsewhere`];
  const response = await httpGet(url, { signal });
  if (response.status !== 200) return [`${url.pathname} answers ${response.status}`];
  const type = response.headers["content-type"] ?? "none";
  return /javascript|css/.test(type) ? [] : [`${url.pathname} is sent as ${type}`];
}
