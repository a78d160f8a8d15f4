/** Filters that read and write YAML. */
import { InputErrors } from "../util/errors.js";
import { argument, needInt } from "./filter-helpers.js";
import type { Call, FilterTable } from "./plugin.js";
import { asText, NativeText, type Rt, truthy, ValueProblem } from "./python-values.js";
import { dumpYaml, type YamlStyle } from "./python-yaml.js";
import { nodeValue, readYamlDocuments } from "./yaml-nodes.js";

const KEYWORDS = ["indent", "width", "sort_keys", "default_flow_style"];

function styleOf(call: Call, flow: boolean | undefined, indent: Rt): YamlStyle {
  const { sort_keys = true, default_flow_style, width = null } = call.keywords;
  const given = call.keywords.indent ?? indent;
  return {
    ...(given === null ? {} : { indent: needInt(given, "indent") }),
    ...(width === null ? {} : { width: needInt(width, "width") }),
    sortKeys: truthy(sort_keys),
    flow:
      default_flow_style === undefined ? flow : default_flow_style === null ? undefined : truthy(default_flow_style),
  };
}

function readAll(subject: Rt): Rt[] | undefined {
  const text = asText(subject);
  if (text === undefined) return undefined;
  if (text.startsWith("%")) throw new ValueProblem("from_yaml: directives are not supported");
  if (/^\s*\t\s*$/.test(text)) throw new ValueProblem("from_yaml: the text is nothing but white space with a tab");
  const problems: Error[] = [];
  const nodes = readYamlDocuments("<text>", text, (error) => problems.push(error));
  const [problem] = problems;
  if (problem !== undefined) {
    const [first] = problem instanceof InputErrors ? problem.errors : [problem];
    throw new ValueProblem(`from_yaml: ${first?.message}`);
  }
  return nodes.map((node) => (node === undefined ? null : nodeValue(node)));
}

export const yamlFilters: FilterTable = {
  to_yaml: {
    params: [],
    keywords: KEYWORDS,
    run: (subject, call) => new NativeText(dumpYaml(subject, styleOf(call, undefined, null))),
  },
  to_nice_yaml: {
    params: ["indent"],
    keywords: KEYWORDS.filter((name) => name !== "indent" && name !== "default_flow_style"),
    run: (subject, call) => new NativeText(dumpYaml(subject, styleOf(call, false, argument(call, 0, 4)))),
  },
  from_yaml: {
    params: [],
    run: (subject) => {
      const documents = readAll(subject);
      if (documents === undefined) return subject;
      if (documents.length > 1)
        throw new ValueProblem("from_yaml: the text holds several documents", "Use from_yaml_all.");
      return documents[0] ?? null;
    },
  },
  from_yaml_all: { params: [], run: (subject) => readAll(subject) ?? subject },
};
