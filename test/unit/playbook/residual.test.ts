import t from "tap";
import { parseCondition } from "../../../src/playbook/conditions.js";
import { runtimeNames } from "../../../src/playbook/names-used.js";
import { parseExpression } from "../../../src/playbook/parser.js";
import { isLiteral, residual, residualConditions } from "../../../src/playbook/residual.js";
import { Scope } from "../../../src/playbook/scope.js";

const at = { file: "case.yml", line: 1, column: 1 };
const scope = new Scope().withTemplates({
  on: true,
  off: false,
  port: 80,
  lazy: "{{ port }}",
  late: "{{ probe.rc }}",
  later: "{{ late }}",
});
const isRuntime = (name: string): boolean => name === "probe" || name === "item";

// [expression, the expression it is left as]
const cases: [string, string][] = [
  ["port + 1", "81"],
  ["lazy", "80"],
  ["probe.rc", "probe.rc"],
  ["on and probe.rc == port", "probe.rc == 80"],
  ["off and probe.rc == port", "false"],
  ["probe.rc == 0 or off", "probe.rc == 0 or false"],
  ["probe.rc == 0 if on else missing", "probe.rc == 0"],
  ["'a' ~ port in probe.stdout", "'a80' in probe.stdout"],
  ["probe is changed", "probe is changed"],
  ["probe.stdout | default('x' * 2)", "probe.stdout | default('xx')"],
  ["missing is defined or probe.rc", "probe.rc"],
  ["late == 1", "late == 1"],
  ["[port, probe.rc]", "[80, probe.rc]"],
];
const conditions: [string[], string][] = [
  [["on", "port == 80"], "true"],
  [["probe.rc == 0", "off"], "false"],
  [["probe.rc == 0 and off"], "false"],
  [["probe.rc == 0 or on"], "true"],
  [["probe.rc == 0 or off", "on"], "probe.rc == 0"],
  [["not (probe.rc == 0 and on)"], "not probe.rc == 0"],
  [["not (probe.rc == 0 or on)"], "false"],
  [["probe is changed", "item.on", "on"], "probe is changed and item.on"],
  [["off", "missing.x"], "false"],
];

const bare = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test("residual", async (t) => {
  for (const [source, left] of cases) {
    t.strictSame(
      bare(residual(parseExpression(source, at), scope, isRuntime)),
      bare(parseExpression(left, at)),
      source,
    );
  }
  t.throws(
    () =>
      residual(parseExpression("missing", at), scope, isRuntime) &&
      residual(parseExpression("missing + 1", at), scope, isRuntime),
    { code: "E_UNDEFINED" },
  );
  t.ok(isLiteral(residual(parseExpression("on", at), scope, isRuntime)));
});

t.test("conditions", async (t) => {
  for (const [sources, left] of conditions) {
    const parsed = sources.map((source) => parseCondition(source, at));
    t.strictSame(
      bare(residualConditions(parsed, scope, isRuntime)),
      bare(parseExpression(left, at)),
      sources.join("; "),
    );
  }
  t.throws(() => residualConditions([parseCondition("missing", at)], scope, isRuntime), { code: "E_UNDEFINED" });
});

t.test("run-time names are found through lazy variables", async (t) => {
  t.strictSame([...runtimeNames({ expr: parseExpression("later + 1", at) }, scope, isRuntime)], ["probe"]);
  t.strictSame([...runtimeNames({ value: { a: ["{{ item }}", "{{ port }}"] } }, scope, isRuntime)], ["item"]);
  t.strictSame([...runtimeNames({ value: "{% for item in [1] %}{{ item }}{% endfor %}" }, scope, isRuntime)], []);
});
