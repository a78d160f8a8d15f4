/** Templates of Jinja with white space control (jinja2/lexer.py and parser.py of 3.1). */
import type { Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { type LexOptions, lex } from "./lexer.js";
import { ExprParser } from "./parser.js";
import {
  JINJA_MARKS,
  MARK_SETTINGS,
  type MarkKind,
  type MarkPatterns,
  type Marks,
  markPatterns,
} from "./template-marks.js";
import { type Locate, TemplateSyntaxError, toLocate } from "./template-source.js";
import type { Expr } from "./types.js";

export type TemplateNode =
  | { kind: "text"; text: string }
  | { kind: "output"; expr: Expr }
  | { kind: "if"; branches: { test: Expr; body: TemplateNode[] }[]; otherwise: TemplateNode[] }
  | { kind: "for"; targets: Target; items: Expr; filter?: Expr; body: TemplateNode[]; otherwise: TemplateNode[] }
  | { kind: "set"; targets: Target; value: Expr }
  /** `{% set ns.name = value %}` */
  | { kind: "setAttribute"; name: string; attribute: string; value: Expr }
  /** `{% set name %}...{% endset %}`; the filters work on CAPTURED. */
  | { kind: "capture"; name: string; filters: Expr; body: TemplateNode[] }
  | { kind: "filter"; filters: Expr; body: TemplateNode[] }
  | { kind: "with"; values: { name: string; value: Expr }[]; body: TemplateNode[] }
  | { kind: "macro"; name: string; params: Parameter[]; body: TemplateNode[] }
  | { kind: "call"; call: Expr; params: Parameter[]; body: TemplateNode[] }
  | { kind: "include"; template: Expr; optional: boolean; context: boolean }
  | { kind: "import"; template: Expr; name: string; context: boolean }
  | { kind: "from"; template: Expr; names: { name: string; as: string }[]; context: boolean };

/** A parameter of a macro. */
export interface Parameter {
  readonly name: string;
  readonly otherwise?: Expr;
}

/** The name of the text that a block's filters work on; no template can say it. */
export const CAPTURED = "the body";

/** One name, or several that unpack a pair. */
export interface Target {
  readonly names: readonly string[];
  readonly unpack: boolean;
}

export interface Template {
  readonly source: string;
  readonly nodes: readonly TemplateNode[];
  /** Line breaks at the end of the source: Ansible gives the result at least as many. */
  readonly trailingNewlines: number;
  /** What it was read with, for what it includes. */
  readonly options: TemplateOptions;
}

export interface TemplateOptions extends Partial<LexOptions> {
  /** Drop the line break after a block tag; Ansible's default is true. */
  readonly trimBlocks?: boolean;
  /** Drop the blanks before a block tag; Ansible's default is false. */
  readonly lstripBlocks?: boolean;
  readonly marks?: Marks;
  /** What line breaks of the template become; those of values stay. */
  readonly newline?: string;
}

const ENDS = ["endif", "endfor", "endset", "endfilter", "endwith", "endmacro", "endcall", "elif", "else"];
const TAGS = [
  ...[
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "raw",
    "endraw",
    "filter",
    "endfilter",
    "with",
    "endwith",
  ],
  ...["macro", "endmacro", "call", "endcall", "include", "import", "from"],
];
const REFUSED_TAGS: Record<string, string> = {
  extends: "Write the whole template in one file, or include its parts.",
  block: "Write the whole template in one file, or include its parts.",
  do: "Write {% set _ = ... %}.",
  autoescape: "There is no escaping to be switched.",
};
/** Names that templates can call are known from their definitions, wherever they stand. */
const DEFINED = /\bmacro\s+([A-Za-z_]\w*)|\bimport\s+[^%]*?\bas\s+([A-Za-z_]\w*)|\b(caller)\s*\(/g;
const FROM_IMPORT = /\bfrom\b[^%]*?\bimport\s+([^%]*)/g;

function callablesOf(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, macro, module, caller] of text.matchAll(DEFINED)) names.add(macro ?? module ?? caller ?? "");
  for (const [, list = ""] of text.matchAll(FROM_IMPORT))
    for (const word of list.match(/[A-Za-z_]\w*/g) ?? []) names.add(word);
  return names;
}

