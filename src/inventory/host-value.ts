import { isPossiblyTemplate } from "../playbook/template-parser.js";
import type { Value } from "../playbook/types.js";
import { Secret } from "../util/secret.js";
import { VaultSecret } from "./vault/vault-secret.js";

/** A value of the inventory: as in YAML, with Secrets in the place of texts that must stay hidden. */
export type HostValue =
  | null
  | boolean
  | number
  | string
  | Secret
  | readonly HostValue[]
  | { readonly [key: string]: HostValue };

/** The value with its secrets in the clear, for what reads or renders it. */
export function revealed(value: HostValue): Value {
  if (value instanceof Secret) return value.reveal();
  return mapParts(value, revealed) as Value;
}

export function revealedVars(vars: Readonly<Record<string, HostValue>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, revealed(value)]));
}

/** Every text of the value hidden. */
export function hidden(value: HostValue): HostValue {
  if (typeof value === "string") return value === "" ? value : new Secret(value);
  return value instanceof Secret ? value : mapParts(value, hidden);
}

/** Every text of the value hidden but templates: these are not secret, what they give is. */
export function hiddenTexts(value: HostValue): HostValue {
  if (typeof value === "string") return isPossiblyTemplate(value) ? value : hidden(value);
  return value instanceof Secret ? value : mapParts(value, hiddenTexts);
}

/** The secrets in a value, those of its parts too. */
export function secretsIn(value: HostValue): Secret[] {
  if (value instanceof Secret) return [value];
  return isScalar(value) ? [] : Object.values(value).flatMap(secretsIn);
}

export function vaultSecretsIn(value: HostValue): VaultSecret[] {
  return secretsIn(value).filter((secret) => secret instanceof VaultSecret);
}

/** Whether a text of the value is a template. */
export function hasTemplate(value: HostValue): boolean {
  if (typeof value === "string") return isPossiblyTemplate(value);
  return value instanceof Secret || isScalar(value) ? false : Object.values(value).some(hasTemplate);
}

/** A collection of the same form, each of its parts mapped; anything else as it is. */
function mapParts(value: Exclude<HostValue, Secret>, map: (part: HostValue) => HostValue): HostValue {
  if (isScalar(value)) return value;
  if (Array.isArray(value)) return (value as readonly HostValue[]).map(map);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, map(part)]));
}

function isScalar(value: Exclude<HostValue, Secret>): value is null | boolean | number | string {
  return typeof value !== "object" || value === null;
}
