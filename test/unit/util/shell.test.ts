import { execFileSync } from "node:child_process";
import { inspect } from "node:util";
import t from "tap";
import { Secret } from "../../../src/util/secret.js";
import { quote, quoteAll } from "../../../src/util/shell.js";

const words = [
  "plain",
  "",
  "two words",
  "it's",
  '"quoted"',
  "$(id)",
  "`id`",
  "a\nb",
  "-n",
  "*",
  "\\",
  "ü",
  "a;b|c&d",
  "~",
];

t.test("what is quoted arrives as it was, in a real shell", async (t) => {
  for (const word of words) {
    t.equal(execFileSync("sh", ["-c", `printf %s ${quote(word)}`], { encoding: "utf8" }), word);
  }
  t.equal(quoteAll(["install", "-m", "0644", "a b"]), "install -m 0644 'a b'");
  t.throws(() => quote("a\0b"), { code: "E_NUL" });
});

t.test("a secret shows itself nowhere", async (t) => {
  const secret = new Secret("hunter2");
  for (const shown of [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret }, { depth: 5 })]) {
    t.notMatch(shown, /hunter2/);
    t.match(shown, /\*\*\*/);
  }
  t.equal(secret.reveal(), "hunter2");
});
