import { Secret } from "../util/secret.js";
import { type HostValue, hiddenTexts } from "./host-value.js";
import { settings } from "./settings/index.js";

/** Generated secrets by host, as group_vars/all/edge-secrets.yml has them. */
export const EDGE_SECRETS = "edge_secrets";

/** Connection variables that are passwords. */
export const PASSWORD_VARS: readonly string[] = [
  "ansible_password",
  "ansible_ssh_pass",
  "ansible_ssh_password",
  "ansible_become_password",
  "ansible_become_pass",
];

/** Settings that are secrets, or collections of them. */
export const secretSettings: readonly string[] = settings
  .filter(({ type: { kind } }) => kind === "token" || kind === "keys" || kind === "foreign-keys")
  .map((setting) => setting.name);

const hiddenVars = new Set([...secretSettings, ...PASSWORD_VARS, EDGE_SECRETS]);

/** A variable's value as the inventory keeps it: what is secret by its name is a Secret from here on. */
export function keptValue(name: string, value: HostValue): HostValue {
  if (hiddenVars.has(name)) return hiddenTexts(value);
  return name === "pull" && Array.isArray(value) ? (value as readonly HostValue[]).map(withHiddenUrl) : value;
}

/** Addresses of sources hold their logins. */
function withHiddenUrl(source: HostValue): HostValue {
  if (typeof source !== "object" || source === null || source instanceof Secret || Array.isArray(source)) return source;
  return Object.fromEntries(
    Object.entries(source as Readonly<Record<string, HostValue>>).map(([key, value]) => [
      key,
      key === "url" ? hiddenTexts(value) : value,
    ]),
  );
}
