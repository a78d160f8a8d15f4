/**
 * The run-time values of templates, as Python has them. JSON has one kind of number and of list; Python prints `2.0`
 * and `2`, `(1,)` and `[1]` differently, and templates print. Only what a Value cannot say gets a class here.
 */
import type { Position } from "../util/errors.js";
import type { Value } from "./types.js";

/** A float without a fraction: `4 / 2` prints 2.0. Floats with a fraction are plain numbers. */
export class PyFloat {
  constructor(readonly value: number) {}
}

/** A tuple: prints with parentheses, and differs from the list of the same items. */
export class Tuple extends Array<Rt> {
  /** map and filter of a tuple give lists, as in Python. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static of2(items: Iterable<Rt>): Tuple {
    const tuple = new Tuple();
    for (const item of items) tuple.push(item);
    return tuple;
  }
}

/** What `groupby` gives: a tuple whose items have names, too. */
export class GroupTuple extends Tuple {
  static override of2(items: Iterable<Rt>): GroupTuple {
    const tuple = new GroupTuple();
    for (const item of items) tuple.push(item);
    return tuple;
  }

  /** The place of a name; undefined for any other. */
  static placeOf(name: string | undefined): number | undefined {
    return name === "grouper" ? 0 : name === "list" ? 1 : undefined;
  }
}

/** Text that Ansible never turns into a list, dict or bool: what `to_json` and `string` give. */
export class NativeText {
  constructor(readonly text: string) {}
}

/** An undefined variable or attribute. It may be passed to `default` and `is defined`; any other use is an error. */
export class Undefined {
  /** @param name the variable at the root of it, when a whole variable is undefined; position of its use, when known */
  constructor(
    readonly message: string,
    readonly name?: string | undefined,
    readonly position?: Position | undefined,
    /** What `x if false` without an else gives: it prints as nothing and is false. */
    readonly lenient = false,
  ) {}
}

/** What `range()`, `.keys()`, `.values()` and `.items()` give: good for iterating, turned into a list when printed. */
export class View {
  /** @param sequence a range can be asked for its length and elements, the views of a dict cannot */
  constructor(
    readonly items: readonly Rt[],
    readonly sequence = false,
  ) {}
}

/** What a template can name and ask for attributes, and what is no value: a macro, `loop`, a namespace. */
export abstract class Opaque {
  abstract readonly typeName: string;

  /** undefined where there is none */
  attribute(_name: string): Rt | undefined {
    return undefined;
  }

  /** @throws ValueProblem for what cannot be called */
  call(_args: readonly Rt[], _named: Readonly<Record<string, Rt>>): Rt {
    throw new ValueProblem(`a ${this.typeName} cannot be called`);
  }
}

/** A dict whose values are computed when they are asked for. */
export abstract class LazyDict extends Opaque {
  abstract keys(): string[];

  /** With all its values. @throws for one that cannot be computed */
  whole(): Dict {
    return makeDict(this.keys().map((key) => [key, this.attribute(key) ?? null]));
  }
}

export type Dict = { readonly [key: string]: Rt };
export type Rt =
  | null
  | boolean
  | number
  | string
  | PyFloat
  | NativeText
  | Undefined
  | View
  | Opaque
  | readonly Rt[]
  | { readonly [key: string]: Rt };

/** A problem with a value; whoever knows the place turns it into an InputError. */
export class ValueProblem extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

/** Use of an undefined value. */
export class UndefinedProblem extends ValueProblem {
  constructor(readonly undefinedValue: Undefined) {
    super(undefinedValue.message);
  }
}

export function isDict(value: Rt): value is Dict {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(
      value instanceof PyFloat ||
      value instanceof NativeText ||
      value instanceof Undefined ||
      value instanceof View ||
      value instanceof Opaque
    )
  );
}

export function isList(value: Rt): value is readonly Rt[] {
  return Array.isArray(value);
}

/** The text of a str, or undefined when it is none. */
export function asText(value: Rt): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof NativeText ? value.text : undefined;
}