/** Does the text hold anything of Jinja? Ansible leaves a string without these marks alone. */
export function isPossiblyTemplate(text: string): boolean {
  return text.includes("{{") || text.includes("{%") || text.includes("{#");
}

interface Tag {
  readonly word: string;
  readonly parser: ExprParser;
  readonly offset: number;
}

class TemplateParser {
  #at = 0;
  #pending: Tag | undefined;
  readonly #marks: Marks;
  readonly #patterns: MarkPatterns;
  readonly #callables: Set<string>;

  constructor(
    readonly text: string,
    readonly locate: Locate,
    readonly options: TemplateOptions,
  ) {
    this.#marks = options.marks ?? JINJA_MARKS;
    this.#patterns = markPatterns(this.#marks, options.trimBlocks !== false);
    this.#callables = callablesOf(text);
  }

  parse(): TemplateNode[] {
    const nodes = this.#body([]);
    const tag = this.#pending;
    if (tag !== undefined) this.#fail(tag.offset, `{% ${tag.word} %} has no beginning`);
    return nodes;
  }

  #fail(offset: number, message: string, hint?: string): never {
    throw new TemplateSyntaxError(message, this.locate(offset), hint);
  }

  /** Nodes up to one of the tags in `ends`, which is left in #pending. */
  #body(ends: readonly string[]): TemplateNode[] {
    const nodes: TemplateNode[] = [];
    this.#pending = undefined;
    while (this.#at < this.text.length) {
      const { opening, kinds } = this.#patterns;
      opening.lastIndex = this.#at;
      const found = opening.exec(this.text);
      if (found === null) {
        nodes.push(this.#textNode(this.text.slice(this.#at)));
        this.#at = this.text.length;
        break;
      }
      const kind = kinds.get(found[0]) ?? "variable";
      this.#pushText(nodes, found.index, found[0], kind);
      if (kind === "comment") this.#comment(found.index);
      else if (kind === "variable") nodes.push(this.#output(found.index));
      else if (this.#raw(nodes, found.index)) continue;
      else {
        const tag = this.#tag(found.index);
        if (ends.includes(tag.word)) {
          this.#pending = tag;
          return nodes;
        }
        const node = this.#statement(tag);
        if (node === undefined) return nodes;
        nodes.push(node);
      }
    }
    return nodes;
  }

  #textNode(text: string): TemplateNode {
    const { newline = "\n" } = this.options;
    return { kind: "text", text: newline === "\n" ? text : text.replaceAll("\n", newline) };
  }

  #pushText(nodes: TemplateNode[], end: number, mark: string, kind: MarkKind): void {
    let text = this.text.slice(this.#at, end);
    const sign = this.text.charAt(end + mark.length);
    if (sign === "-") text = text.replace(/\s+$/u, "");
    else if (sign !== "+" && kind !== "variable" && this.options.lstripBlocks === true) {
      const lineStart = text.lastIndexOf("\n") + 1;
      const startsLine = lineStart > 0 || this.#at === 0 || this.text.charAt(this.#at - 1) === "\n";
      if (startsLine && /^\s+$/u.test(text.slice(lineStart))) text = text.slice(0, lineStart);
    }
    if (text !== "") nodes.push(this.#textNode(text));
    this.#at = end;
  }

  #afterMark(offset: number, mark: string): number {
    const end = offset + mark.length;
    return /[-+]/.test(this.text.charAt(end)) ? end + 1 : end;
  }

  #comment(offset: number): void {
    const close = this.#patterns.commentClose;
    close.lastIndex = this.#afterMark(offset, this.#marks.commentStart);
    const match = close.exec(this.text);
    if (match === null) this.#fail(offset, `the comment ${this.#marks.commentStart} is not closed`);
    else this.#at = close.lastIndex;
  }

  #raw(nodes: TemplateNode[], offset: number): boolean {
    const { rawOpen, rawClose } = this.#patterns;
    rawOpen.lastIndex = offset;
    if (rawOpen.exec(this.text) === null) return false;
    rawClose.lastIndex = rawOpen.lastIndex;
    const match = rawClose.exec(this.text);
    if (match === null) return this.#fail(offset, "{% raw %} has no {% endraw %}");
    const body = match[1] ?? "";
    nodes.push(this.#textNode(match[2] === "-" ? body.replace(/\s+$/u, "") : body));
    this.#at = rawClose.lastIndex;
    return true;
  }

  #output(offset: number): TemplateNode {
    const { escapes = "python", newline } = this.options;
    const from = this.#afterMark(offset, this.#marks.variableStart);
    const { tokens, end } = lex(this.text, from, this.#patterns.variableClose, this.locate, { escapes, newline });
    const parser = new ExprParser(tokens, this.locate, this.#callables);
    if (parser.is("end")) this.#fail(offset, "{{ }} is empty");
    const expr = parser.tuple(false);
    parser.expectEnd();
    this.#at = end;
    return { kind: "output", expr };
  }

  #tag(offset: number): Tag {
    const { newline } = this.options;
    const from = this.#afterMark(offset, this.#marks.blockStart);
    const { tokens, end } = lex(this.text, from, this.#patterns.blockClose, this.locate, {
      escapes: "python",
      newline,
    });
    const parser = new ExprParser(tokens, this.locate, this.#callables);
    if (!parser.is("name")) this.#fail(offset, "a tag begins with a word, such as {% if x %}");
    this.#at = end;
    return { word: parser.next().value, parser, offset };
  }

  #statement(tag: Tag): TemplateNode | undefined {
    switch (tag.word) {
      case "if":
        return this.#if(tag);
      case "for":
        return this.#for(tag);
      case "set":
        return this.#set(tag);
      case "filter":
        return this.#filterBlock(tag);
      case "with":
        return this.#with(tag);
      case "macro":
        return this.#macro(tag);
      case "call":
        return this.#callBlock(tag);
      case "include":
        return this.#include(tag);
      case "import":
        return this.#import(tag);
      case "from":
        return this.#from(tag);
      default: {
        if (ENDS.includes(tag.word)) return this.#fail(tag.offset, `{% ${tag.word} %} has no beginning`);
        const instead = REFUSED_TAGS[tag.word];
        if (instead !== undefined) return this.#fail(tag.offset, `{% ${tag.word} %} is not supported`, instead);
        return this.#fail(tag.offset, `unknown tag {% ${tag.word} %}`, didYouMean(tag.word, TAGS));
      }
    }
  }

  /** The body up to the end tag of the block that `opened` began. */
  #until(opened: Tag, ends: readonly string[]): { body: TemplateNode[]; tag: Tag } {
    const body = this.#body(ends);
    const tag = this.#pending;
    this.#pending = undefined;
    if (tag === undefined) return this.#fail(opened.offset, `{% ${opened.word} %} has no {% ${ends.at(-1)} %}`);
    return { body, tag };
  }

  #if(tag: Tag): TemplateNode {
    const branches: { test: Expr; body: TemplateNode[] }[] = [];
    let otherwise: TemplateNode[] = [];
    let current = tag;
    while (current.word === "if" || current.word === "elif") {
      const test = current.parser.tuple(false, () => current.parser.condition());
      current.parser.expectEnd();
      const { body, tag: end } = this.#until(tag, ["elif", "else", "endif"]);
      branches.push({ test, body });
      current = end;
    }
    if (current.word === "else") {
      current.parser.expectEnd();
      const rest = this.#until(tag, ["endif"]);
      otherwise = rest.body;
      current = rest.tag;
    }
    current.parser.expectEnd();
    return { kind: "if", branches, otherwise };
  }

  #target(parser: ExprParser, stop: () => boolean): Target {
    const target = parser.tuple(false, () => parser.primary(), stop);
    const items = target.kind === "list" && target.tuple === true ? target.items : [target];
    const names = items.map((item) =>
      item.kind === "name" ? item.name : parser.fail("only names can be assigned to"),
    );
    return { names, unpack: target !== items[0] };
  }

  #for(tag: Tag): TemplateNode {
    const { parser } = tag;
    const targets = this.#target(parser, () => parser.is("name", "in"));
    parser.expect("name", "in");
    const items = parser.tuple(
      false,
      () => parser.or(),
      () => parser.is("name", "recursive"),
    );
    const filter = parser.skip("name", "if") ? parser.expression() : undefined;
    if (parser.is("name", "recursive")) parser.fail("recursive loops are not supported");
    parser.expectEnd();
    const { body, tag: end } = this.#until(tag, ["else", "endfor"]);
    let otherwise: TemplateNode[] = [];
    let last = end;
    if (end.word === "else") {
      end.parser.expectEnd();
      const rest = this.#until(tag, ["endfor"]);
      otherwise = rest.body;
      last = rest.tag;
    }
    last.parser.expectEnd();
    return { kind: "for", targets, items, ...(filter === undefined ? {} : { filter }), body, otherwise };
  }

  #set(tag: Tag): TemplateNode {
    const { parser } = tag;
    const attribute = parser.attributeTarget();
    if (attribute !== undefined) {
      parser.expect("operator", "=");
      const value = parser.tuple(false);
      parser.expectEnd();
      return { kind: "setAttribute", ...attribute, value };
    }
    const targets = this.#target(parser, () => parser.is("operator", "=") || parser.is("operator", "|"));
    const [name = ""] = targets.names;
    if (!parser.skip("operator", "=")) {
      if (targets.unpack) parser.fail("{% set %} without a value takes one name");
      const filters = parser.filtersOn(captured);
      parser.expectEnd();
      return { kind: "capture", name, filters, body: this.#close(tag, "endset") };
    }
    const value = parser.tuple(false);
    parser.expectEnd();
    if (value.kind === "call" && value.callee.kind === "name" && value.callee.name === "joiner")
      this.#callables.add(name);
    return { kind: "set", targets, value };
  }

  /** The body up to the one tag that ends it. */
  #close(tag: Tag, end: string): TemplateNode[] {
    const { body, tag: last } = this.#until(tag, [end]);
    if (end === "endmacro" && last.parser.is("name")) last.parser.next();
    last.parser.expectEnd();
    return body;
  }

  #filterBlock(tag: Tag): TemplateNode {
    const filters = tag.parser.filtersOn(captured, true);
    tag.parser.expectEnd();
    return { kind: "filter", filters, body: this.#close(tag, "endfilter") };
  }

  #with(tag: Tag): TemplateNode {
    const { parser } = tag;
    const values: { name: string; value: Expr }[] = [];
    while (!parser.is("end")) {
      if (values.length > 0) parser.expect("operator", ",");
      const name = parser.expect("name").value;
      parser.expect("operator", "=");
      values.push({ name, value: parser.expression() });
    }
    return { kind: "with", values, body: this.#close(tag, "endwith") };
  }

  #parameters(parser: ExprParser): Parameter[] {
    const params: Parameter[] = [];
    parser.expect("operator", "(");
    while (!parser.is("operator", ")")) {
      if (params.length > 0) parser.expect("operator", ",");
      const name = parser.expect("name").value;
      if (parser.skip("operator", "=")) params.push({ name, otherwise: parser.expression() });
      else if (params.some(({ otherwise }) => otherwise !== undefined))
        parser.fail("a parameter without a default follows one with");
      else params.push({ name });
    }
    parser.expect("operator", ")");
    return params;
  }

  #macro(tag: Tag): TemplateNode {
    const { parser } = tag;
    const name = parser.expect("name").value;
    const params = this.#parameters(parser);
    parser.expectEnd();
    return { kind: "macro", name, params, body: this.#close(tag, "endmacro") };
  }

  #callBlock(tag: Tag): TemplateNode {
    const { parser } = tag;
    const params = parser.is("operator", "(") ? this.#parameters(parser) : [];
    const call = parser.expression();
    if (call.kind !== "call") parser.fail("{% call %} needs the call of a macro");
    parser.expectEnd();
    return { kind: "call", call, params, body: this.#close(tag, "endcall") };
  }

  /** `with context` or `without context`, where it is said. */
  #context(parser: ExprParser, otherwise: boolean): boolean {
    const given = parser.is("name", "with") || parser.is("name", "without");
    if (!given) return otherwise;
    const { value } = parser.next();
    parser.expect("name", "context");
    return value === "with";
  }

  #include(tag: Tag): TemplateNode {
    const { parser } = tag;
    const template = parser.expression();
    const optional = parser.skip("name", "ignore");
    if (optional) parser.expect("name", "missing");
    const context = this.#context(parser, true);
    parser.expectEnd();
    return { kind: "include", template, optional, context };
  }

  #import(tag: Tag): TemplateNode {
    const { parser } = tag;
    const template = parser.expression();
    parser.expect("name", "as");
    const name = parser.expect("name").value;
    const context = this.#context(parser, false);
    parser.expectEnd();
    return { kind: "import", template, name, context };
  }

  #from(tag: Tag): TemplateNode {
    const { parser } = tag;
    const template = parser.expression();
    parser.expect("name", "import");
    const names: { name: string; as: string }[] = [];
    while (!parser.is("end") && !parser.is("name", "with") && !parser.is("name", "without")) {
      if (names.length > 0 && !parser.skip("operator", ",")) break;
      const name = parser.expect("name").value;
      if (name.startsWith("_")) parser.fail("names that begin with _ are not imported");
      names.push({ name, as: parser.skip("name", "as") ? parser.expect("name").value : name });
    }
    const context = this.#context(parser, false);
    parser.expectEnd();
    if (names.length === 0) parser.fail("{% from %} imports nothing");
    return { kind: "from", template, names, context };
  }
}

