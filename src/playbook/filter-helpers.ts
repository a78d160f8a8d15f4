import type { Call } from "./plugin.js";
import {
  asNumber,
  asText,
  codePoints,
  type Dict,
  GroupTuple,
  isDict,
  isFloat,
  isList,
  LazyDict,
  NativeText,
  Opaque,
  type Rt,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
  View,
} from "./python-values.js";

/** The text of a string value. @throws ValueProblem naming `what` */
export function needText(value: Rt | undefined, what: string): string {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  const text = value === undefined ? undefined : asText(value);
  if (text === undefined) throw new ValueProblem(`${what} must be a string, not ${typeName(value ?? null)}`);
  return text;
}

export function needInt(value: Rt | undefined, what: string): number {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  const number = value === undefined ? undefined : asNumber(value);
  if (number === undefined || value === undefined || isFloat(value)) {
    throw new ValueProblem(`${what} must be a whole number, not ${typeName(value ?? null)}`);
  }
  return number;
}

export function needDict(value: Rt | undefined, what: string): Dict {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (value instanceof LazyDict) return value.whole();
  if (value === undefined || !isDict(value))
    throw new ValueProblem(`${what} must be a dict, not ${typeName(value ?? null)}`);
  return value;
}

export function needList(value: Rt | undefined, what: string): readonly Rt[] {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  if (value === undefined || !isList(value))
    throw new ValueProblem(`${what} must be a list, not ${typeName(value ?? null)}`);
  return value;
}

/** A positional or named argument that was given, else `otherwise`. */
export function argument(call: Call, index: number, otherwise: Rt): Rt {
  const given = call.args[index];
  return given === undefined ? otherwise : given;
}

/** Python's len(). */
export function lengthOf(value: Rt): number {
  if (value instanceof Undefined) throw new UndefinedProblem(value);
  const text = asText(value);
  if (text !== undefined) return codePoints(text).length;
  if (isList(value)) return value.length;
  if (value instanceof View) return value.items.length;
  if (isDict(value)) return Object.keys(value).length;
  if (value instanceof LazyDict) return value.keys().length;
  throw new ValueProblem(`${typeName(value)} has no length`);
}

/** `obj[key]` as Jinja does it, without attributes of Python objects: an Undefined when it is not there. */
export function getItem(object: Rt, key: Rt): Rt {
  if (object instanceof Undefined) return object;
  if (key instanceof Undefined) throw new UndefinedProblem(key);
  const name = asText(key);
  if (object instanceof Opaque)
    return object.attribute(name ?? "") ?? new Undefined(`the ${object.typeName} has no attribute "${name}"`);
  if (isDict(object)) {
    if (name !== undefined && Object.hasOwn(object, name)) return object[name] ?? null;
    return new Undefined(
      `the dict has no key ${name === undefined ? String(asNumber(key)) : `"${name}"`}${nearKey(object, name)}`,
    );
  }
  if (object instanceof GroupTuple) {
    const place = GroupTuple.placeOf(name);
    if (place !== undefined) return object[place] ?? null;
  }
  const text = asText(object);
  if (isList(object) || text !== undefined) {
    const items: readonly Rt[] = text === undefined ? (object as readonly Rt[]) : codePoints(text);
    const number = isFloat(key) ? undefined : asNumber(key);
    if (number === undefined) return new Undefined(`a ${typeName(object)} has no attribute "${name ?? typeName(key)}"`);
    const item = items[number < 0 ? items.length + number : number];
    return item === undefined ? new Undefined(`the ${typeName(object)} has no element ${number}`) : item;
  }
  return new Undefined(`${typeName(object)} has no attribute "${name ?? String(asNumber(key))}"`);
}

function nearKey(object: Dict, name: string | undefined): string {
  const keys = Object.keys(object);
  return name === undefined || keys.length === 0 || keys.length > 12 ? "" : ` (it has ${keys.join(", ")})`;
}

/** The getter behind `attribute='a.b.0'`. */
export function attributeGetter(attribute: Rt | undefined, fallback?: Rt): (item: Rt) => Rt {
  if (attribute === undefined || attribute === null) return (item) => item;
  const text = asText(attribute);
  const parts: Rt[] =
    text === undefined ? [attribute] : text.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return (item) => {
    let value = item;
    for (const part of parts) {
      value = getItem(value, part);
      if (fallback !== undefined && fallback !== null && value instanceof Undefined) value = fallback;
    }
    return value;
  };
}

/** Strings in lower case for comparisons that ignore it; anything else as it is. */
export function ignoreCase(value: Rt): Rt {
  const text = asText(value);
  return text === undefined ? value : text.toLowerCase();
}

/** A NativeText loses its mark as soon as it is worked with. */
export function plain(value: Rt): Rt {
  return value instanceof NativeText ? value.text : value;
}