export function makeFloat(value: number): Rt {
  if (!Number.isFinite(value)) throw new ValueProblem("the result is not a finite number");
  return Number.isInteger(value) ? new PyFloat(value) : value;
}

export function makeInt(value: number): number {
  if (!Number.isSafeInteger(value)) throw new ValueProblem("the number is too large to be computed exactly");
  return value === 0 ? 0 : value;
}

/** A dict of string keys, in order. JavaScript would move keys such as "80" to the front, so those must stand there. */
export function makeDict(entries: Iterable<readonly [string, Rt]>): Dict {
  const result: Record<string, Rt> = {};
  const order = new Set<string>();
  for (const [key, value] of entries) {
    if (key === "__proto__") throw new ValueProblem('the key "__proto__" is not allowed');
    order.add(key);
    result[key] = value;
  }
  const kept = Object.keys(result);
  let index = 0;
  for (const key of order) {
    if (kept[index++] !== key)
      throw new ValueProblem(`the key "${key}" is a number, and its place in the dict cannot be kept`);
  }
  return result;
}

/** The number behind an int, float or bool, or undefined. */
export function asNumber(value: Rt): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  return value instanceof PyFloat ? value.value : undefined;
}

export function isFloat(value: Rt): boolean {
  return value instanceof PyFloat || (typeof value === "number" && !Number.isInteger(value));
}

/** Python's name of the type, for messages. */
export function typeName(value: Rt): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (isFloat(value)) return "float";
  if (typeof value === "number") return "int";
  if (asText(value) !== undefined) return "str";
  if (value instanceof Tuple) return "tuple";
  if (isList(value)) return "list";
  if (value instanceof Undefined) return "undefined";
  if (value instanceof Opaque) return value.typeName;
  return value instanceof View ? "view" : "dict";
}

export function truthy(value: Rt): boolean {
  if (value instanceof Undefined) {
    if (value.lenient) return false;
    throw new UndefinedProblem(value);
  }
  const number = asNumber(value);
  if (number !== undefined) return number !== 0;
  const text = asText(value);
  if (text !== undefined) return text !== "";
  if (value === null) return false;
  if (value instanceof Opaque) return true;
  if (isList(value)) return value.length > 0;
  if (value instanceof View) return value.items.length > 0;
  return Object.keys(value as Dict).length > 0;
}

