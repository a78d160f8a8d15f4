/** `'%s' % x` and `'{}'.format(x)` of Python. */
import { getItem } from "./filter-helpers.js";
import { roundHalfEven } from "./python-text.js";
import {
  asNumber,
  asText,
  codePoints,
  isDict,
  isFloat,
  type Rt,
  repr,
  str,
  Tuple,
  typeName,
  Undefined,
  UndefinedProblem,
  ValueProblem,
} from "./python-values.js";

/** Digits after the point, of a number that JavaScript writes without an exponent. */
export function fixed(value: number, digits: number): string {
  if (Math.abs(value) >= 1e21) throw new ValueProblem("the number is too large to be written with fixed digits");
  const rounded = digits > 15 ? value : roundHalfEven(value, digits);
  const text = Math.abs(rounded).toFixed(digits);
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

interface Layout {
  readonly left: boolean;
  readonly sign: string;
  readonly zero: boolean;
  readonly width: number;
}

function pad(text: string, { left, zero, width }: Layout): string {
  const missing = width - codePoints(text).length;
  if (missing <= 0) return text;
  if (left) return text + " ".repeat(missing);
  if (!zero) return " ".repeat(missing) + text;
  const [, sign = "", digits = ""] = /^([-+ ]?)(.*)$/su.exec(text) ?? [];
  return sign + "0".repeat(missing) + digits;
}

function signed(text: string, sign: string): string {
  return text.startsWith("-") ? text : sign + text;
}

function numberOf(value: Rt, type: string): number {
  const number = asNumber(value);
  if (number === undefined) throw new ValueProblem(`%${type} needs a number, not ${typeName(value)}`);
  return number;
}

function wholeOf(value: Rt, type: string): number {
  if (isFloat(value) && !"diu".includes(type)) throw new ValueProblem(`%${type} needs a whole number`);
  return Math.trunc(numberOf(value, type));
}

const BASES: Readonly<Record<string, readonly [number, string]>> = { x: [16, "0x"], X: [16, "0X"], o: [8, "0o"] };

function conversion(type: string, value: Rt, precision: number | undefined, alternate: boolean, sign: string): string {
  const cut = (text: string): string =>
    precision === undefined ? text : codePoints(text).slice(0, precision).join("");
  switch (type) {
    case "s":
      return cut(str(value));
    case "r":
      return cut(repr(value));
    case "c": {
      const text = asText(value);
      if (text !== undefined && codePoints(text).length === 1) return text;
      if (text !== undefined || isFloat(value)) throw new ValueProblem("%c needs one character or its number");
      return String.fromCodePoint(numberOf(value, type));
    }
    case "d":
    case "i":
    case "u": {
      const whole = wholeOf(value, type);
      const digits = String(Math.abs(whole)).padStart(precision ?? 0, "0");
      return signed(whole < 0 ? `-${digits}` : digits, sign);
    }
    case "x":
    case "X":
    case "o": {
      const whole = wholeOf(value, type);
      const [base, prefix] = BASES[type] ?? [10, ""];
      const digits = Math.abs(whole)
        .toString(base)
        .padStart(precision ?? 0, "0");
      const text = (alternate ? prefix : "") + (type === "X" ? digits.toUpperCase() : digits);
      return signed(whole < 0 ? `-${text}` : text, sign);
    }
    case "f":
    case "F":
      return signed(fixed(numberOf(value, type), precision ?? 6), sign);
    default:
      throw new ValueProblem(`the conversion %${type} is not supported`);
  }
}

const CONVERSION = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?[hlL]?([\s\S]?)/g;

/** `format % values`: a tuple gives several values, a dict those with names. @throws ValueProblem */
export function percentFormat(format: string, values: Rt): string {
  if (values instanceof Undefined) throw new UndefinedProblem(values);
  const list: readonly Rt[] = values instanceof Tuple ? values : [values];
  let used = 0;
  let named = false;
  const next = (): Rt => {
    const value = list[used++];
    if (value === undefined) throw new ValueProblem("not enough values for the format");
    if (value instanceof Undefined) throw new UndefinedProblem(value);
    return value;
  };
  const size = (text: string): number | undefined => {
    if (text === "*") return wholeOf(next(), "d");
    return text === "" ? undefined : Number(text);
  };
  const out = format.replace(
    CONVERSION,
    (_whole, name: string | undefined, flags: string, width: string, precision: string | undefined, type: string) => {
      if (type === "") throw new ValueProblem("the format ends within a conversion");
      const wanted = size(width) ?? 0;
      const digits = precision === undefined ? undefined : (size(precision) ?? 0);
      if (type === "%") return "%";
      let value: Rt;
      if (name === undefined) value = next();
      else {
        named = true;
        if (!isDict(values)) throw new ValueProblem("a format with names needs a dict");
        value = getItem(values, name);
        if (value instanceof Undefined) throw new UndefinedProblem(value);
      }
      const sign = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
      const text = conversion(type, value, digits, flags.includes("#"), sign);
      const left = flags.includes("-") || wanted < 0;
      const zero = flags.includes("0") && /[diuxXofF]/.test(type);
      return pad(text, { left, sign, zero, width: Math.abs(wanted) });
    },
  );
  const whole = values instanceof Tuple ? used < list.length : used === 0 && !named && !isMapping(values);
  if (whole) throw new ValueProblem("not all values are used by the format");
  return out;
}

/** Python leaves over what can be asked for a key: a dict or a list. */
function isMapping(value: Rt): boolean {
  return isDict(value) || (Array.isArray(value) && !(value instanceof Tuple));
}

const SPEC = /^(?:(.)?([<>^]))?([-+ ]?)(0?)(\d*)(,?)(?:\.(\d+))?([sdfxXob%]?)$/su;

function formatSpec(value: Rt, spec: string): string {
  if (spec === "") return str(value);
  const [, fill = " ", align, sign = "", zero, width = "", comma, precision, type = ""] = SPEC.exec(spec) ?? [];
  if (!SPEC.test(spec)) throw new ValueProblem(`the format specification "${spec}" is not supported`);
  const number = typeof value === "boolean" ? undefined : asNumber(value);
  const text = asText(value);
  if (number === undefined && text === undefined)
    throw new ValueProblem(`the format specification "${spec}" does not fit ${typeName(value)}`);
  let body: string;
  if (text !== undefined) {
    if ((type !== "" && type !== "s") || sign !== "" || zero === "0" || comma === ",")
      throw new ValueProblem(`the format specification "${spec}" does not fit text`);
    body = precision === undefined ? text : codePoints(text).slice(0, Number(precision)).join("");
  } else body = formatNumber(value, number ?? 0, type, precision, comma === ",", spec);
  if (number !== undefined && sign !== "-" && sign !== "" && !body.startsWith("-")) body = sign + body;
  const missing = Math.max(0, Number(width) - codePoints(body).length);
  if (zero === "0" && align === undefined) return pad(body, { left: false, sign, zero: true, width: Number(width) });
  const side = align ?? (number === undefined ? "<" : ">");
  if (side === "<") return body + fill.repeat(missing);
  if (side === ">") return fill.repeat(missing) + body;
  return fill.repeat(Math.floor(missing / 2)) + body + fill.repeat(Math.ceil(missing / 2));
}

function formatNumber(
  value: Rt,
  number: number,
  type: string,
  precision: string | undefined,
  commas: boolean,
  spec: string,
): string {
  const float = isFloat(value);
  let text: string;
  if (type === "f" || type === "%")
    text = fixed(type === "%" ? number * 100 : number, Number(precision ?? 6)) + (type === "%" ? "%" : "");
  else if (float || precision !== undefined || type === "s")
    throw new ValueProblem(`the format specification "${spec}" is not supported for a number`);
  else text = number.toString({ x: 16, X: 16, o: 8, b: 2 }[type] ?? 10);
  if (type === "X") text = text.toUpperCase();
  if (!commas) return text;
  if ("xXob".includes(type) && type !== "") throw new ValueProblem(`the format specification "${spec}" is not valid`);
  return text.replace(/^-?\d+/, (digits) => digits.replace(/\B(?=(?:\d{3})+$)/g, ","));
}

const FIELD = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

/** `format.format(*values, **named)`. @throws ValueProblem */
export function braceFormat(format: string, values: readonly Rt[], named: Readonly<Record<string, Rt>>): string {
  let automatic = 0;
  return format.replace(FIELD, (whole: string, field: string | undefined) => {
    if (whole === "{{" || whole === "}}") return whole.charAt(0);
    if (field === undefined) throw new ValueProblem(`a single "${whole}" in the format`);
    const [, path = "", convert, spec = ""] = /^([^!:]*)(?:!([sr]))?(?::(.*))?$/su.exec(field) ?? [];
    if (!/^[^!:]*(?:!([sr]))?(?::(.*))?$/su.test(field))
      throw new ValueProblem(`the field {${field}} is not supported`);
    const [, head = "", rest = ""] = /^([^.[]*)(.*)$/su.exec(path) ?? [];
    if (head === "" ? automatic < 0 : /^\d+$/.test(head) && automatic > 0)
      throw new ValueProblem("fields with and without numbers do not mix");
    if (/^\d+$/.test(head)) automatic = -1;
    let value = head === "" ? values[automatic++] : /^\d+$/.test(head) ? values[Number(head)] : named[head];
    if (value === undefined) throw new ValueProblem(`the format has no value for {${field}}`);
    for (const [, attribute, key] of rest.matchAll(/\.(\w+)|\[([^\]]+)\]/g)) {
      if (attribute !== undefined) throw new ValueProblem(`the field {${field}} asks for an attribute`, "Use [key].");
      value = getItem(value, /^\d+$/.test(key ?? "") ? Number(key) : (key ?? ""));
    }
    if (value instanceof Undefined) throw new UndefinedProblem(value);
    const shown = convert === "r" ? repr(value) : convert === "s" ? str(value) : value;
    return formatSpec(shown, spec);
  });
}
