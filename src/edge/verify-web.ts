import { type CheckOutcome, fail, pass } from "./check-list.js";
import type { HttpGetOptions, HttpResponse } from "./http-get.js";
import { addressIn, statusUrl } from "./urls.js";
import type { VerifyContext } from "./verify-context.js";

const MAX_REDIRECTS = 3;

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
    const next = addressIn(location, url);
    if (next.origin !== from.origin) return response;
    url = next;
  }
}
