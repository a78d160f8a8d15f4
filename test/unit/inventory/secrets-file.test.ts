import t from "tap";
import { parseSecretsFile, renderSecretsFile } from "../../../src/inventory/secrets-file.js";
import { Secret } from "../../../src/util/secret.js";
import { errorsOf, lines } from "./fixtures/helpers.js";

const keysOf = async (text: string) => {
  const keys = (await parseSecretsFile(text, "s.yml")).get("pi")?.rtmp_stream_keys ?? {};
  return Object.fromEntries(Object.entries(keys).map(([stream, key]) => [stream, key.reveal()]));
};
const file = (...own: string[]) =>
  ["edge_secrets:", "  pi: # by the door", '    rtmp_publish_token: "t"', ...own, ""].join("\n");

t.test("keys of streams", async (t) => {
  t.same(await keysOf(file()), {});
  t.same(await keysOf(file("    rtmp_stream_keys:")), {}, "none");
  t.same(await keysOf(file("    rtmp_stream_keys: {}")), {});
  t.same(await keysOf(file("    rtmp_stream_keys:", '      church: "k1"', "      tower: k2")), {
    church: "k1",
    tower: "k2",
  });
});

t.test("are added, changed and taken away, and all else stays", async (t) => {
  const change = (text: string, keys: Record<string, Secret | undefined>) =>
    renderSecretsFile(text, new Map([["pi", { rtmp_stream_keys: keys }]]));
  const one = change(file(), { church: new Secret("12345678") });
  t.match(one, "# by the door\n");
  t.match(one, '      church: "12345678"\n', "in quotes: it would be a number");
  const two = change(one, { church: new Secret("other"), tower: new Secret("k2") });
  t.same(await keysOf(two), { church: "other", tower: "k2" });
  const none = change(two, { church: undefined, tower: undefined });
  t.same(await keysOf(none), {});
  t.equal((await parseSecretsFile(none, "s.yml")).get("pi")?.rtmp_publish_token?.reveal(), "t");
});

t.test("of another form are refused where they stand, and not printed", async (t) => {
  const problems = async (...own: string[]) => lines(await errorsOf(() => parseSecretsFile(file(...own), "s.yml")));
  t.match(await problems("    rtmp_stream_keys:", "      church: 12345678"), [
    /^s\.yml:5:\d+: the key of church is not a text/,
  ]);
  t.match(await problems("    rtmp_stream_keys: some-key"), [
    /^s\.yml:4:\d+: rtmp_stream_keys of pi is not a mapping of streams/,
  ]);
  t.match(await problems("    rtmp_stream_keys:", "      church: [a-key-of-it]"), [/^s\.yml:5:\d+: /]);
  t.notMatch((await problems("    rtmp_stream_keys:", "      church: [a-key-of-it]")).join(), "a-key-of-it");
});
