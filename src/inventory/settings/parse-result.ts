import type { Value } from "../../playbook/types.js";
import type { Secret } from "../../util/secret.js";
import { describeType } from "./docs-page.js";
import type { PullSource, PushTarget } from "./elsewhere.js";
import type { Profile, SettingType } from "./types.js";

/** What a value of a type is once parsed: ms for times, bytes for sizes, Secret for tokens. */
export type Parsed<T extends SettingType> = T extends { kind: "port" | "int" | "duration" | "size" }
  ? number
  : T extends { kind: "count" }
    ? number | "auto"
    : T extends { kind: "bool" }
      ? boolean
      : T extends { kind: "token" }
        ? Secret
        : T extends { kind: "cert-names" | "networks" | "profile-names" | "streams" }
          ? readonly string[]
          : T extends { kind: "keys" | "foreign-keys" }
            ? Readonly<Record<string, Secret>>
            : T extends { kind: "push" }
              ? readonly PushTarget[]
              : T extends { kind: "pull" }
                ? readonly PullSource[]
                : T extends { kind: "profiles" }
                  ? Readonly<Record<string, Profile>>
                  : string;

export type ParseResult =
  | { readonly ok: true; readonly value: Parsed<SettingType> }
  | {
      readonly ok: false;
      readonly code: "E_SETTING_TYPE" | "E_SETTING_RANGE";
      readonly problem: string;
      readonly hint?: string;
    };

/** The value is sound. */
export function ok(value: Parsed<SettingType>): ParseResult {
  return { ok: true, value };
}

/** The value is of another type. */
export function wrong(type: SettingType, value: Value, hint?: string): ParseResult {
  return fail("E_SETTING_TYPE", `is ${show(value)}, not ${inWords(type)}`, hint);
}

/** The type as the end of "is X, not ...". */
function inWords(type: SettingType): string {
  const text = describeType(type).replaceAll("`", "");
  switch (type.kind) {
    case "port":
    case "int":
    case "duration":
    case "size":
      return `a ${text.replace(" ", " from ")}`;
    case "count":
      return text.replace("number ", "a number from ");
    case "bool":
      return "true or false";
    case "enum":
      return `one of ${text}`;
    case "origin":
    case "username":
    case "token":
      return text;
    case "email":
    case "url":
    case "https-url":
      return `an ${text}`;
    case "hostname":
    case "host":
    case "cert-names":
    case "file":
    case "networks":
    case "streams":
    case "keys":
    case "foreign-keys":
    case "push":
    case "pull":
    case "profile-names":
    case "profiles":
    case "colour":
    case "analytics":
    case "version":
      return `a ${text}`;
  }
}

/** The value is of the type, and beyond its limits. */
export function outOfRange(text: string, range: string): ParseResult {
  return fail("E_SETTING_RANGE", `is ${text}, outside ${range}`);
}

/** @param problem the end of "SETTING ..." */
export function fail(code: "E_SETTING_TYPE" | "E_SETTING_RANGE", problem: string, hint?: string): ParseResult {
  return { ok: false, code, problem, ...(hint === undefined ? {} : { hint }) };
}

/** A value in a message, shortened. */
export function show(value: Value): string {
  if (value === null) return "empty";
  const text = typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
