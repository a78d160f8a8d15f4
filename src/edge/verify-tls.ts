import { certificateLabel, daysLeft, type EdgeCertificate, isFor, isLate } from "./certificate.js";
import { type CheckOutcome, fail, pass, warn } from "./check-list.js";
import type { Route } from "./dial.js";
import { createHttpGet, fingerprintOf, tlsOver } from "./http-get.js";
import { webUrl } from "./urls.js";
import type { EdgeTarget, VerifyContext } from "./verify-context.js";

const HSTS = "strict-transport-security";
const CHALLENGE = "/.well-known/acme-challenge/edge-verify";

/** The checks of HTTPS, where it is on. */
export function tlsChecks({ tls }: EdgeTarget) {
  if (tls === undefined) return [];
  const certificate = {
    id: "certificate",
    title: "the certificate is good, for the edge's name, and is what is shown",
  };
  const redirect = tls.redirects
    ? { id: "https-redirect", title: "plain HTTP leads to HTTPS, but for CAs" }
    : { id: "https-redirect", title: "plain HTTP is there beside HTTPS" };
  return [
    { ref: certificate, run: checkCertificate },
    { ref: redirect, run: checkPlainHttp },
  ];
}

async function checkCertificate(context: VerifyContext): Promise<CheckOutcome> {
  const { target } = context;
  const route = await context.routeTo(target.httpsPort);
  if (route.kind === "none") return fail(route.obstacle);
  const host = webUrl(target, "/").hostname;
  const shown = await look(route, host);
  const noted = target.tls?.certificate;
  if (noted === undefined)
    return fail("the host notes nothing of its certificate", "`edge-setup apply` puts one in place");
  if (shown.fingerprint !== noted.fingerprint)
    return fail("another certificate is shown than the one that the host has", "`edge-setup apply` has it taken up");
  const hsts = (await context.httpGet(webUrl(target, "/"), { signal: context.signal })).headers[HSTS];
  const wanted = target.tls?.hstsMs ? `max-age=${Math.floor(target.tls.hstsMs / 1000)}` : undefined;
  if (hsts !== wanted) return fail(`Strict-Transport-Security is ${hsts ?? "not sent"}, not ${wanted ?? "left out"}`);
  return judge(noted, shown, host);
}

interface Shown {
  readonly fingerprint: string;
  /** Why this machine does not trust it; undefined when it does. */
  readonly distrust: string | undefined;
  readonly http2: boolean;
  readonly protocol: string;
}

/** What is shown to a browser. */
async function look(route: Route, host: string): Promise<Shown> {
  const stream = await route.open();
  const secure = await tlsOver(stream, host, { rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] });
  try {
    const distrust = secure.authorized ? undefined : String(secure.authorizationError);
    const [http2, protocol] = [secure.alpnProtocol === "h2", secure.getProtocol() ?? "TLS"];
    return { fingerprint: fingerprintOf(secure), distrust, http2, protocol };
  } finally {
    secure.destroy();
    stream.destroy();
  }
}

function judge(certificate: EdgeCertificate, { http2, protocol, distrust }: Shown, host: string): CheckOutcome {
  const now = Date.now();
  const days = daysLeft(certificate, now);
  const label = certificateLabel(certificate);
  if (certificate.notAfter < now) return fail(`it ended ${-days} days ago`, "`edge-setup apply` asks for another one");
  if (!isFor(certificate, host)) return fail(`it is for ${certificate.names.join(", ")}, and not for ${host}`);
  if (!http2) return fail("HTTP/2 is not spoken");
  const words = `${label}, for ${certificate.names.join(", ")}, ${days} days left; ${protocol}, HTTP/2`;
  if (isLate(certificate, now)) return warn(words, "it should have been renewed: `edge-setup certs` tells more");
  if (certificate.standsIn) return warn(words, "the CA has not given one: `edge-setup apply` says why");
  if (certificate.kind === "self-signed") return pass(`${words}; browsers ask before they take it`);
  if (certificate.staging) return warn(words, "no browser trusts it: apply without --staging");
  return distrust === undefined ? pass(words) : warn(`${words}; this machine does not trust it (${distrust})`);
}

async function checkPlainHttp(context: VerifyContext): Promise<CheckOutcome> {
  const { target, signal } = context;
  const plain = { ...target, https: false };
  const route = await context.routeTo(target.httpPort);
  if (route.kind === "none")
    return fail(`port ${target.httpPort}: ${route.obstacle}`, "CAs ask there, and people type it");
  const get = createHttpGet(route.open);
  const challenge = await get(webUrl(plain, CHALLENGE), { signal });
  if (challenge.status !== 404)
    return fail(`${CHALLENGE} answers ${challenge.status}, not 404: no CA could prove the name`);
  const { status, headers } = await get(webUrl(plain, "/embed?stream=edge"), { signal });
  if (!target.tls?.redirects)
    return status === 308 ? fail("it leads to HTTPS, and https_redirect is off") : pass(`answers ${status}`);
  const wanted = new URL("/embed?stream=edge", webUrl({ ...target, webHost: target.host }, "/")).href;
  return status === 308 && headers.location === wanted
    ? pass(`308 to ${wanted}`)
    : fail(`answers ${status}${headers.location === undefined ? "" : ` to ${headers.location}`}, not 308 to ${wanted}`);
}
