/** Random templates over the grammar that the language accepts, the same ones for the same seed. */
import { filterSignature, methodNames, signatureNames, testSignature } from "../../src/playbook/names.js";

export interface FuzzCase {
  readonly kind: "values" | "files" | "conditions";
  readonly source: string;
}

type Type = "any" | "text" | "number" | "list" | "dict" | "bool";

/** Variables of template-cases.json by type. */
const VARIABLES: Readonly<Record<Exclude<Type, "any">, readonly string[]>> = {
  text: (
    "empty text name num_text path uni lines ver octal quoted both json_text listlike listlike2 dictlike bytes_ tmpl chain " +
    "tmpl_int tmpl_null jsontrue ipv6 nginxish"
  ).split(" "),
  number: "one zero neg pi float_int".split(" "),
  list: "list_ nums nested users dicts mixed tmpl_list cfg.tls.names deep.b".split(" "),
  dict: "cfg deep res cfg.tls users[0]".split(" "),
  bool: "yes_ no_ tmpl_bool".split(" "),
};
const ODD = "nothing nothing missing missing.a broken cfg.nope list_[9]".split(" ");
const TEXTS = [
  ...["''", "'a'", "'b,c'", "' x '", "'A b-C'", "'héllo ☃'", "'1'", "'-7'", "'2.50'", "'0x1F'", "'1e3'", "'True'"],
  ...["'[1, 2]'", "\"{'a': 1}\"", "'a\\nb'", "'yes'", "'/etc/x.conf'", "'x'", "'name'", "'%s-%d'", "'a.b'", "'None'"],
  ...[
    "'key'",
    "'{\"k\": [1.0, null]}'",
    "'10M'",
    "'1.2.3'",
    "'(a|b)+'",
    "'^h'",
    "'\t'",
    "'ÄÖ'",
    "'ﬁn'",
    "'🎈'",
    '"it\'s"',
  ],
];
const NUMBERS = "0 1 2 3 -1 -3 7 10 2.0 2.5 -0.5 0.1 0x10 1_2".split(" ");
/** Not for what repeats or raises to a power: Python computes that for hours. */
const LARGE = "123456789 9007199254740993 1e3 1e22 big -123456789012 4294967296".split(" ");
const BINARY = "+ - * / // % ** ~ + - * ~".split(" ");
const LARGE_BINARY = ["+", "-", "/", "//", "%", "~", "==", "<"];
const LARGE_FILTERS = [
  "int",
  "float",
  "string",
  "abs",
  "round",
  "human_readable",
  "filesizeformat",
  "to_json",
  "bool",
].filter((name) => signatureNames("filter").includes(name));
const COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"];
const PATTERNS = [
  "'a'",
  "'(\\\\w)(l+)'",
  "'[a-c]+'",
  "'^h|d$'",
  "'\\\\s'",
  "'(?i)H'",
  "'o*'",
  "'(?P<n>l+)'",
  "'.'",
  "''",
  "'$'",
];
const TEXT_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  attribute: ["'name'", "'age'", "'on'", "'key'", "0", "'0'", "'name,age'", "'a.b'"],
  pattern: PATTERNS,
  regex: PATTERNS,
  replacement: ["''", "'x'", "'<\\\\1>'", "'\\\\g<0>'", "'\\\\g<n>'", "'\\\\2'"],
  operator: ["'<'", "'>='", "'eq'", "'ne'", "'lt'", "'=='"],
  version: ["'1.2.3'", "'1.30'", "'1.10a'", "'2'"],
  method: ["'ceil'", "'floor'", "'common'"],
  list_merge: ["'append'", "'keep'", "'prepend_rp'", "'append_rp'", "'prepend'", "'replace'"],
  hashtype: ["'md5'", "'sha1'", "'sha256'", "'sha512'"],
  by: ["'key'", "'value'"],
  style: ["'c'", "'xml'", "'plain'", "'cblock'", "'erlang'"],
  key_name: ["'key'", "'name'"],
  value_name: ["'value'", "'age'"],
};
/** What filters work on; all others are given anything. */
const SUBJECTS: Readonly<Record<string, Type>> = Object.fromEntries([
  ...(
    "lower upper title capitalize trim replace split regex_replace regex_search regex_findall regex_escape indent truncate " +
    "quote basename dirname b64encode b64decode from_json hash md5 human_to_bytes urlencode urldecode urlsplit wordcount wordwrap " +
    "center comment from_yaml from_yaml_all to_uuid splitext relpath format password_hash"
  )
    .split(" ")
    .map((name) => [name, "text"]),
  ...(
    "join first last unique sort reverse flatten zip map select reject selectattr rejectattr union difference intersect " +
    "symmetric_difference sum min max batch slice groupby product permutations combinations zip_longest items2dict path_join subelements"
  )
    .split(" ")
    .map((name) => [name, "list"]),
  ..."combine dict2items dictsort items".split(" ").map((name) => [name, "dict"]),
  ..."abs round human_readable filesizeformat log pow root".split(" ").map((name) => [name, "number"]),
]);

