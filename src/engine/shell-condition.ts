import type { ReturnType } from "../modules/types.js";
import type { Expr, Value } from "../playbook/types.js";
import { quote } from "../util/shell.js";

/** What is known of a registered result before its task has run. */
export interface RegisterShape {
  readonly returns: Readonly<Record<string, ReturnType>>;
  /** A loop's result has `results`, which no shell variable holds. */
  readonly loop: boolean;
  /** Its task may not have run at all. */
  readonly maybe?: boolean;
}

export type RegisterShapes = ReadonlyMap<string, RegisterShape>;

const STATUS_FIELDS: Readonly<Record<string, string>> = { changed: "changed", failed: "failed", skipped: "skipped" };
const STATUS_TESTS: Readonly<Record<string, [field: string, wanted: boolean]>> = {
  changed: ["changed", true],
  change: ["changed", true],
  failed: ["failed", true],
  failure: ["failed", true],
  skipped: ["skipped", true],
  skip: ["skipped", true],
  succeeded: ["failed", false],
  success: ["failed", false],
  successful: ["failed", false],
};
const NUMERIC: Readonly<Record<string, string>> = {
  "==": "-eq",
  "!=": "-ne",
  "<": "-lt",
  "<=": "-le",
  ">": "-gt",
  ">=": "-ge",
};
const MIRROR: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" };

/** Types that shell can compare. */
type ShellType = "str" | "int" | "bool";
const isShellType = (type: ReturnType | undefined): type is ShellType =>
  type === "str" || type === "int" || type === "bool";

/** A typed shell word: `"${V_x_rc-}"`. */
interface Word {
  readonly text: string;
  readonly type: ShellType;
  /** Shell to run first, for values that need a helper. */
  readonly before?: string;
}

/** The shell variable of a field. */
export function fieldVariable(register: string, path: string): string {
  return `V_${register}_${path.replaceAll(".", "_")}`;
}

/**
 * A condition on registered results as a shell command that is true when the condition is; undefined when shell cannot
 * say it, and the condition has to wait until the controller knows the results.
 */
export function shellCondition(expr: Expr, shapes: RegisterShapes): string | undefined {
  switch (expr.kind) {
    case "literal":
      return truthy(expr.value) ? ":" : "false";
    case "not": {
      const operand = shellCondition(expr.operand, shapes);
      return operand === undefined ? undefined : `! { ${operand}; }`;
    }
    case "and":
    case "or": {
      const left = shellCondition(expr.left, shapes);
      const right = shellCondition(expr.right, shapes);
      if (left === undefined || right === undefined) return undefined;
      return `{ ${left} ${expr.kind === "and" ? "&&" : "||"} ${right}; }`;
    }
    case "test":
      return testCondition(expr, shapes);
    case "compare":
      return compareCondition(expr, shapes);
    case "filter":
      if (expr.name === "bool" && expr.args.length === 0) {
        const word = fieldWord(expr.subject, shapes);
        if (word?.type === "bool") return `[ ${word.text} = true ]`;
        if (word?.type === "str") return `isyes ${word.text}`;
      }
      return wordTruth(fieldWord(expr, shapes));
    default:
      return wordTruth(fieldWord(expr, shapes));
  }
}

function wordTruth(word: Word | undefined): string | undefined {
  if (word === undefined) return undefined;
  const test = { bool: `[ ${word.text} = true ]`, str: `[ -n ${word.text} ]`, int: `[ ${word.text} -ne 0 ]` }[
    word.type
  ];
  return word.type === "int" && word.before === undefined
    ? `{ toint ${word.text}; [ "$I_" -ne 0 ]; }`
    : join(word, test);
}

const join = (word: Word, test: string): string => (word.before === undefined ? test : `{ ${word.before}; ${test}; }`);

