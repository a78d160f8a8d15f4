import t from "tap";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { validateSettings } from "../../../src/inventory/settings/validate.js";
import { memoryReaders } from "./fixtures/helpers.js";

/** What is said about the settings of one host, without where. */
async function problemsOf(variables: string): Promise<string[]> {
  const text = `edges:\n  hosts:\n    pi: {}\n  vars: ${variables}\n`;
  const inventory = await loadInventory("e.yml", { readers: memoryReaders({ "e.yml": text }) });
  return inventory.hosts.flatMap(validateSettings).map(({ message, hint }) => `${message} (${hint})`);
}

const NAMES = "https: true, https_cert_domain: [live.example.org]";
const OWN = "https: true, tls_certificate: a.pem, tls_key: k.pem";

const bad: readonly (readonly [variables: string, said: RegExp])[] = [
  ["{https_cert_mail: ops@example.org}", /^https_cert_mail has no effect without https \(write https: true, or remove/],
  ["{https_hsts: 24h}", /^https_hsts has no effect without https /],
  ["{https_cert_domain: [live.example.org]}", /^https_cert_domain has no effect without https /],
  ["{https_cert_domain: 'a.example.org,b.example.org', https: true}", /not a list of host names and IP addresses/],
  ["{https: true, https_cert_domain: [a.example.org, a.example.org]}", /the item "a.example.org" twice/],
  ['{https: true, https_cert_domain: ["*.example.org"]}', /is proven in the DNS and not by a web server \(write each/],
  ["{https: true, https_cert_domain: [live]}", /that is neither a host name of the DNS nor an IP address/],
  [`{${NAMES}, https_acme_server: "http://ca.example.org/"}`, /https_acme_server is "http:.*", not an `?https:/],
  [`{${NAMES}, https_acme_ca: ca.pem}`, /^https_acme_ca has no effect without https_acme_server /],
  [`{${NAMES}, https_staging: true, https_acme_server: "https://ca.example.org/"}`, /names another CA/],
  ["{https: true, https_cert_mail: ops@example.org}", /^https_cert_mail has no effect without https_cert_domain /],
  ["{https: true, https_staging: true}", /^https_staging has no effect without https_cert_domain /],
  ["{https: true, tls_certificate: a.pem}", /^tls_certificate has no effect without tls_key /],
  ["{https: true, tls_key: k.pem}", /^tls_key has no effect without tls_certificate /],
  ["{https: true, tls_certificate: a'b, tls_key: k.pem}", /^tls_certificate is "a'b", not a path of a file/],
  [`{${OWN}, https_staging: true}`, /^https_staging has no effect with tls_certificate: no CA is asked/],
  ["{https: true, https_hsts: 24h}", /^https_hsts forbids browsers every exception/],
  [`{${NAMES}, https_staging: true, https_hsts: 24h}`, /^https_hsts forbids browsers every exception/],
  [
    `{${NAMES}, public_name: tv.example.org}`,
    /^public_name tv.example.org is not among the names of https_cert_domain/,
  ],
  [
    "{https: true, player_watermark_source: http://example.org/a.png}",
    /which browsers do not load into a page of HTTPS/,
  ],
  ["{https: true, https_cert_domain: [192.0.2.7], https_cert_profile: classic}", /as shortlived alone/],
  ["{https: true, https_server_port: 80}", /^https_server_port and http_server_port are both 80/],
];

for (const [variables, said] of bad) t.test(variables, async (t) => t.match(await problemsOf(variables), [said]));

t.test("what goes together", async (t) => {
  const good = [
    "{https: true}",
    `{${NAMES}}`,
    `{${NAMES}, https_cert_mail: ops@example.org, https_hsts: 4320h, public_name: live.example.org}`,
    `{${NAMES}, https_acme_server: "https://ca.example.org:14000/acme/dir", https_acme_ca: private/ca.pem}`,
    '{https: true, https_cert_domain: [192.0.2.7, "2001:db8::7", Live.Example.org]}',
    `{${OWN}, https_hsts: 24h, public_name: tv.example.org}`,
    `{${OWN}, https_cert_domain: [live.example.org]}`,
  ];
  for (const variables of good) t.strictSame(await problemsOf(variables), [], variables);
});