const TESTED: Readonly<Record<string, Type>> = Object.fromEntries([
  ..."changed change failed failure succeeded success successful skipped skip reachable unreachable finished started"
    .split(" ")
    .map((name) => [name, "dict"]),
  ..."odd even divisibleby lt lessthan le gt greaterthan ge".split(" ").map((name) => [name, "number"]),
  ..."match search regex version version_compare upper lower".split(" ").map((name) => [name, "text"]),
  ..."any all subset issubset superset issuperset contains".split(" ").map((name) => [name, "list"]),
]);
const NUMERIC = new Set(
  "width length count precision maxsplit levels linecount slices base salt_size indent leeway other_number".split(" "),
);

/** Plugins of no constant result, or of this machine's files. */
const LEFT_OUT = new Set("fileglob realpath expanduser expandvars exists file directory link".split(" "));

export class TemplateFuzz {
  #state: number;
  readonly #filters = signatureNames("filter").filter((name) => !LEFT_OUT.has(name));
  readonly #tests = signatureNames("test").filter((name) => !LEFT_OUT.has(name) && /^\w+$/.test(name));
  readonly #methods = [...methodNames];

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #often(chance: number): boolean {
    return this.#random() < chance;
  }

  next(): FuzzCase {
    const which = this.#random();
    if (which < 0.62) return { kind: "values", source: this.#value() };
    if (which < 0.87) return { kind: "files", source: this.#body(3, []) };
    return { kind: "conditions", source: this.expression(3, "bool") };
  }

  #value(): string {
    const source = `{{ ${this.expression(3, "any")} }}`;
    if (this.#often(0.8)) return source;
    if (this.#often(0.5)) return `${this.#pick(["x", "[", "{", " ", "- "])}${source}`;
    return `${source}${this.#pick(["x", "\n", " ", "]", `{{ ${this.expression(2, "any")} }}`])}`;
  }

  #mark(): string {
    return this.#often(0.75) ? "" : this.#pick(["-", "+", "-"]);
  }

  #block(inner: string): string {
    return `{%${this.#mark()} ${inner} ${this.#mark()}%}`;
  }

  #text(): string {
    return this.#pick(["a", "\n", " ", "  \n", "x y\n", "\n\n", "\t", "- ", "é\n", ""]);
  }

  /** @param names loop and set variables */
  #body(depth: number, names: readonly string[]): string {
    let known = names;
    let out = this.#often(0.1) ? this.#pick(["#jinja2: trim_blocks: False\n", "#jinja2: lstrip_blocks: True\n"]) : "";
    for (let count = 1 + this.#below(3); count > 0; count--) {
      const [part, more] = this.#statement(depth, known);
      out += this.#text() + part;
      known = [...known, ...more];
    }
    return out + this.#text();
  }

  #inner(depth: number, names: readonly string[]): string {
    return this.#body(depth, names).replace(/^#jinja2.*\n/, "");
  }

  #statement(depth: number, names: readonly string[]): [string, readonly string[]] {
    const which = this.#random();
    if (depth <= 0 || which < 0.35) {
      const inner = names.length > 0 && this.#often(0.6) ? this.#pick(names) : this.expression(2, "any");
      return [`{{${this.#mark() === "-" ? "-" : ""} ${inner} ${this.#often(0.2) ? "-" : ""}}}`, []];
    }
    const less = depth - 1;
    if (which < 0.5) {
      const otherwise = this.#often(0.4) ? this.#block("else") + this.#inner(less, names) : "";
      const test = this.expression(2, "bool");
      return [this.#block(`if ${test}`) + this.#inner(less, names) + otherwise + this.#block("endif"), []];
    }
    if (which < 0.7) {
      const name = this.#pick(["i", "j", "u"]);
      const filter = this.#often(0.2) ? ` if ${name} is ${this.#pick(["string", "number", "odd", "defined"])}` : "";
      const otherwise = this.#often(0.2) ? `${this.#block("else")}none` : "";
      const own = [...names, name, "loop.index", "loop.last", "loop.revindex0", "loop.first", "loop.length"];
      const head = this.#block(`for ${name} in ${this.expression(1, this.#often(0.9) ? "list" : "any")}${filter}`);
      return [head + this.#inner(less, own) + otherwise + this.#block("endfor"), []];
    }
    if (which < 0.85) {
      const name = this.#pick(["v", "w", "one"]);
      return [this.#block(`set ${name} = ${this.expression(2, "any")}`), [name]];
    }
    if (which < 0.88) return [`{#${this.#mark()} c ${this.#mark()}#}`, []];
    if (which < 0.98) return this.#rareStatement(less, names);
    return [`${this.#block("raw")}{{ x }}\n${this.#block("endraw")}`, []];
  }

  #rareStatement(depth: number, names: readonly string[]): [string, readonly string[]] {
    const body = this.#inner(depth, names);
    const value = () => this.expression(1, "any");
    switch (this.#below(6)) {
      case 0:
        return [`${this.#block("set v")}${body}${this.#block("endset")}`, ["v"]];
      case 1:
        return [`${this.#block("filter upper | trim")}${body}${this.#block("endfilter")}`, []];
      case 2:
        return [
          `${this.#block(`with t = ${value()}`)}${this.#inner(depth, [...names, "t"])}${this.#block("endwith")}`,
          [],
        ];
      case 3: {
        const inner = this.#inner(depth, [...names, "p", "o"]);
        const macro = `${this.#block(`macro mac(p, o=${value()})`)}${inner}${this.#block("endmacro")}`;
        return [`${macro}{{ mac(${value()}) }}{{ mac(${value()}, o=${value()}) }}`, []];
      }
      case 4: {
        const loop = `${this.#block("for i in nums")}${this.#block(`set ns.a = ns.a ~ ${value()}`)}${this.#block("endfor")}`;
        return [`${this.#block("set ns = namespace(a=1)")}${loop}{{ ns.a }}`, []];
      }
      default:
        return [`${this.#block("set l = []")}{{ l.append(${value()}) }}{{ l }}`, ["l"]];
    }
  }

  expression(depth: number, type: Type): string {
    if (depth <= 0 || this.#often(0.12)) return this.#leaf(type);
    const less = depth - 1;
    if (type === "number" && this.#often(0.6)) return this.#numeric(less);
    if (type !== "any" && type !== "bool" && this.#often(0.4)) return this.#leaf(type);
    const which = this.#random();
    if (which < 0.45) return this.#filtered(less, type);
    if (which < 0.55) return this.#tested(less);
    if (which < 0.63) return `${this.#operand(less, "any")} ${this.#pick(COMPARISONS)} ${this.#operand(less, "any")}`;
    if (which < 0.65) return `${this.#pick(LARGE)} ${this.#pick(LARGE_BINARY)} ${this.#pick([...LARGE, ...NUMBERS])}`;
    if (which < 0.66) return `${this.#pick(LARGE)} | ${this.#pick(LARGE_FILTERS)}`;
    if (which < 0.73) {
      const kind = this.#pick<Type>(["number", "number", "text", "list", "any"]);
      const operator = this.#pick(BINARY);
      const tame = operator.startsWith("*");
      const right = tame ? this.#pick(NUMBERS) : this.#operand(less, this.#often(0.8) ? kind : "any");
      return `${tame ? this.#leaf(kind) : this.#operand(less, kind)} ${operator} ${right}`;
    }
    if (which < 0.78) return `${this.#operand(less, "any")} ${this.#pick(["and", "or"])} ${this.#operand(less, "any")}`;
    if (which < 0.81) return `not ${this.#operand(less, "any")}`;
    if (which < 0.85) {
      const otherwise = this.#often(0.8) ? ` else ${this.#operand(less, type)}` : "";
      return `${this.#operand(less, type)} if ${this.#operand(less, "bool")}${otherwise}`;
    }
    if (which < 0.91) return this.#subscript(less);
    if (which < 0.95) return this.#method(less);
    return this.#collection(less);
  }

  #numeric(depth: number): string {
    if (this.#often(0.5))
      return `${this.#operand(depth, "any")} | ${this.#pick(["int", "float", "int(7)", "float(-1)"])}`;
    if (this.#often(0.4)) return `${this.#operand(depth, this.#pick<Type>(["list", "text", "dict"]))} | length`;
    return `${this.#leaf("number")} ${this.#pick(["+", "-", "*", "//", "%"])} ${this.#leaf("number")}`;
  }

  #operand(depth: number, type: Type): string {
    const inner = this.expression(depth, type);
    return /^[\w.'\]]+$/.test(inner) || this.#often(0.2) ? inner : `(${inner})`;
  }

  #leaf(type: Type): string {
    if (this.#often(0.015)) return this.#pick(ODD);
    const kind =
      type === "any" || this.#often(0.03) ? this.#pick<Type>(["text", "number", "list", "dict", "bool"]) : type;
    if (kind === "text" && this.#often(0.6)) return this.#pick(TEXTS);
    if (kind === "number" && this.#often(0.6)) return this.#pick(NUMBERS);
    if (kind === "bool" && this.#often(0.4)) return this.#pick(["true", "false", "none"]);
    if (kind !== "bool" && this.#often(0.25)) return this.#collection(0);
    return this.#pick(VARIABLES[kind as Exclude<Type, "any">]);
  }

  #collection(depth: number): string {
    const items = Array.from({ length: this.#below(4) }, () => this.expression(depth, "any"));
    const which = this.#random();
    if (which < 0.55) return `[${items.join(", ")}]`;
    if (which < 0.7) return `(${items.map((item) => `${item}, `).join("")})`;
    return `{${items.map((item) => `${this.#pick(["'a'", "'b'", "'name'", "'key'", "'x y'"])}: ${item}`).join(", ")}}`;
  }

  #subscript(depth: number): string {
    const subject = this.#operand(depth, this.#pick<Type>(["text", "list", "list", "dict"]));
    const bound = () => (this.#often(0.35) ? "" : this.#pick(["0", "1", "2", "-1", "-2", "5", "-9", "none"]));
    if (this.#often(0.5)) return `${subject}[${bound()}:${bound()}${this.#often(0.4) ? `:${bound()}` : ""}]`;
    if (this.#often(0.3)) return `${subject}.${this.#pick(["name", "port", "a", "0", "tls.on", "key"])}`;
    return `${subject}[${this.#pick(["0", "-1", "1", "'name'", "'port'", "'a'", "7", "1.0", "true"])}]`;
  }

  #method(depth: number): string {
    const name = this.#pick(this.#methods);
    const type: Type = ["items", "keys", "values", "get"].includes(name) ? "dict" : "text";
    const args = Array.from({ length: this.#below(3) }, () =>
      this.#often(0.7) ? this.#pick(["'a'", "'l'", "' '", "'x'", "2", "-1", "1"]) : this.expression(depth - 1, "any"),
    );
    return `${this.#operand(depth, type)}.${name}(${args.join(", ")})`;
  }

  #argument(depth: number, name: string): string {
    const known = TEXT_ARGUMENTS[name];
    if (known !== undefined && this.#often(0.9)) return this.#pick(known);
    if (NUMERIC.has(name) && this.#often(0.95)) return this.#leaf("number");
    if (this.#often(0.75)) return this.#leaf(this.#pick<Type>(["text", "number", "bool", "any"]));
    return this.expression(depth - 1, "any");
  }

  #arguments(name: string, what: "filter" | "test", depth: number): string {
    const signature = (what === "filter" ? filterSignature : testSignature)(name) ?? { params: [] };
    const parts: string[] = [];
    const count = Math.max(
      this.#often(0.95) ? (signature.required ?? 0) : 0,
      this.#often(0.4) ? 0 : this.#below(signature.params.length + 1),
    );
    for (const param of signature.params.slice(0, count)) parts.push(this.#argument(depth, param));
    if (signature.rest === true) parts.push(...this.#rest(name, depth));
    for (const param of [...signature.params.slice(count), ...(signature.keywords ?? [])])
      if (this.#often(0.2)) parts.push(`${param}=${this.#argument(depth, param)}`);
    return parts.length === 0 ? "" : `(${parts.join(", ")})`;
  }

  #rest(name: string, depth: number): string[] {
    if (name === "combine") return [this.#leaf("dict")];
    if (name === "regex_search") return this.#often(0.4) ? [this.#pick(["'\\\\1'", "'\\\\g<n>'", "'\\\\0'"])] : [];
    if (name === "map") {
      if (this.#often(0.3)) return [`attribute=${this.#pick(TEXT_ARGUMENTS.attribute as string[])}`];
      const inner = this.#pick(this.#filters);
      const args = this.#arguments(inner, "filter", depth - 1);
      return [`'${inner}'`, ...(args === "" ? [] : [args.slice(1, -1)])];
    }
    if (/^(select|reject)/.test(name)) {
      if (this.#often(0.3)) return [];
      const inner = this.#pick(this.#tests);
      const args = this.#arguments(inner, "test", depth - 1);
      return [`'${inner}'`, ...(args === "" ? [] : [args.slice(1, -1)])];
    }
    return this.#often(0.6) ? [this.#leaf("list")] : [];
  }

  #filtered(depth: number, type: Type): string {
    const wanted = this.#filters.filter((name) => SUBJECTS[name] === type);
    const name = this.#pick(wanted.length > 0 && this.#often(0.7) ? wanted : this.#filters);
    const subject = this.#often(0.95) ? (SUBJECTS[name] ?? "any") : "any";
    return `${this.#operand(depth, subject)} | ${name}${this.#arguments(name, "filter", depth)}`;
  }

  #tested(depth: number): string {
    const name = this.#pick(this.#tests);
    const not = this.#often(0.2) ? "not " : "";
    const args = this.#arguments(name, "test", depth);
    const subject = this.#often(0.95) ? (TESTED[name] ?? "any") : "any";
    return `${this.#operand(depth, subject)} is ${not}${name}${args}`;
  }
}
