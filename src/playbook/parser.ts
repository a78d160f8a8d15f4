/** Expressions of Jinja, with the precedences of jinja2/parser.py, to the Expr tree. */
import type { Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { notGathered } from "./fact-names.js";
import { lex, type Token } from "./lexer.js";
import { refusedLookup } from "./lookups.js";
import {
  type CallSignature,
  filterSignature,
  functionNames,
  methodNames,
  signatureNames,
  testSignature,
} from "./names.js";
import { type Locate, TemplateSyntaxError, toLocate } from "./template-source.js";
import type { Expr } from "./types.js";

const COMPARISONS = new Set(["==", "!=", "<", "<=", ">", ">="]);
type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";
const CONSTANTS: Record<string, boolean | null> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};

const places = new WeakMap<Expr, Position>();

/** Where an expression stands, when it came from a file. */
export function exprPosition(expr: Expr): Position | undefined {
  return places.get(expr);
}

function isFacts(expr: Expr): boolean {
  return expr.kind === "name" && expr.name === "ansible_facts";
}

interface CallArgs {
  args: Expr[];
  kwargs: { [key: string]: Expr };
}

const LOOKUP_FUNCTIONS: ReadonlySet<string> = new Set(["lookup", "query", "q"]);
const NOTHING: ReadonlySet<string> = new Set();
const LOOP_METHODS: ReadonlySet<string> = new Set(["cycle", "changed"]);
const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  now: "Times differ in every run: use the fact ansible_date_time, or give them as a variable.",
  lipsum: "Its text is new in every run.",
  cycler: "Use loop.cycle().",
};

/** A cursor over the tokens of one tag or expression. */
export class ExprParser {
  #index = 0;

  constructor(
    readonly tokens: readonly Token[],
    readonly locate: Locate,
    /** Macros and imported templates, which can be called. */
    readonly callables: ReadonlySet<string> = NOTHING,
  ) {}

  get current(): Token {
    const token = this.tokens[Math.min(this.#index, this.tokens.length - 1)];
    if (token === undefined) throw new TemplateSyntaxError("the expression is empty", this.locate(0));
    return token;
  }

  #peek(): Token | undefined {
    return this.tokens[this.#index + 1];
  }

  next(): Token {
    const token = this.current;
    this.#index++;
    return token;
  }

  is(type: Token["type"], value?: string): boolean {
    return this.current.type === type && (value === undefined || this.current.value === value);
  }

  skip(type: Token["type"], value: string): boolean {
    if (!this.is(type, value)) return false;
    this.#index++;
    return true;
  }

  expect(type: Token["type"], value?: string): Token {
    if (this.is(type, value)) return this.next();
    return this.fail(`expected ${value === undefined ? `a ${type}` : `"${value}"`}, found ${this.describe()}`);
  }

  expectEnd(): void {
    if (!this.is("end")) this.fail(`unexpected ${this.describe()}`, this.#hintAtEnd());
  }

  #hintAtEnd(): string | undefined {
    if (this.is("operator", "=")) return "Compare with `==`.";
    return undefined;
  }

  describe(): string {
    return this.current.type === "end" ? "the end of the expression" : `"${this.current.value}"`;
  }

  fail(message: string, hint?: string, token: Token = this.current): never {
    throw new TemplateSyntaxError(message, this.locate(token.offset), hint);
  }

  #at<T extends Expr>(token: Token, expr: T): T {
    places.set(expr, this.locate(token.offset));
    return expr;
  }

  expression(): Expr {
    const start = this.current;
    let expr = this.or();
    while (this.skip("name", "if")) {
      const test = this.or();
      const otherwise = this.skip("name", "else") ? this.expression() : undefined;
      // biome-ignore lint/suspicious/noThenProperty: the name in the tree's contract; nobody awaits an expression
      expr = this.#at(start, { kind: "cond", test, then: expr, ...(otherwise === undefined ? {} : { otherwise }) });
    }
    return expr;
  }

  /** What `{% if %}` and `when` take. */
  condition(): Expr {
    const expr = this.or();
    if (this.is("name", "if")) this.fail("a condition is no `x if y else z`", "Put it into parentheses.");
    return expr;
  }

  or(): Expr {
    const start = this.current;
    let left = this.#and();
    while (this.skip("name", "or")) left = this.#at(start, { kind: "or", left, right: this.#and() });
    return left;
  }

  #and(): Expr {
    const start = this.current;
    let left = this.#not();
    while (this.skip("name", "and")) left = this.#at(start, { kind: "and", left, right: this.#not() });
    return left;
  }

