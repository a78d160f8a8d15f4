import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { argumentErrors } from "../../../src/playbook/argument-spec.js";
import { loadJson } from "../../../src/playbook/python-json.js";
import { sha256Crypt, sha512Crypt } from "../../../src/playbook/sha-crypt.js";
import type { Vars } from "../../../src/playbook/types.js";
import { looseVersionCompare } from "../../../src/playbook/versions.js";
import { nodeValue, readYaml, type YamlNode } from "../../../src/playbook/yaml-nodes.js";
import { packYaml, unpackYaml } from "../../../src/playbook/yaml-pack.js";
import { formatPosition } from "../../../src/util/errors.js";
import { suggest } from "../../../src/util/suggest.js";

// From `openssl passwd -6 -salt SALT PASSWORD` (OpenSSL 3.0).
const hashes: [string, string, number | undefined, string][] = [
  [
    "a",
    "saltsalt",
    undefined,
    "$6$saltsalt$8gzUrz5S2/0AfMGfui2LllQQ2fwu.jYnAVGef2XY7gAo0jNFrzHsTq9lMr2ze7QvIJxr4BYOKdgDpx4Va9Atb1",
  ],
  [
    "pw-ü",
    "ab",
    undefined,
    "$6$ab$RKBp7Yg5QnZdYLHbOXG0wJFGcTZ5vLa/aSQA9GAn13.Dj2c7HL/Is2VtPFv1j.RE7K/9edquGJd2WRA6Tj3rp0",
  ],
  [
    "pw-ü",
    "0123456789abcdef",
    undefined,
    "$6$0123456789abcdef$bah2d6.KUqLniqz0ZGvhG2DhuxEdIV2ltYLqiZ0gu2a9s65M3Aa87iNQIEeEIYDw0nfdzeoXhMAgIGzAwHFeu/",
  ],
  [
    "x".repeat(100),
    "saltsalt",
    undefined,
    "$6$saltsalt$9HNqus/FQOG.XUp153ohaAe3d4vycIH3mMrzmIFPNDtxtEtKipo2Um6RqZqjZwWaPBQQkOoYDYKgciqrVaKlT0",
  ],
  [
    "secret",
    "xyz",
    1234,
    "$6$rounds=1234$xyz$EdCtN.nqdbNyJLWs1cdIs1JfotyV5AO4C4VP1sp985Emim9EPKyRKYgRblPHHfWlg3Bdylrc6meD6QToNX3bb.",
  ],
];

t.test("SHA-crypt", async (t) => {
  for (const [password, salt, rounds, expected] of hashes) t.equal(sha512Crypt(password, salt, rounds), expected);
  t.equal(sha256Crypt("secret", "xyz"), "$5$xyz$ifvnqJEnDw1U3s4hNgRQfsh5KGcuIMh2ReetMWPfxY7");
  t.throws(() => sha512Crypt("x", ""), { message: /salt/ });
  t.throws(() => sha512Crypt("x", "a b"), { message: /salt/ });
});

t.test("suggestions", async (t) => {
  const cases: [string, string[], string | undefined][] = [
    ["rtmp_prot", ["rtmp_port", "http_port"], "rtmp_port"],
    ["colur", ["color", "cover"], "color"],
    ["xyz", ["color"], undefined],
    ["ab", ["ba"], "ba"],
    ["Tempalte", ["template", "copy"], "template"],
  ];
  for (const [word, candidates, expected] of cases) t.equal(suggest(word, candidates), expected, word);
});

// What PyYAML's safe_load gives for each scalar.
const scalars: [string, unknown][] = [
  ["yes", true],
  ["No", false],
  ["ON", true],
  ["y", "y"],
  ["n", "n"],
  ["~", null],
  ["Null", null],
  ["", null],
  ["0644", 420],
  ["0o17", "0o17"],
  ["08", "08"],
  ["1_000", 1000],
  ["+5", 5],
  ["-0", 0],
  ["0x1F", 31],
  ["0b11", 3],
  ["1e3", "1e3"],
  ["1.25", 1.25],
  [".5", 0.5],
  ["'yes'", "yes"],
  ['"0644"', "0644"],
  ["[1, yes, '1']", [1, true, "1"]],
  ["|\n  x\n  y\n", "x\ny\n"],
  [">\n  x\n  y\n\n  z\n", "x y\nz\n"],
  ["'it''s'", "it's"],
  ["a # c", "a"],
  ["a#c", "a#c"],
];

t.test("scalars of YAML 1.1", async (t) => {
  for (const [source, expected] of scalars) {
    const node = readYaml("x.yml", `k: ${source}`, (error) => t.fail(error.message));
    t.strictSame(node && nodeValue(node), { k: expected }, source);
  }
});

