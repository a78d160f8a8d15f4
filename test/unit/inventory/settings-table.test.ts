import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { revealed, revealedVars } from "../../../src/inventory/host-value.js";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { generatedFiles } from "../../../src/inventory/settings/generated.js";
import { settings, settingsByPredecessor } from "../../../src/inventory/settings/index.js";
import { defaultValue } from "../../../src/inventory/settings/parse.js";
import { resolveSettings } from "../../../src/inventory/settings/resolve.js";
import { requiredTmpfsBytes } from "../../../src/inventory/settings/tmpfs.js";
import { parseSource } from "../../../src/inventory/yaml-source.js";
import { renderValue } from "../../../src/playbook/render.js";
import { Scope } from "../../../src/playbook/scope.js";

const root = join(import.meta.dirname, "../../..");
const fixtures = join(import.meta.dirname, "fixtures");

t.test("every variable of restreamer-edge's READMEs, of both generations, is in the table", async (t) => {
  const all = new Set<string>();
  for (const [file, count] of [
    ["restreamer-edge.env", 40],
    ["restreamer-edge-later.env", 56],
  ] as const) {
    const names = (await readFile(join(fixtures, file), "utf8")).trim().split("\n");
    t.equal(names.length, count);
    for (const line of names) {
      const [name = "", value] = line.split("=");
      const row = settingsByPredecessor.get(name);
      t.ok(row, name);
      if (file === "restreamer-edge.env") t.equal(row?.predecessor?.default, value, name);
      all.add(name);
    }
  }
  t.equal(settingsByPredecessor.size, all.size);
});

t.test("rows are sound", async (t) => {
  t.equal(new Set(settings.map((s) => s.name)).size, settings.length, "names are unique");
  for (const setting of settings) {
    t.match(setting.name, /^[a-z][a-z0-9_]*$/);
    t.doesNotThrow(() => defaultValue(setting), setting.name);
    t.match(setting.doc, /\.$/, `${setting.name}: a sentence`);
    t.notOk(
      setting.refusals?.some((r) => r.value === setting.default),
      `${setting.name}: the default is not refused`,
    );
  }
});

for (const { path, render } of generatedFiles)
  t.test(`${path} is current (npm run docs)`, async (t) => t.equal(await readFile(join(root, path), "utf8"), render()));

t.test("playbooks/vars/settings.yml gives on Ansible what the table says", async (t) => {
  const golden: Record<string, Record<string, string | boolean>> = JSON.parse(
    await readFile(join(fixtures, "settings.golden.json"), "utf8"),
  );
  const inventory = await loadInventory(join(fixtures, "settings-cases.yml"));
  for (const host of inventory.hosts) {
    const computed = golden[host.name] ?? {};
    const { values } = resolveSettings(host);
    t.equal(computed.edge_hls_fragment_ms, String(values.hls_fragment), `${host.name} hls_fragment`);
    t.equal(
      computed.edge_hls_playlist_length_ms,
      String(values.hls_playlist_length),
      `${host.name} hls_playlist_length`,
    );
    const required = requiredTmpfsBytes(values);
    t.equal(computed.edge_hls_tmpfs_required_bytes, String(required), `${host.name} required`);
    t.equal(computed.edge_hls_tmpfs_bytes, String(values.hls_tmpfs_size ?? required), `${host.name} size`);
    for (const name of ["http_sendfile", "http_tcp_nopush", "http_metrics", "hls_continuous"] as const)
      t.equal(computed[`edge_${name}`], values[name], `${host.name} ${name}`);
    for (const name of ["http_server_port", "worker_processes", "hls_streams", "http_access_log"] as const)
      t.equal(computed[`edge_${name}`], String(values[name]), `${host.name} ${name}`);
  }
  t.match(golden, {
    defaults: { edge_rtmp_publish_token: "token-of-defaults", edge_http_status_password: "password-of-defaults" },
    numbers: { edge_rtmp_publish_token: "01234567", edge_http_status_password: "given-one" },
    texts: { edge_rtmp_server_port: "1937", edge_worker_processes: "3" },
  });
});

t.test("both engines compute the same from playbooks/vars/settings.yml", async (t) => {
  const golden: Record<string, Record<string, unknown>> = JSON.parse(
    await readFile(join(fixtures, "settings.golden.json"), "utf8"),
  );
  const file = join(root, "playbooks/vars/settings.yml");
  const { root: source } = parseSource(await readFile(file, "utf8"), file);
  const variables = Object.fromEntries(
    [...(source?.entries ?? [])].map(([name, { node }]) => [name, revealed(node.value)]),
  );
  for (const host of (await loadInventory(join(fixtures, "settings-cases.yml"))).hosts) {
    const scope = new Scope()
      .withValues({ inventory_hostname: host.name })
      .withTemplates(revealedVars(host.vars))
      .withTemplates(variables);
    const position = { file, line: 1, column: 1 };
    const computed = Object.keys(variables).map((name) => {
      const value = renderValue({ value: `{{ ${name} }}`, position, positionOf: () => position }, scope);
      return [name, value] as const;
    });
    t.strictSame(Object.fromEntries(computed), golden[host.name], host.name);
  }
});

t.test("the memory formula", async (t) => {
  const MIB = 1024 * 1024;
  const needs = (hls_bitrate: number, hls_playlist_length: number, hls_streams: number, more = {}) =>
    requiredTmpfsBytes({
      hls_bitrate,
      hls_playlist_length,
      hls_streams,
      transcoding: false,
      transcoding_streams: 1,
      transcoding_profiles: ["240p", "native"],
      transcoding_custom_profiles: {},
      ...more,
    });
  // 6.5 Mb/s with a window of 12 s: 39 MB a stream, in whole MiB.
  t.equal(needs(6500, 12_000, 1), 38 * MIB);
  t.equal(needs(6500, 60_000, 1), 186 * MIB);
  t.equal(needs(6000, 12_000, 4), 138 * MIB);
  t.equal(needs(64, 1_500, 1), MIB);
  // The native rung is a second copy, and 240p has 256 kbit/s and 200 beside its video.
  t.equal(needs(6500, 12_000, 1, { transcoding: true }), needs(6500 + 6500 + 456, 12_000, 1));
  t.equal(needs(6500, 12_000, 2, { transcoding: true, transcoding_streams: 2 }), needs(2 * 13_456, 12_000, 1));
  const custom = {
    transcoding_profiles: ["576p"],
    transcoding_custom_profiles: { "576p": { height: 576, video_bitrate: 1200 } },
  };
  t.equal(needs(6500, 12_000, 1, { transcoding: true, ...custom }), needs(6500 + 6500 + 1400, 12_000, 1));
});
