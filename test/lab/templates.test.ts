import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import t from "tap";
import { controllerReader } from "../../src/engine/language.js";
import { evaluateCondition, parseCondition } from "../../src/playbook/conditions.js";
import { renderTemplate, renderValue } from "../../src/playbook/render.js";
import { Scope } from "../../src/playbook/scope.js";
import { parseTemplate } from "../../src/playbook/template-parser.js";
import type { Value } from "../../src/playbook/types.js";
import { EdgeError } from "../../src/util/errors.js";
import { type FuzzCase, TemplateFuzz } from "../support/template-fuzz.js";

// Random templates, by ansible-core and by us: the same value, or ours is refused. `EDGE_FUZZ="50000 7"` is a longer run
// with another seed.
const [count = 4000, seed = 1] = (process.env.EDGE_FUZZ ?? "").split(" ").filter(Boolean).map(Number);

const fixtures = fileURLToPath(new URL("../unit/playbook/fixtures/", import.meta.url));
const { vars } = JSON.parse(readFileSync(`${fixtures}template-cases.json`, "utf8")) as { vars: Record<string, Value> };
const position = { file: "case.yml", line: 1, column: 1 };
const scope = new Scope({ searchPath: [fixtures], reader: controllerReader }).withTemplates(vars);

const run: Record<FuzzCase["kind"], (source: string) => Value> = {
  values: (value) => renderValue({ value, position, positionOf: () => position }, scope),
  files: (source) => renderTemplate(parseTemplate(source, position), scope),
  conditions: (source) => evaluateCondition(parseCondition(source, position), scope),
};

/** What is wrong with a case, if anything is. */
function difference({ kind, source }: FuzzCase, answer: { value: Value } | { error: string }): string | undefined {
  let found: Value;
  try {
    found = run[kind](source);
  } catch (error) {
    return error instanceof EdgeError ? undefined : `breaks: ${error instanceof Error ? error.stack : error}`;
  }
  if ("error" in answer) return `gives ${JSON.stringify(found)}, and Ansible fails: ${answer.error}`;
  // Ansible leaves a template as it is where a constant part of it fails while it is compiled.
  if (isDeepStrictEqual(found, answer.value) || answer.value === source) return undefined;
  return `gives ${JSON.stringify(found)}, and Ansible ${JSON.stringify(answer.value)}`;
}

t.test(`${count} random templates give what Ansible gives, seed ${seed}`, async (t) => {
  const fuzz = new TemplateFuzz(seed);
  const cases = Array.from({ length: count }, () => fuzz.next());
  const answers = execFileSync("/usr/bin/python3", [`${fixtures}ansible_golden.py`, "--lines"], {
    input: cases.map(({ kind, source }) => JSON.stringify([kind, source])).join("\n"),
    encoding: "utf8",
    maxBuffer: 256 << 20,
    stdio: ["pipe", "pipe", "ignore"],
  })
    .trim()
    .split("\n");
  t.equal(answers.length, count);
  const wrong = cases.flatMap((one, index) => {
    const what = difference(one, JSON.parse(answers[index] ?? "null"));
    return what === undefined ? [] : [`${one.kind} ${JSON.stringify(one.source)} ${what}`];
  });
  t.strictSame(wrong, []);
});