const captured: Expr = { kind: "name", name: CAPTURED };

/** Settings of the first line, by their names in Python. */
const HEADER_SWITCHES: Readonly<Record<string, "trimBlocks" | "lstripBlocks">> = {
  trim_blocks: "trimBlocks",
  lstrip_blocks: "lstripBlocks",
};

/** `#jinja2: lstrip_blocks: True` on the first line. */
function readHeader(
  text: string,
  locate: Locate,
  options: TemplateOptions,
): { body: string; start: number; options: TemplateOptions } {
  if (!text.startsWith("#jinja2:")) return { body: text, start: 0, options };
  const end = text.indexOf("\n");
  const start = end < 0 ? text.length : end + 1;
  let result = options;
  const unknown = (pair: string): never => {
    const known = [...Object.keys(HEADER_SWITCHES), ...Object.keys(MARK_SETTINGS), "newline_sequence"].join(", ");
    throw new TemplateSyntaxError(
      `unknown setting "${pair.trim()}" in the #jinja2 line`,
      locate(0),
      `Known: ${known}.`,
    );
  };
  for (const pair of text.slice("#jinja2:".length, end < 0 ? text.length : end).split(",")) {
    const [, name = "", boolean, , string = ""] =
      /^\s*(\w+)\s*:\s*(?:(True|False)|(['"])(.*)\3)\s*$/.exec(pair) ?? unknown(pair);
    const toggle = HEADER_SWITCHES[name];
    const mark = MARK_SETTINGS[name];
    if (boolean !== undefined && toggle !== undefined) result = { ...result, [toggle]: boolean === "True" };
    else if (boolean !== undefined || string === "") unknown(pair);
    else if (mark !== undefined) result = { ...result, marks: { ...(result.marks ?? JINJA_MARKS), [mark]: string } };
    else if (name === "newline_sequence" && /^(?:\\r|\\n|\\r\\n)$/.test(string))
      result = { ...result, newline: string.replace("\\r", "\r").replace("\\n", "\n") };
    else unknown(pair);
  }
  return { body: text.slice(start), start, options: result };
}

/**
 * Parses a template.
 * @param place position of its first character, or a function from offset to position
 * @param options `escapes: "literal"` for the values of a playbook, where Ansible keeps backslashes within {{ }}
 * @throws InputError at the place of the mistake
 */
export function parseTemplate(source: string, place: Position | Locate, options: TemplateOptions = {}): Template {
  const normal = source.replace(/\r\n|\r/g, "\n");
  const locate = toLocate(normal, place);
  const { body, start, options: used } = readHeader(normal, locate, options);
  return parsed(source, body, (offset) => locate(start + offset), used);
}

/** As parseTemplate, for what a template includes: a first line of settings is text there. */
export function parseIncluded(source: string, place: Position, options: TemplateOptions): Template {
  const normal = source.replace(/\r\n|\r/g, "\n");
  return parsed(source, normal, toLocate(normal, place), options);
}

function parsed(source: string, body: string, locate: Locate, options: TemplateOptions): Template {
  const text = body.endsWith("\n") ? body.slice(0, -1) : body;
  const nodes = new TemplateParser(text, locate, options).parse();
  return { source, nodes, trailingNewlines: /\n*$/.exec(source)?.[0].length ?? 0, options };
}
