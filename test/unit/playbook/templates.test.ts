import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { controllerReader } from "../../../src/engine/language.js";
import { evaluateCondition, parseCondition } from "../../../src/playbook/conditions.js";
import { renderTemplate, renderValue } from "../../../src/playbook/render.js";
import { Scope } from "../../../src/playbook/scope.js";
import { parseTemplate } from "../../../src/playbook/template-parser.js";
import type { Value } from "../../../src/playbook/types.js";
import { EdgeError } from "../../../src/util/errors.js";

// What ansible-core makes of each case was recorded by fixtures/ansible_golden.py.
type Result = { value: Value } | { error: string };
type Kind = "values" | "files" | "conditions";

const fixtures = fileURLToPath(new URL("./fixtures/", import.meta.url));
const read = (name: string): string => readFileSync(`${fixtures}${name}`, "utf8");
const cases = JSON.parse(read("template-cases.json")) as { vars: Record<string, Value> };
const golden = JSON.parse(read("template-golden.json")) as Record<Kind, [string, Result][]>;
/** Cases that Ansible accepts and the subset refuses, each with the reason. */
const refused = JSON.parse(read("template-refused.json")) as Record<string, string>;

const position = { file: "case.yml", line: 1, column: 1 };
const scope = new Scope({
  searchPath: [fixtures],
  reader: { ...controllerReader, env: (name) => (name === "EDGE_GOLDEN" ? "here" : undefined) },
}).withTemplates(cases.vars);

const run: Record<Kind, (source: string) => Value> = {
  values: (value) => renderValue({ value, position, positionOf: () => position }, scope),
  files: (source) =>
    renderTemplate(
      parseTemplate(source, position),
      scope.withOptions({ includePath: [`${fixtures}templates`, fixtures] }),
    ),
  conditions: (source) => evaluateCondition(parseCondition(source, position), scope),
};

for (const kind of ["values", "files", "conditions"] as const) {
  t.test(kind, async (t) => {
    for (const [source, expected] of golden[kind]) {
      let found: Value | undefined;
      let failure: unknown;
      try {
        found = run[kind](source);
      } catch (error) {
        failure = error;
      }
      if (failure !== undefined) {
        t.ok(failure instanceof EdgeError, `${source}: an error of ours`, { failure });
        if ("value" in expected) t.ok(source in refused, `${source}: refused with a reason`, { failure, expected });
      } else if ("error" in expected) t.fail(`${source}: Ansible fails, we do not`, { found, expected });
      else t.strictSame(found, expected.value, source);
    }
  });
}
