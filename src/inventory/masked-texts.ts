import { createHash } from "node:crypto";
import { secretsIn } from "./host-value.js";
import type { HostSettings } from "./settings/resolve.js";
import type { InventoryHost } from "./types.js";

/** Texts that no log, diff or event may show: the secrets of a host, and what its tasks make of them. */
export function maskedTexts(host: InventoryHost, settings?: HostSettings): readonly string[] {
  const own = Object.values(host.vars).flatMap(secretsIn);
  const texts = [...own.map((secret) => secret.reveal()), ...(settings === undefined ? [] : derivedTexts(settings))];
  return [...new Set(texts)].filter((text) => text !== "");
}

/** As playbooks/vars/derived.yml computes them: secrets of the relay and of sources, and the login of /status as it is sent. */
function derivedTexts({ values }: HostSettings): string[] {
  const { rtmp_publish_token: token, http_status_password: password, http_status_username: user } = values;
  const login = password === undefined ? [] : [Buffer.from(`${user}:${password.reveal()}`).toString("base64")];
  if (token === undefined) return login;
  const seeds = ["edge relay", ...values.pull.map(({ name }) => `edge pull ${name}`)];
  return [...login, ...seeds.map((seed) => sha256(`${seed} ${token.reveal()}`))];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
