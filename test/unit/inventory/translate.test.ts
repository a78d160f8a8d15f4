import t from "tap";
import { translateEnv } from "../../../src/inventory/import/translate.js";

const written = (name: string, value: string) => {
  const position = { file: "edge.env", line: 1, column: 1 };
  const { translations, errors } = translateEnv([{ name, value, position }]);
  t.same(errors, []);
  return translations.map((row) => [row.fate, row.written])[0];
};

t.test("access logs of restreamer-edge are paths, ours are places", async (t) => {
  t.same(written("HTTP_ACCESS_LOG", "/dev/stdout"), ["corrected", "journal"]);
  t.same(written("HTTP_ACCESS_LOG", "/var/log/nginx/access.log"), ["corrected", "file"]);
  t.same(written("HTTP_ACCESS_LOG", "off"), ["taken", undefined]);
  t.same(written("RTMP_ACCESS_LOG", "/dev/stdout"), ["corrected", true]);
});
