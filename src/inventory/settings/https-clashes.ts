import { isIP } from "node:net";
import type { Clash } from "./combinations.js";
import { httpsSettings } from "./https.js";
import type { SettingName } from "./index.js";
import { defaultValue, type SettingValues } from "./parse.js";

/** Where an edge's certificate comes from, as edge_certificate_kind of playbooks/vars/derived.yml. */
export type CertificateKind = "own" | "acme" | "self-signed";

/** Whether anything on the edge shows a certificate, as edge_tls of playbooks/vars/derived.yml. */
export function showsCertificate(values: SettingValues): boolean {
  return values.https || values.rtmps;
}

export function certificateKind(values: SettingValues): CertificateKind {
  if (values.tls_certificate !== undefined) return "own";
  return values.https_cert_domain.length > 0 ? "acme" : "self-signed";
}

/** Settings of the way that a certificate is asked for. */
const OF_THE_CA = [
  "https_cert_mail",
  "https_cert_profile",
  "https_staging",
  "https_acme_server",
  "https_acme_ca",
  "https_dns_check",
] as const;
const OF_THE_LISTENER = ["https_server_port", "https_redirect", "https_hsts"] as const;

/** What the settings of HTTPS cannot do together, or without what they belong to. */
export function httpsClashes(values: SettingValues): Clash[] {
  const isGiven = (name: (typeof httpsSettings)[number]["name"]) => {
    const setting = httpsSettings.find((one) => one.name === name);
    return setting !== undefined && JSON.stringify(values[name]) !== JSON.stringify(defaultValue(setting));
  };
  const ofTheCa = OF_THE_CA.filter(isGiven);
  const certificate = [...(["https_cert_domain", "tls_certificate", "tls_key"] as const).filter(isGiven), ...ofTheCa];
  const idle = [
    ...(showsCertificate(values) ? [] : certificate),
    ...(values.https ? [] : OF_THE_LISTENER.filter(isGiven)),
  ];
  if (idle.length > 0) return idle.map((name) => without(name, "https", "write https: true"));
  const kind = certificateKind(values);
  return [
    ...pairClashes(values),
    ...(kind === "own" ? ofTheCa.map(besideOwn) : []),
    ...(kind === "self-signed" ? ofTheCa.map((name) => without(name, "https_cert_domain", "give the names")) : []),
    ...caClashes(values),
    ...trustClashes(values, kind),
  ];
}

function pairClashes({ tls_certificate, tls_key }: SettingValues): Clash[] {
  if (tls_certificate !== undefined && tls_key === undefined)
    return [without("tls_certificate", "tls_key", "give the file of its private key")];
  if (tls_certificate === undefined && tls_key !== undefined)
    return [without("tls_key", "tls_certificate", "give the certificate's file")];
  return [];
}

function caClashes(values: SettingValues): Clash[] {
  const { https_staging: staging, https_acme_server: server, https_acme_ca: ca } = values;
  if (staging && server !== undefined)
    return [
      {
        names: ["https_staging", "https_acme_server"],
        message: "https_staging is Let's Encrypt's, and https_acme_server names another CA",
        hint: "remove one of them",
      },
    ];
  if (ca !== undefined && server === undefined)
    return [without("https_acme_ca", "https_acme_server", "give the CA's directory")];
  const { https_cert_profile: profile, https_cert_domain: names } = values;
  const address = names.find((name) => isIP(name) !== 0);
  if (address !== undefined && server === undefined && profile !== "auto" && profile !== "shortlived")
    return [
      {
        names: ["https_cert_profile", "https_cert_domain"],
        message: `https_cert_profile is ${profile}, and Let's Encrypt gives certificates for addresses (${address}) as shortlived alone`,
        hint: "write https_cert_profile: shortlived, or remove it",
      },
    ];
  return [];
}

/** What goes wrong in browsers rather than here. */
function trustClashes(values: SettingValues, kind: CertificateKind): Clash[] {
  const clashes: Clash[] = [];
  if (values.https_hsts > 0 && (kind === "self-signed" || values.https_staging))
    clashes.push({
      names: ["https_hsts", kind === "self-signed" ? "https_cert_domain" : "https_staging"],
      message:
        "https_hsts forbids browsers every exception, and they trust no certificate that is self-signed or of staging",
      hint: "remove it until the edge has a certificate that browsers trust",
    });
  const { public_name: shown, https_cert_domain: names } = values;
  if (values.https && shown !== undefined && kind !== "self-signed" && !coveredBy(names, shown, kind))
    clashes.push({
      names: ["public_name", "https_cert_domain"],
      message: `public_name ${shown} is not among the names of https_cert_domain: browsers would not take the certificate for it`,
      hint: `add ${shown} to https_cert_domain`,
    });
  const picture = values.player_watermark_source;
  if (values.https && picture?.startsWith("http:"))
    clashes.push({
      names: ["player_watermark_source", "https"],
      message: "player_watermark_source is a plain http address, which browsers do not load into a page of HTTPS",
      hint: "give an https address, or a path on the edge such as /logo.png",
    });
  return clashes;
}

/** What an own certificate holds is looked at when its file is read. */
function coveredBy(names: readonly string[], shown: string, kind: CertificateKind): boolean {
  return names.includes(shown.toLowerCase()) || (kind === "own" && names.length === 0);
}

function without(name: SettingName, needs: SettingName, remedy: string): Clash {
  return {
    names: [name, needs],
    message: `${name} has no effect without ${needs}`,
    hint: `${remedy}, or remove ${name}`,
  };
}

function besideOwn(name: SettingName): Clash {
  return {
    names: [name, "tls_certificate"],
    message: `${name} has no effect with tls_certificate: no CA is asked`,
    hint: "remove one of them",
  };
}
