/** Templates of Jinja: text, {{ }}, {% if/for/set/raw %}, {# #}, with white space control (jinja2/lexer.py of 3.1). */
import type { Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { type LexOptions, lex } from "./lexer.js";
import { ExprParser } from "./parser.js";
import { type Locate, TemplateSyntaxError, toLocate } from "./template-source.js";
import type { Expr } from "./types.js";

export type TemplateNode =
  | { kind: "text"; text: string }
  | { kind: "output"; expr: Expr }
  | { kind: "if"; branches: { test: Expr; body: TemplateNode[] }[]; otherwise: TemplateNode[] }
  | { kind: "for"; targets: Target; items: Expr; filter?: Expr; body: TemplateNode[]; otherwise: TemplateNode[] }
  | { kind: "set"; targets: Target; value: Expr };

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
}

export interface TemplateOptions extends Partial<LexOptions> {
  /** Drop the line break after a block tag; Ansible's default is true. */
  readonly trimBlocks?: boolean;
  /** Drop the blanks before a block tag; Ansible's default is false. */
  readonly lstripBlocks?: boolean;
}

const TAGS = ["if", "elif", "else", "endif", "for", "endfor", "set", "raw", "endraw"];
const REFUSED_TAGS: Record<string, string> = {
  include: "Use {{ lookup('template', ...) }}.",
  import: "Macros are not in the subset: repeat the lines, or loop over them.",
  from: "Macros are not in the subset: repeat the lines, or loop over them.",
  extends: "Write the whole template in one file.",
  block: "Write the whole template in one file.",
  macro: "Macros are not in the subset: use a loop.",
  call: "Macros are not in the subset: use a loop.",
  filter: "Use the filter within {{ }}.",
  with: "Use {% set %}.",
  do: "Use {% set %}.",
  endset: "Write {% set name = value %}.",
  autoescape: "There is no escaping to be switched.",
};
const OPENING = /\{\{|\{%|\{#/g;
const RAW_OPEN = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})/y;
const VARIABLE_CLOSE = /-\}\}\s*|\}\}/y;

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

  constructor(
    readonly text: string,
    readonly locate: Locate,
    readonly options: TemplateOptions,
  ) {}

  get #suffix(): string {
    return this.options.trimBlocks === false ? "" : "\\n?";
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
      OPENING.lastIndex = this.#at;
      const opening = OPENING.exec(this.text);
      if (opening === null) {
        nodes.push({ kind: "text", text: this.text.slice(this.#at) });
        this.#at = this.text.length;
        break;
      }
      this.#pushText(nodes, opening.index, opening[0]);
      if (opening[0] === "{#") this.#comment(opening.index);
      else if (opening[0] === "{{") nodes.push(this.#output(opening.index));
      else if (this.#raw(nodes, opening.index)) continue;
      else {
        const tag = this.#tag(opening.index);
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

  #pushText(nodes: TemplateNode[], end: number, mark: string): void {
    let text = this.text.slice(this.#at, end);
    const sign = this.text.charAt(end + 2);
    if (sign === "-") text = text.replace(/\s+$/u, "");
    else if (sign !== "+" && mark !== "{{" && this.options.lstripBlocks === true) {
      const lineStart = text.lastIndexOf("\n") + 1;
      const startsLine = lineStart > 0 || this.#at === 0 || this.text.charAt(this.#at - 1) === "\n";
      if (startsLine && /^\s+$/u.test(text.slice(lineStart))) text = text.slice(0, lineStart);
    }
    if (text !== "") nodes.push({ kind: "text", text });
    this.#at = end;
  }

  #afterMark(offset: number): number {
    const sign = this.text.charAt(offset + 2);
    return offset + (sign === "-" || sign === "+" ? 3 : 2);
  }

  #comment(offset: number): void {
    const close = new RegExp(`[\\s\\S]*?(?:\\+#\\}|-#\\}\\s*|#\\}${this.#suffix})`, "y");
    close.lastIndex = this.#afterMark(offset);
    const match = close.exec(this.text);
    if (match === null) this.#fail(offset, "the comment {# is not closed");
    else this.#at = close.lastIndex;
  }

  #raw(nodes: TemplateNode[], offset: number): boolean {
    RAW_OPEN.lastIndex = offset;
    if (RAW_OPEN.exec(this.text) === null) return false;
    const close = new RegExp(`([\\s\\S]*?)\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}${this.#suffix})`, "y");
    close.lastIndex = RAW_OPEN.lastIndex;
    const match = close.exec(this.text);
    if (match === null) return this.#fail(offset, "{% raw %} has no {% endraw %}");
    const body = match[1] ?? "";
    nodes.push({ kind: "text", text: match[2] === "-" ? body.replace(/\s+$/u, "") : body });
    this.#at = close.lastIndex;
    return true;
  }

  #output(offset: number): TemplateNode {
    const escapes = this.options.escapes ?? "python";
    const { tokens, end } = lex(this.text, this.#afterMark(offset), VARIABLE_CLOSE, this.locate, { escapes });
    const parser = new ExprParser(tokens, this.locate);
    if (parser.is("end")) this.#fail(offset, "{{ }} is empty");
    const expr = parser.tuple(false);
    parser.expectEnd();
    this.#at = end;
    return { kind: "output", expr };
  }

  #tag(offset: number): Tag {
    const close = new RegExp(`\\+%\\}|-%\\}\\s*|%\\}${this.#suffix}`, "y");
    const { tokens, end } = lex(this.text, this.#afterMark(offset), close, this.locate, { escapes: "python" });
    const parser = new ExprParser(tokens, this.locate);
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
      case "elif":
      case "else":
      case "endif":
      case "endfor":
        return this.#fail(tag.offset, `{% ${tag.word} %} has no beginning`);
      default: {
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
    const targets = this.#target(parser, () => parser.is("operator", "="));
    if (!parser.skip("operator", "=")) parser.fail("{% set %} needs a value", "Write {% set name = value %}.");
    const value = parser.tuple(false);
    parser.expectEnd();
    return { kind: "set", targets, value };
  }
}

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
  for (const pair of text.slice("#jinja2:".length, start).split(",")) {
    const match = /^\s*(trim_blocks|lstrip_blocks)\s*:\s*(True|False)\s*$/.exec(pair);
    if (match === null)
      throw new TemplateSyntaxError(
        `unknown setting "${pair.trim()}" in the #jinja2 line`,
        locate(0),
        "Known: trim_blocks, lstrip_blocks: True or False.",
      );
    result = { ...result, [match[1] === "trim_blocks" ? "trimBlocks" : "lstripBlocks"]: match[2] === "True" };
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
  const header = readHeader(normal, locate, options);
  const text = header.body.endsWith("\n") ? header.body.slice(0, -1) : header.body;
  const parser = new TemplateParser(text, (offset) => locate(header.start + offset), header.options);
  return { source, nodes: parser.parse(), trailingNewlines: /\n*$/.exec(source)?.[0].length ?? 0 };
}
