import type { Setting } from "./types.js";

export const httpsSettings = [
  {
    name: "https",
    type: { kind: "bool" },
    default: false,
    predecessor: { name: "HTTPS_SERVER", default: "false" },
    directive: "none yet (listen ssl)",
    doc: "Player and playlists over HTTPS, with a certificate of Let's Encrypt.",
    status: { kind: "corrected", why: "it asked for a new certificate at every start and cut every stream at renewal" },
    later: "HTTPS",
  },
  {
    name: "https_server_port",
    type: { kind: "port" },
    default: 443,
    predecessor: { name: "HTTPS_SERVER_PORT", default: "443" },
    directive: "none yet (listen ssl)",
    doc: "TCP port of HTTPS.",
    status: { kind: "taken" },
    later: "HTTPS",
  },
  {
    name: "https_cert_mail",
    type: { kind: "email" },
    default: undefined,
    predecessor: { name: "HTTPS_CERT_MAIL", default: "admin@example.org" },
    directive: "none yet (certbot --email)",
    doc: "Where Let's Encrypt writes when a certificate is about to expire.",
    status: { kind: "corrected", why: "the example address was a default; there is none now" },
    later: "HTTPS",
  },
  {
    name: "https_cert_domain",
    type: { kind: "hostnames" },
    default: [],
    predecessor: { name: "HTTPS_CERT_DOMAIN", default: "example.org" },
    directive: "none yet (certbot --domain, server_name)",
    doc: "Names of the edge in the DNS that the certificate holds, as a list.",
    status: { kind: "corrected", why: "it was a comma-separated text with an example as default; it is a list now" },
    later: "HTTPS",
  },
] as const satisfies readonly Setting[];
