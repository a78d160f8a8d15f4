import t from "tap";
import { parseExtraVars, withExtraVars } from "../../../src/inventory/extra-vars.js";
import { inlineInventory } from "../../../src/inventory/inline-inventory.js";
import { validateSettings } from "../../../src/inventory/settings/validate.js";
import { errorsOf, lines, memoryReaders } from "./fixtures/helpers.js";

const readers = memoryReaders({ "more.yml": "hls_fragment: 4s\nhttp_sendfile: no\n", "bad.yml": "- 1\n" });

t.test("pairs, JSON, YAML and files, the later ones winning", async (t) => {
  const { vars } = await parseExtraVars(
    [
      'hls_fragment=2s x_text=\'two words\' x_same="a \\"b\\""',
      '{"http_server_port": 8080, "x_same": [1]}',
      "@more.yml",
    ],
    { readers },
  );
  t.strictSame(vars, {
    hls_fragment: "4s",
    x_text: "two words",
    x_same: [1],
    http_server_port: 8080,
    http_sendfile: false,
  });
});

t.test("they win over inventory, and errors name the flag", async (t) => {
  const extra = await parseExtraVars(["http_server_port=8080", "x_a=1 hls_fragment=2x"], { readers });
  const [host] = inlineInventory("pi,").hosts.map((h) => withExtraVars(h, extra));
  t.equal(host?.vars.http_server_port, "8080");
  t.match(lines(host === undefined ? [] : validateSettings(host)), [/^--extra-vars:2:7: hls_fragment is "2x"/]);
});

t.test("problems", async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ["hls_fragment", '--extra-vars:1:1: "hls_fragment" has no value (write key=value)'],
    ["a=1 b-c=2", '--extra-vars:1:5: "b-c" is not a name for a variable'],
    ["@none.yml", "--extra-vars:1:1: none.yml cannot be read: there is no such file"],
    ["@bad.yml", "bad.yml:1:1: extra variables are not a mapping (write key=value)"],
    ["{a: 1", "--extra-vars:1:6: Flow map must end with a }"],
  ];
  for (const [text, message] of cases)
    t.strictSame(lines(await errorsOf(() => parseExtraVars([text], { readers }))), [message], text);
});
