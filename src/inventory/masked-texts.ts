import type { Value } from "../playbook/types.js";
import { readPull } from "./settings/elsewhere.js";
import { settings } from "./settings/index.js";
import type { InventoryHost } from "./types.js";

const PASSWORDS = [
  "ansible_password",
  "ansible_ssh_pass",
  "ansible_ssh_password",
  "ansible_become_password",
  "ansible_become_pass",
];

/** Texts among a host's variables that no log, diff or event may show: tokens, passwords, generated secrets. */
export function maskedTexts(host: InventoryHost): readonly string[] {
  const isSecret = (kind: string) => kind === "token" || kind === "keys" || kind === "foreign-keys";
  const tokens = settings.filter((setting) => isSecret(setting.type.kind)).map((setting) => setting.name);
  const values = [...tokens, ...PASSWORDS, "edge_secrets"].map((name) => host.vars[name] ?? null);
  return [...new Set([...values.flatMap(textsOf), ...pullUrls(host.vars.pull ?? null)])].filter((text) => text !== "");
}

/** Addresses of sources hold their logins. */
function pullUrls(value: Value): string[] {
  const read = readPull(value);
  return read.ok ? read.items.map(({ url }) => url.reveal()) : textsOf(value);
}

function textsOf(value: Value): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}