t.test("versions", async (t) => {
  for (const [a, b, sign] of [
    ["1.2", "1.10", -1],
    ["1.0", "1", 1],
    ["1.2.3", "1.2.3", 0],
    ["2", "10", -1],
  ] as const) {
    t.equal(Math.sign(looseVersionCompare(a, b)), sign, `${a} ${b}`);
  }
  t.throws(() => looseVersionCompare("1.a", "1.1"));
});

t.test("wrong JSON names its place", async (t) => {
  for (const text of ["{", "[1,]", "{'a': 1}", "[01]", "tru", '"a\nb"', "[1] x"]) {
    t.throws(() => loadJson(text), { message: /^from_json: .* at line \d+ column \d+/ }, text);
  }
});

t.test("packed YAML is what its file is read as, with every place", async (t) => {
  const folder = join(import.meta.dirname, "../../../playbooks");
  const names = readdirSync(folder, { recursive: true }).map(String);
  const odd =
    "a: |\n  one\n   two\nb: >-\n  folded\n  line\nc: \"q\\tä\\n\"\nd: 'it''s'\ne: [1, 0x10, ~, \"~\", {f: }]\ng: 😀 x\n";
  const texts = names.filter((name) => name.endsWith(".yml")).map((name) => readFileSync(join(folder, name), "utf8"));
  for (const text of [...texts, odd]) {
    const packed = packYaml(text);
    if (packed === undefined) throw new Error("a playbook of the product is not in order");
    const sent = JSON.parse(JSON.stringify(packed));
    const read = readYaml("play.yml", text, () => {});
    t.strictSame(read === undefined ? [] : placesOf(read), placesOf(unpackYaml("play.yml", text, sent)));
  }
  t.equal(packYaml("a: [1\n"), undefined, "what is not in order is not packed");
  t.equal(packYaml('a: ["{{ b | nosuch }}"]\n'), undefined, "nor what has a mistake in a template");
});

/** All that is known of a node, in lines: where it, and every character of it, stands. */
function placesOf(node: YamlNode, name = ""): string[] {
  const at = `${name} ${formatPosition(node.position)}`;
  if (node.kind === "list") return [at, ...node.items.flatMap((item, index) => placesOf(item, `${name}.${index}`))];
  if (node.kind === "map") {
    return [
      at,
      ...node.entries.flatMap(({ key, position, value }) =>
        placesOf(value, `${name}.${key}@${position.line}:${position.column}`),
      ),
    ];
  }
  const letters = [...`${String(node.value)} `].map((_, offset) => formatPosition(node.locate(offset)));
  return [`${at} ${JSON.stringify([node.value, node.source])} ${letters.join()}`];
}

t.test("argument_specs: values against what options say", async (t) => {
  const spec = {
    name: { required: true },
    port: { type: "int" },
    flag: { type: "bool" },
    rate: { type: "float" },
    words: { type: "list", elements: "int", choices: [1, 2] },
    user: { type: "dict", required_one_of: [["uid", "login"]], options: { uid: { type: "int" }, login: {} } },
    text: { type: "jsonarg" },
  };
  const errors = (given: Vars) => argumentErrors(spec, { name: "n", ...given });
  t.strictSame(errors({ port: "80", flag: "on", rate: "1.5", words: "1,2", user: "uid=1", text: [1] }), []);
  t.strictSame(argumentErrors(spec, {}), ["missing required arguments: name"]);
  t.match(errors({ port: "x" }), [/^argument 'port' is of type .* and we were unable to convert to int: /]);
  t.match(errors({ flag: "maybe" }), [/The value 'maybe' is not a valid boolean/]);
  t.match(errors({ words: ["x", "1"] }), [/^Elements value for option 'words' is of type <class 'str'>/]);
  t.strictSame(errors({ words: [3] }), ["value of words must be one or more of: 1, 2. Got no match for: 3"]);
  t.strictSame(errors({ user: {} }), ["one of the following is required: uid, login found in user"]);
  t.strictSame(errors({ more: 1, user: { login: "x", gid: 1 } }), [
    "more, user.gid. Supported parameters include: flag, name, port, rate, text, user, words.",
  ]);
  const rules = {
    a: {
      type: "dict",
      required_if: [["b", 1, ["c"]]],
      required_by: { c: "d" },
      options: { b: { type: "int" }, c: {}, d: {} },
    },
  };
  t.strictSame(argumentErrors(rules, { a: { b: "1" } }), ["b is 1 but all of the following are missing: c found in a"]);
  t.strictSame(argumentErrors(rules, { a: { c: 1 } }), ["missing parameter(s) required by 'c': d found in a"]);
});
