import t from "tap";
import { parsePrometheusText } from "../../../src/edge/prometheus-text.js";

const HEAD = "# HELP up Is it?\n# TYPE up gauge\n";

t.test("metrics as an edge writes them", async (t) => {
  t.same(parsePrometheusText(`${HEAD}up 1\n`), [{ name: "up", labels: {}, value: 1 }]);
  t.same(parsePrometheusText(`${HEAD}up{stream="a",b="x\\"y\\\\z\\n"} -1.5e-7\n`), [
    { name: "up", labels: { stream: "a", b: 'x"y\\z\n' }, value: -1.5e-7 },
  ]);
});

const wrong: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  ["a line without an end", `${HEAD}up 1`, /no end/],
  ["no HELP", "# TYPE up gauge\nup 1\n", /without its HELP/],
  ["no TYPE", "# HELP up Is it?\nup 1\n", /not behind the TYPE/],
  ["a sample of another metric", `${HEAD}down 1\n`, /not behind the TYPE/],
  ["a metric twice", `${HEAD}up 1\n${HEAD}`, /there already/],
  ["a series twice", `${HEAD}up{a="1"} 1\nup{a="1"} 2\n`, /second sample/],
  ["a quote in a value", `${HEAD}up{a="1"2"} 1\n`, /labels/],
  ["a label twice", `${HEAD}up{a="1",a="2"} 1\n`, /labels/],
  ["no number", `${HEAD}up undefined\n`, /no sample/],
  ["an empty line", `${HEAD}\nup 1\n`, /no sample/],
];
for (const [what, text, message] of wrong)
  t.test(what, async (t) => t.throws(() => parsePrometheusText(text), { message }));
