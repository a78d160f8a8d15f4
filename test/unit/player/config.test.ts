import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
// @ts-expect-error the page's own script has no types
import { readConfig } from "../../../assets/player/player/config.js";
import { renderTemplate } from "../../../src/playbook/render.js";
import { Scope } from "../../../src/playbook/scope.js";
import { parseTemplate } from "../../../src/playbook/template-parser.js";

const template = join(import.meta.dirname, "../../../assets/player/player.json.j2");
const HOSTILE = `</script><script>alert("1")</script>&'\\ \u2028 {{ 1 }}`;

const settings = {
  edge_player_watermark_source: "",
  edge_player_watermark_position: "top-right",
  edge_player_watermark_link: "",
  edge_player_color_buttons: "3daa48",
  edge_player_color_seekbar: "#3DAA48",
  edge_player_ga_account: "",
  edge_hls_nested: true,
  edge_hls_signed: false,
  edge_snapshot_interval_ms: "60000",
  edge_hls_dvr_ms: "0",
};

async function written(values: object): Promise<Record<string, unknown>> {
  const position = { file: template, line: 1, column: 1 };
  const scope = new Scope().withValues({ ...settings, ...values });
  return JSON.parse(renderTemplate(parseTemplate(await readFile(template, "utf8"), position), scope));
}
const read = (given: object) => readConfig(given, "http://edge.example");

t.test("what is written is JSON, whatever a setting holds", async (t) => {
  t.match(await written({}), {
    player_color_seekbar: "3DAA48",
    hls_nested: true,
    hls_signed: false,
    hls_dvr: false,
    snapshots: true,
  });
  for (const [name, key] of [
    ["edge_player_watermark_source", "player_watermark_source"],
    ["edge_player_watermark_link", "player_watermark_link"],
    ["edge_player_ga_account", "player_ga_account"],
  ] as const)
    t.equal((await written({ [name]: HOSTILE }))[key], HOSTILE, name);
});

t.test("the page takes what is of the right form, and nothing else", async (t) => {
  t.match(read(await written({ edge_player_watermark_source: "/logo.png?a=1&b=2" })), {
    watermark: "http://edge.example/logo.png?a=1&b=2",
    watermarkLink: null,
    buttons: "#3daa48",
    seekbar: "#3DAA48",
    analytics: null,
  });
  const hostile = read({
    player_watermark_source: "data:text/html,<script>",
    player_watermark_link: "javascript:alert(1)",
    player_watermark_position: 'top" onclick="alert(1)',
    player_color_buttons: "red;} * { display: none",
    player_ga_account: `G-1"></script>`,
  });
  t.match(hostile, { watermark: null, watermarkLink: null, watermarkPosition: "top-right", buttons: null });
  t.equal(hostile.analytics, null);
  t.match(read({}), { hls_signed: false, posters: false, analytics: null }, "nor does it miss what is not there");
});