function floatRepr(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
    const power = Number(exponent);
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u;

function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) {
    if (char === quote || char === "\\") out += `\\${char}`;
    else if (char === "\n") out += "\\n";
    else if (char === "\r") out += "\\r";
    else if (char === "\t") out += "\\t";
    else if (char !== " " && UNPRINTABLE.test(char)) {
      const code = char.codePointAt(0) ?? 0;
      if (code < 0x100) out += `\\x${code.toString(16).padStart(2, "0")}`;
      else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, "0")}`;
      else out += `\\U${code.toString(16).padStart(8, "0")}`;
    } else out += char;
  }
  return out + quote;
}

/** Python's repr(): how a value looks inside a printed list. */
export function repr(value: Rt): string {
  const text = asText(value);
  if (text !== undefined) return textRepr(text);
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : floatRepr(value);
  if (value instanceof PyFloat) return floatRepr(value.value);
  if (value instanceof Tuple)
    return value.length === 1 ? `(${repr(value[0] ?? null)},)` : `(${value.map(repr).join(", ")})`;
  if (isList(value)) return `[${value.map(repr).join(", ")}]`;
  if (value instanceof View) throw new ValueProblem("a view cannot be used as text", "Add `| list`.");
  if (value instanceof LazyDict) return repr(value.whole());
  if (value instanceof Opaque) throw new ValueProblem(`a ${value.typeName} cannot be used as text`);
  return `{${Object.entries(value as Dict)
    .map(([key, item]) => `${textRepr(key)}: ${repr(item)}`)
    .join(", ")}}`;
}

/** Python's str(). */
export function str(value: Rt): string {
  if (value instanceof Undefined && value.lenient) return "";
  return asText(value) ?? repr(value);
}

export function codePoints(text: string): string[] {
  return Array.from(text);
}

/** The items of anything that `for` takes. */
export function iterate(value: Rt): readonly Rt[] {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (isList(value)) return value;
  if (value instanceof View) return value.items;
  const text = asText(value);
  if (text !== undefined) return codePoints(text);
  if (isDict(value)) return Object.keys(value);
  if (value instanceof LazyDict) return value.keys();
  throw new ValueProblem(`'${typeName(value)}' is not iterable`);
}

export function equal(left: Rt, right: Rt): boolean {
  if (left instanceof Undefined) throw new UndefinedProblem(left);
  if (right instanceof Undefined) throw new UndefinedProblem(right);
  const numberLeft = asNumber(left);
  if (numberLeft !== undefined) return numberLeft === asNumber(right);
  const textLeft = asText(left);
  if (textLeft !== undefined) return textLeft === asText(right);
  if (left === null || right === null || left instanceof Opaque || right instanceof Opaque) return left === right;
  if (left instanceof View || right instanceof View)
    throw new ValueProblem("views cannot be compared", "Add `| list`.");
  if (isList(left)) {
    return (
      isList(right) &&
      left instanceof Tuple === right instanceof Tuple &&
      left.length === right.length &&
      left.every((item, index) => equal(item, right[index] ?? null))
    );
  }
  if (!isDict(left) || !isDict(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key] ?? null, right[key] ?? null))
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const a = codePoints(left);
  const b = codePoints(right);
  for (let index = 0; index < a.length && index < b.length; index++) {
    const difference = (a[index]?.codePointAt(0) ?? 0) - (b[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Negative, zero or positive, as `<` and `>` order the two. @throws ValueProblem when Python cannot order them. */
export function compare(left: Rt, right: Rt): number {
  if (left instanceof Undefined) throw new UndefinedProblem(left);
  if (right instanceof Undefined) throw new UndefinedProblem(right);
  const numberLeft = asNumber(left);
  const numberRight = asNumber(right);
  if (numberLeft !== undefined && numberRight !== undefined) return numberLeft - numberRight;
  const textLeft = asText(left);
  const textRight = asText(right);
  if (textLeft !== undefined && textRight !== undefined) return compareText(textLeft, textRight);
  if (isList(left) && isList(right) && left instanceof Tuple === right instanceof Tuple) {
    for (let index = 0; index < left.length && index < right.length; index++) {
      const a = left[index] ?? null;
      const b = right[index] ?? null;
      if (!equal(a, b)) return compare(a, b);
    }
    return left.length - right.length;
  }
  throw new ValueProblem(`'${typeName(left)}' and '${typeName(right)}' cannot be ordered`);
}

/** `item in container`. */
export function contains(container: Rt, item: Rt): boolean {
  if (container instanceof Undefined) throw new UndefinedProblem(container);
  const text = asText(container);
  if (text !== undefined) {
    const part = asText(item);
    if (item instanceof Undefined) throw new UndefinedProblem(item);
    if (part === undefined) throw new ValueProblem(`'in <string>' requires a string, not ${typeName(item)}`);
    return text.includes(part);
  }
  if (isDict(container)) {
    if (item instanceof Undefined) throw new UndefinedProblem(item);
    if (isList(item) || isDict(item)) throw new ValueProblem(`unhashable type: '${typeName(item)}'`);
    const key = asText(item);
    return key !== undefined && Object.hasOwn(container, key);
  }
  return iterate(container).some((candidate) => equal(candidate, item));
}

/** A Value of JSON becomes a run-time value unchanged; this only tells the compiler. */
export function fromValue(value: Value): Rt {
  return value as Rt;
}

/** The Value behind a run-time value: floats become numbers, tuples and views lists. @throws on undefined parts. */
export function toValue(value: Rt): Value {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (value instanceof PyFloat) return value.value;
  if (value instanceof NativeText) return value.text;
  if (value instanceof LazyDict) return toValue(value.whole());
  if (value instanceof Opaque) throw new ValueProblem(`a ${value.typeName} is no value`);
  if (value instanceof View) return value.items.map(toValue);
  if (isList(value)) return Array.from(value, toValue);
  if (isDict(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toValue(item)]));
  return value as Value;
}