function truthy(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** `x.stat.exists` as register and dotted path. */
function reference(expr: Expr): { register: string; path: string } | undefined {
  if (expr.kind === "name") return { register: expr.name, path: "" };
  const object = expr.kind === "attr" || expr.kind === "index" ? reference(expr.object) : undefined;
  if (object === undefined) return undefined;
  let key: Value | undefined;
  if (expr.kind === "attr") key = expr.name;
  else if (expr.kind === "index" && expr.index.kind === "literal") key = expr.index.value;
  if (typeof key !== "string") return undefined;
  return { register: object.register, path: object.path === "" ? key : `${object.path}.${key}` };
}

function fieldType(expr: Expr, shapes: RegisterShapes): { name: string; type: ShellType } | undefined {
  const found = reference(expr);
  const shape = found === undefined ? undefined : shapes.get(found.register);
  if (found === undefined || shape === undefined || shape.maybe === true) return undefined;
  if (Object.hasOwn(STATUS_FIELDS, found.path))
    return { name: fieldVariable(found.register, found.path), type: "bool" };
  const type = shape.loop || !Object.hasOwn(shape.returns, found.path) ? undefined : shape.returns[found.path];
  return isShellType(type) ? { name: fieldVariable(found.register, found.path), type } : undefined;
}

function fieldWord(expr: Expr, shapes: RegisterShapes): Word | undefined {
  const field = fieldType(expr, shapes);
  if (field !== undefined) return { text: `"\${${field.name}-}"`, type: field.type };
  if (expr.kind !== "filter") return undefined;
  const [first] = expr.args;
  if (expr.name === "default" || expr.name === "d") {
    const inner = fieldType(expr.subject, shapes);
    const fallback = first === undefined ? { text: "", type: "str" as const } : literalWord(first);
    if (inner === undefined || fallback === undefined || fallback.type !== inner.type || expr.args.length > 1)
      return undefined;
    // Spelled with + so that the fallback is one quoted word.
    return {
      text: `"$F_"`,
      type: inner.type,
      before: `F_=\${${inner.name}-${fallback.text === "" ? "" : quote(fallback.text)}}`,
    };
  }
  const subject = fieldWord(expr.subject, shapes);
  if (subject === undefined || subject.type === "bool" || expr.args.length > 0) return undefined;
  const before = (text: string) => (subject.before === undefined ? text : `${subject.before}; ${text}`);
  if (expr.name === "int") return { text: '"$I_"', type: "int", before: before(`toint ${subject.text}`) };
  if (expr.name === "trim" && subject.type === "str") {
    return { text: '"$F_"', type: "str", before: before(`trim ${subject.text}`) };
  }
  return undefined;
}

function literalWord(expr: Expr): { text: string; type: ShellType } | undefined {
  if (expr.kind === "neg" && expr.operand.kind === "literal" && typeof expr.operand.value === "number") {
    return literalWord({ kind: "literal", value: -expr.operand.value });
  }
  if (expr.kind !== "literal") return undefined;
  const { value } = expr;
  if (typeof value === "string") return value.includes("\0") ? undefined : { text: value, type: "str" };
  if (typeof value === "boolean") return { text: String(value), type: "bool" };
  if (typeof value === "number" && Number.isSafeInteger(value)) return { text: String(value), type: "int" };
  return undefined;
}

function testCondition(expr: Extract<Expr, { kind: "test" }>, shapes: RegisterShapes): string | undefined {
  const found = reference(expr.subject);
  const shape = found === undefined ? undefined : shapes.get(found.register);
  if (found === undefined || shape === undefined || shape.maybe === true || expr.args.length > 0) return undefined;
  const status = STATUS_TESTS[expr.name];
  if (status !== undefined && found.path === "") {
    return `[ "$${fieldVariable(found.register, status[0])}" ${status[1] ? "=" : "!="} true ]`;
  }
  if (expr.name === "defined" || expr.name === "undefined") {
    const yes = expr.name === "defined";
    if (found.path === "") return yes ? ":" : "false";
    const field = fieldType(expr.subject, shapes);
    return field === undefined ? undefined : `[ ${yes ? "-n" : "-z"} "\${${field.name}+y}" ]`;
  }
  return undefined;
}

function compareCondition(expr: Extract<Expr, { kind: "compare" }>, shapes: RegisterShapes): string | undefined {
  if (expr.op === "in" || expr.op === "not in") return membership(expr, shapes);
  const length = lengthCompare(expr, shapes);
  if (length !== undefined) return length;
  let word = fieldWord(expr.left, shapes);
  let literal = literalWord(expr.right);
  let op: string = expr.op;
  if (word === undefined) {
    word = fieldWord(expr.right, shapes);
    literal = literalWord(expr.left);
    op = MIRROR[op] ?? op;
  }
  if (word === undefined || literal === undefined) return undefined;
  const equality = op === "==" || op === "!=";
  if (word.type !== literal.type) return equality ? (op === "==" ? "false" : ":") : undefined;
  if (word.type === "int") {
    const number = word.before === undefined ? { ...word, text: '"$I_"', before: `toint ${word.text}` } : word;
    return join(number, `[ ${number.text} ${NUMERIC[op]} ${literal.text} ]`);
  }
  if (!equality) return undefined;
  return join(word, `[ ${word.text} ${op === "==" ? "=" : "!="} ${literal.text === "" ? "''" : quote(literal.text)} ]`);
}

/** `x.stdout | length > 0` and the like: only emptiness, which bytes and characters agree on. */
function lengthCompare(expr: Extract<Expr, { kind: "compare" }>, shapes: RegisterShapes): string | undefined {
  const { left, right, op } = expr;
  if (left.kind !== "filter" || !["length", "count"].includes(left.name) || left.args.length > 0) return undefined;
  const word = fieldWord(left.subject, shapes);
  const bound = literalWord(right);
  if (word?.type !== "str" || bound?.type !== "int") return undefined;
  const some = `${op} ${bound.text}`;
  if (["> 0", "!= 0", ">= 1"].includes(some)) return join(word, `[ -n ${word.text} ]`);
  if (["== 0", "<= 0", "< 1"].includes(some)) return join(word, `[ -z ${word.text} ]`);
  return undefined;
}

function membership(expr: Extract<Expr, { kind: "compare" }>, shapes: RegisterShapes): string | undefined {
  const [yes, no] = expr.op === "in" ? [":", "false"] : ["false", ":"];
  const needle = literalWord(expr.left);
  const hay = fieldWord(expr.right, shapes);
  if (needle?.type === "str" && hay?.type === "str") {
    const pattern = needle.text === "" ? "*" : `*${quote(needle.text)}*`;
    return join(hay, `case ${hay.text} in ${pattern}) ${yes} ;; *) ${no} ;; esac`);
  }
  const word = fieldWord(expr.left, shapes);
  const items = listItems(expr.right);
  if (word === undefined || word.type === "bool" || items === undefined) return undefined;
  const patterns = items
    .filter((item) => item?.type === word.type)
    .map((item) => (item?.text ? quote(item.text) : "''"));
  if (items.includes(undefined)) return undefined;
  if (patterns.length === 0) return no;
  return join(word, `case ${word.text} in ${patterns.join(" | ")}) ${yes} ;; *) ${no} ;; esac`);
}

function listItems(expr: Expr): ({ text: string; type: ShellType } | undefined)[] | undefined {
  if (expr.kind === "list") return expr.items.map(literalWord);
  if (expr.kind === "literal" && Array.isArray(expr.value)) {
    return expr.value.map((value: Value) => literalWord({ kind: "literal", value }));
  }
  return undefined;
}