  #not(): Expr {
    const start = this.current;
    if (this.skip("name", "not")) return this.#at(start, { kind: "not", operand: this.#not() });
    return this.#compare();
  }

  #comparison(): Comparison | undefined {
    if (this.current.type === "operator" && COMPARISONS.has(this.current.value)) return this.next().value as Comparison;
    if (this.skip("name", "in")) return "in";
    const after = this.#peek();
    if (this.is("name", "not") && after?.type === "name" && after.value === "in") {
      this.#index += 2;
      return "not in";
    }
    return undefined;
  }

  #compare(): Expr {
    const start = this.current;
    let left = this.#sum();
    let chain: Expr | undefined;
    for (let op = this.#comparison(); op !== undefined; op = this.#comparison()) {
      const right = this.#sum();
      const link = this.#at(start, { kind: "compare", op, left, right });
      chain = chain === undefined ? link : this.#at(start, { kind: "and", left: chain, right: link });
      left = right;
    }
    return chain ?? left;
  }

  #binary(operators: readonly string[], operand: () => Expr): Expr {
    const start = this.current;
    let left = operand();
    while (this.current.type === "operator" && operators.includes(this.current.value)) {
      const op = this.next().value as Extract<Expr, { kind: "binary" }>["op"];
      left = this.#at(start, { kind: "binary", op, left, right: operand() });
    }
    return left;
  }

  #sum(): Expr {
    return this.#binary(["+", "-"], () => this.#concat());
  }

  #concat(): Expr {
    return this.#binary(["~"], () => this.#product());
  }

  #product(): Expr {
    return this.#binary(["*", "/", "//", "%"], () => this.#binary(["**"], () => this.#unary(true)));
  }

  #unary(withFilters: boolean): Expr {
    const start = this.current;
    let expr: Expr;
    if (this.skip("operator", "-")) expr = this.#at(start, { kind: "neg", operand: this.#unary(false) });
    else if (this.skip("operator", "+")) {
      const zero: Expr = { kind: "literal", value: 0 };
      expr = this.#at(start, { kind: "binary", op: "+", left: zero, right: this.#unary(false) });
    } else expr = this.primary();
    expr = this.#postfix(expr);
    return withFilters ? this.#filters(expr) : expr;
  }

  primary(): Expr {
    const token = this.current;
    switch (token.type) {
      case "name": {
        this.next();
        if (token.value.startsWith("ansible_")) this.#checkFact(token.value.slice("ansible_".length), token);
        const constant = Object.hasOwn(CONSTANTS, token.value) ? CONSTANTS[token.value] : undefined;
        return this.#at(
          token,
          constant !== undefined ? { kind: "literal", value: constant } : { kind: "name", name: token.value },
        );
      }
      case "string": {
        let text = "";
        while (this.is("string")) text += this.next().value;
        return this.#at(token, { kind: "literal", value: text });
      }
      case "integer": {
        this.next();
        const value = Number(token.value);
        if (!Number.isSafeInteger(value)) this.fail("the number is too large", undefined, token);
        return this.#at(token, { kind: "literal", value });
      }
      case "float": {
        this.next();
        const value = Number(token.value);
        if (!Number.isFinite(value)) this.fail("the number is too large", undefined, token);
        return this.#at(
          token,
          Number.isInteger(value) ? { kind: "literal", value, float: true } : { kind: "literal", value },
        );
      }
      case "operator":
        if (token.value === "(") {
          this.next();
          const inner = this.tuple(true);
          this.expect("operator", ")");
          return inner;
        }
        if (token.value === "[") return this.#list();
        if (token.value === "{") return this.#dict();
        break;
      case "end":
        break;
    }
    return this.fail(`unexpected ${this.describe()}`);
  }

  /** One expression, or several with commas, which make a tuple. `end` says where the list stops besides a closing tag. */
  tuple(parenthesised: boolean, item: () => Expr = () => this.expression(), end: () => boolean = () => false): Expr {
    const start = this.current;
    const items: Expr[] = [];
    let isTuple = false;
    while (!(this.is("end") || this.is("operator", ")") || end())) {
      items.push(item());
      if (!this.skip("operator", ",")) break;
      isTuple = true;
    }
    const only = items[0];
    if (!isTuple && only !== undefined) return only;
    if (!isTuple && !parenthesised) this.fail(`expected an expression, found ${this.describe()}`);
    return this.#at(start, { kind: "list", items, tuple: true });
  }

  #list(): Expr {
    const start = this.expect("operator", "[");
    const items: Expr[] = [];
    while (!this.is("operator", "]")) {
      items.push(this.expression());
      if (!this.skip("operator", ",")) break;
    }
    this.expect("operator", "]");
    return this.#at(start, { kind: "list", items });
  }

  #dict(): Expr {
    const start = this.expect("operator", "{");
    const entries: [Expr, Expr][] = [];
    while (!this.is("operator", "}")) {
      const key = this.expression();
      this.expect("operator", ":");
      entries.push([key, this.expression()]);
      if (!this.skip("operator", ",")) break;
    }
    this.expect("operator", "}");
    return this.#at(start, { kind: "dict", entries });
  }

  #postfix(subject: Expr): Expr {
    let expr = subject;
    while (true) {
      if (this.is("operator", ".")) expr = this.#attribute(expr);
      else if (this.is("operator", "[")) expr = this.#subscript(expr);
      else if (this.is("operator", "(")) expr = this.#call(expr);
      else return expr;
    }
  }

  /** A fact that Ansible has and that is not gathered must not look like an undefined variable. */
  #checkFact(name: string, token: Token): void {
    const reason = notGathered(name);
    if (reason !== undefined) this.fail(`ansible_${name} is a fact that is not gathered`, reason, token);
  }

  #attribute(object: Expr): Expr {
    this.next();
    const token = this.next();
    if (token.type === "name") {
      if (isFacts(object)) this.#checkFact(token.value, token);
      return this.#at(token, { kind: "attr", object, name: token.value });
    }
    if (token.type !== "integer") this.fail("expected a name after the dot", undefined, token);
    return this.#at(token, { kind: "index", object, index: { kind: "literal", value: Number(token.value) } });
  }

  #subscript(object: Expr): Expr {
    const start = this.next();
    const bound = (): Expr | undefined =>
      this.is("operator", ":") || this.is("operator", "]") ? undefined : this.expression();
    const first = bound();
    if (!this.is("operator", ":")) {
      if (first === undefined) return this.fail("expected an index");
      if (this.is("operator", ",")) this.fail("an index is one expression");
      this.expect("operator", "]");
      if (isFacts(object) && first.kind === "literal") this.#checkFact(String(first.value), start);
      return this.#at(start, { kind: "index", object, index: first });
    }
    this.next();
    const stop = bound();
    const step = this.skip("operator", ":") ? bound() : undefined;
    this.expect("operator", "]");
    return this.#at(start, {
      kind: "slice",
      object,
      ...(first === undefined ? {} : { start: first }),
      ...(stop === undefined ? {} : { stop }),
      ...(step === undefined ? {} : { step }),
    });
  }

  #arguments(): CallArgs {
    this.expect("operator", "(");
    const args: Expr[] = [];
    const kwargs: { [key: string]: Expr } = {};
    while (!this.is("operator", ")")) {
      if (this.is("operator", "*") || this.is("operator", "**")) this.fail("unpacking arguments is not supported");
      const after = this.#peek();
      if (this.is("name") && after?.type === "operator" && after.value === "=") {
        const name = this.next();
        this.next();
        if (Object.hasOwn(kwargs, name.value))
          this.fail(`the argument "${name.value}" is given twice`, undefined, name);
        kwargs[name.value] = this.expression();
      } else {
        if (Object.keys(kwargs).length > 0) this.fail("an argument without a name follows a named one");
        args.push(this.expression());
      }
      if (!this.skip("operator", ",")) break;
    }
    this.expect("operator", ")");
    return { args, kwargs };
  }

  #call(callee: Expr): Expr {
    const start = this.current;
    const at = places.get(callee) ?? this.locate(start.offset);
    if (callee.kind === "name") {
      if (!functionNames.has(callee.name) && !this.callables.has(callee.name)) {
        const known = [...functionNames, ...this.callables];
        const hint = REFUSED_FUNCTIONS[callee.name] ?? didYouMean(callee.name, known);
        const text = `unknown function "${callee.name}"`;
        throw new TemplateSyntaxError(text, at, hint ?? `Known functions: ${known.join(", ")}.`);
      }
    } else if (callee.kind === "attr") {
      const of = callee.object.kind === "name" ? callee.object.name : "";
      const fits = this.callables.has(of) || (of === "loop" && LOOP_METHODS.has(callee.name));
      if (!methodNames.has(callee.name) && !fits) {
        const hint = didYouMean(callee.name, methodNames) ?? `Known methods: ${[...methodNames].join(", ")}.`;
        throw new TemplateSyntaxError(`unknown method ".${callee.name}()"`, at, hint);
      }
    } else this.fail("only functions and methods can be called");
    const call = this.#arguments();
    if (callee.kind === "name" && LOOKUP_FUNCTIONS.has(callee.name)) this.#checkLookup(call, at);
    return this.#at(start, { kind: "call", callee, ...call });
  }

  /** `ns.name` before the `=` of {% set %}. */
  attributeTarget(): { name: string; attribute: string } | undefined {
    const [name, dot, attribute] = this.tokens.slice(this.#index, this.#index + 3);
    if (name?.type !== "name" || dot?.value !== "." || attribute?.type !== "name") return undefined;
    this.#index += 3;
    return { name: name.value, attribute: attribute.value };
  }

  /** The filters of {% filter a | b %}, whose first has no bar, or of {% set x | a %}. */
  filtersOn(subject: Expr, first = false): Expr {
    let expr = first ? this.#filter(subject) : subject;
    while (this.skip("operator", "|")) expr = this.#filter(expr);
    return expr;
  }

  /** Lookups that are not there are refused before anything runs. */
  #checkLookup({ args: [name] }: CallArgs, at: Position): void {
    if (name?.kind !== "literal" || typeof name.value !== "string") return;
    const refused = refusedLookup(name.value);
    if (refused !== undefined) throw new TemplateSyntaxError(refused.message, at, refused.hint);
  }

  #filters(subject: Expr): Expr {
    let expr = subject;
    while (true) {
      if (this.skip("operator", "|")) expr = this.#filter(expr);
      else if (this.skip("name", "is")) expr = this.#test(expr);
      else if (this.is("operator", "(")) expr = this.#call(expr);
      else return expr;
    }
  }

  /** A filter's or test's name: `ansible.builtin.bool` is `bool`. */
  #pluginName(): { name: string; token: Token } {
    const token = this.expect("name");
    let name = token.value;
    while (this.skip("operator", ".")) name += `.${this.expect("name").value}`;
    return { name: name.replace(/^ansible\.builtin\./, ""), token };
  }

  #check(
    what: "filter" | "test",
    name: string,
    token: Token,
    signature: CallSignature | undefined,
    call: CallArgs,
  ): void {
    if (signature === undefined) {
      this.fail(`unknown ${what} "${name}"`, didYouMean(name, signatureNames(what)), token);
    }
    if (signature.refused !== undefined) this.fail(`the ${what} "${name}" is not supported`, signature.refused, token);
    if (signature.rest !== true && call.args.length > signature.params.length) {
      this.fail(`the ${what} "${name}" takes at most ${signature.params.length} arguments`, undefined, token);
    }
    if (signature.anyKeyword !== true) {
      for (const key of Object.keys(call.kwargs)) {
        const index = signature.params.indexOf(key);
        if (index < 0 && !(signature.keywords ?? []).includes(key)) {
          const known = [...signature.params, ...(signature.keywords ?? [])];
          this.fail(`the ${what} "${name}" has no argument "${key}"`, didYouMean(key, known), token);
        }
        if (index >= 0 && index < call.args.length) this.fail(`the argument "${key}" is given twice`, undefined, token);
      }
    }
    for (const [index, param] of signature.params.slice(0, signature.required ?? 0).entries()) {
      if (index >= call.args.length && !Object.hasOwn(call.kwargs, param)) {
        this.fail(`the ${what} "${name}" needs the argument "${param}"`, undefined, token);
      }
    }
  }

  #filter(subject: Expr): Expr {
    const { name, token } = this.#pluginName();
    const call: CallArgs = this.is("operator", "(") ? this.#arguments() : { args: [], kwargs: {} };
    this.#check("filter", name, token, filterSignature(name), call);
    return this.#at(token, { kind: "filter", name, subject, ...call });
  }

  #test(subject: Expr): Expr {
    const start = this.current;
    const negated = this.skip("name", "not");
    const { name, token } = this.#pluginName();
    let call: CallArgs = { args: [], kwargs: {} };
    if (this.is("operator", "(")) call = this.#arguments();
    else if (this.#startsTestArgument()) {
      if (this.is("name", "is")) this.fail("tests with `is` cannot be chained", "Join them with `and`.");
      call.args.push(this.#postfix(this.primary()));
    }
    this.#check("test", name, token, testSignature(name), call);
    const test: Expr = this.#at(token, {
      kind: "test",
      name,
      subject,
      args: call.args,
      ...(Object.keys(call.kwargs).length === 0 ? {} : { kwargs: call.kwargs }),
    });
    return negated ? this.#at(start, { kind: "not", operand: test }) : test;
  }

  #startsTestArgument(): boolean {
    const { type, value } = this.current;
    if (type === "name") return !["else", "or", "and"].includes(value);
    return (
      type === "string" ||
      type === "integer" ||
      type === "float" ||
      (type === "operator" && (value === "[" || value === "{"))
    );
  }
}

/**
 * Parses a bare expression, such as `debug: var:` holds.
 * @param place position of its first character, or a function from offset to position
 * @throws InputError at the place of the mistake
 */
export function parseExpression(source: string, place: Position | Locate): Expr {
  return whole(source, place, (parser) => parser.expression());
}

/** As parseExpression, for `when` and its like: Jinja has no `x if y else z` there without parentheses. */
export function parseCondition(source: string, place: Position | Locate): Expr {
  return whole(source, place, (parser) => parser.condition());
}

function whole(source: string, place: Position | Locate, read: (parser: ExprParser) => Expr): Expr {
  const locate = toLocate(source, place);
  const { tokens } = lex(source, 0, undefined, locate, { escapes: "python" });
  const parser = new ExprParser(tokens, locate);
  if (parser.is("end")) parser.fail("the expression is empty");
  const expr = read(parser);
  parser.expectEnd();
  return expr;
}
