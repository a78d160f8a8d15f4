/** `vars_prompt`: variables that a play asks for. */
import { randomBytes } from "node:crypto";
import { IDENTIFIER, type LoadContext } from "./load-context.js";
import { fieldsOf } from "./load-tasks.js";
import { fromValue, str } from "./python-values.js";
import { renderValue } from "./render.js";
import { sha256Crypt, sha512Crypt } from "./sha-crypt.js";
import type { Value, VarsPrompt } from "./types.js";
import type { YamlNode } from "./yaml-nodes.js";

const KEYS = ["name", "prompt", "default", "private", "confirm", "encrypt", "salt_size", "salt", "unsafe"];
const CRYPTS: Readonly<Record<string, typeof sha512Crypt>> = { sha512_crypt: sha512Crypt, sha256_crypt: sha256Crypt };
const SALT = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SALT_SIZE = 16;

/** The texts may hold variables of the play and of `-e`. */
export function readPrompts(node: YamlNode, context: LoadContext): VarsPrompt[] {
  const entries = node.kind === "map" ? [node] : context.list(node, "vars_prompt");
  return entries.flatMap((entry) => readPrompt(entry, context) ?? []);
}

function readPrompt(entry: YamlNode, context: LoadContext): VarsPrompt | undefined {
  const map = context.map(entry, "an entry of vars_prompt");
  const fields = fieldsOf(map);
  for (const { key, position } of map.entries) {
    if (!KEYS.includes(key)) context.unknown("key of vars_prompt", key, position, KEYS);
  }
  const value = (key: string): Value => {
    const found = fields.get(key)?.value;
    return (found && context.attempt(() => renderValue(context.templated(found), context.known))) ?? null;
  };
  const flag = (key: string, otherwise: boolean): boolean => {
    const found = fields.get(key)?.value;
    return found === undefined ? otherwise : context.bool(found, key);
  };
  const named = fields.get("name");
  const name = named === undefined ? "" : context.text(named.value, "name");
  if (named === undefined || !IDENTIFIER.test(name)) {
    const { position } = named?.value ?? map;
    context.problem(position, "an entry of vars_prompt needs the name of a variable", "Add `name: NAME`.");
    return undefined;
  }
  const [prompt, otherwise] = [value("prompt"), value("default")];
  const encrypt = readCrypt(fields.get("encrypt")?.value, value("salt"), value("salt_size"), context);
  return {
    name,
    position: named.value.position,
    question: prompt === null ? name : str(fromValue(prompt)),
    ...(otherwise === null ? {} : { otherwise: str(fromValue(otherwise)) }),
    isPrivate: flag("private", true),
    confirm: flag("confirm", false),
    ...(encrypt === undefined ? {} : { encrypt }),
    unsafe: flag("unsafe", false),
  };
}

function readCrypt(
  node: YamlNode | undefined,
  salt: Value,
  size: Value,
  context: LoadContext,
): VarsPrompt["encrypt"] | undefined {
  if (node === undefined || (node.kind === "scalar" && node.value === null)) return undefined;
  const name = context.text(node, "encrypt");
  const crypt = Object.hasOwn(CRYPTS, name) ? CRYPTS[name] : undefined;
  if (crypt !== undefined) {
    const length = size === null ? SALT_SIZE : Number(size);
    return (answer) => crypt(answer, salt === null ? newSalt(length) : str(fromValue(salt)));
  }
  context.problem(node.position, `encrypt knows ${Object.keys(CRYPTS).join(" and ")}, not "${name}"`);
  return undefined;
}

function newSalt(length: number): string {
  return [...randomBytes(length)].map((byte) => SALT[byte % SALT.length]).join("");
}
