import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import t from "tap";
import type { Value } from "../../../src/playbook/types.js";
import { scratchFolder } from "../../support/scratch-folder.js";
import { generate } from "../generated-files.js";

// How each unit is confined: by systemd's own judgement of its file, and in words for who reads it.

/** The most that `systemd-analyze security` may find, by systemd 252: 0 is nothing, 10 everything. */
const MOST_EXPOSED: Readonly<Record<string, number>> = {
  "edge-http": 1.5,
  "edge-rtmp": 1.5,
  "edge-rtmps": 1.5,
  "edge-certs": 2.2,
  "edge-firewall": 2,
  "edge-media": 1.5,
  "edge-transcode@": 1.2,
  "edge-record@": 1.2,
  "edge-pull@": 1.5,
  "edge-snapshots": 1,
  "edge-janitor": 0.7,
  "edge-views": 0.7,
  "edge-access-log": 0.7,
  "edge-updates": 3.1,
};

const SETTINGS: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  "with the defaults": {},
  "with all that changes units": {
    ...{ rtmp_server_port: 935, http_server_port: 8080, http_access_log: "file", hls_dvr: "1h", record: true },
    push: [{ name: "tube", stream: "church", url: "rtmps://a.example.org/live2" }],
    push_keys: { tube: "key-of-tube" },
  },
};

const systemd = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" });
const version = Number(/^systemd (\d+)/.exec(systemd.stdout ?? "")?.[1] ?? 0);

for (const [name, vars] of Object.entries(SETTINGS)) {
  const files = [...generate(vars)].filter(([path]) => path.startsWith("systemd/") && path.endsWith(".service.j2"));
  const units = files.map(([path, text]) => ({ unit: basename(path, ".service.j2"), text }));

  t.test(`each unit has its limit ${name}`, async (t) => {
    t.same(units.map(({ unit }) => unit).sort(), Object.keys(MOST_EXPOSED).sort());
  });

  t.test(`what a unit may not do has its reason above it, ${name}`, async (t) => {
    for (const { unit, text } of units) {
      const lines = text.slice(text.indexOf("# What no unit of an edge may do")).split("\n");
      t.same(unexplained(lines), [], unit);
      t.match(
        text,
        /\nUser=edge\n|edge-(media serve|certs prepare|firewall load|release refresh)/,
        `${unit} is not root, but for those that ask systemd or the kernel`,
      );
    }
  });

  // Before 250 it takes no file.
  t.test(`systemd finds little to be said against it, ${name}`, { skip: version < 250 }, async (t) => {
    const folder = scratchFolder();
    for (const { unit, text } of units) {
      const file = join(folder, `${unit.replace("@", "@x")}.service`);
      writeFileSync(file, text);
      const said = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", file], {
        encoding: "utf8",
      });
      const exposure = Number(/exposure level for [^:]*: ([0-9.]+)/.exec(said.stdout)?.[1]);
      t.ok(exposure <= (MOST_EXPOSED[unit] ?? 0), `${unit}: ${exposure}`);
      t.notMatch(said.stderr, /Unknown|Failed to parse|Invalid value/, unit);
    }
  });
}

/** Directives without a comment at the head of their lines. */
function unexplained(lines: readonly string[]): string[] {
  const found: string[] = [];
  let explained = false;
  for (const line of lines) {
    if (line.startsWith("[Install]")) break;
    if (line.startsWith("#")) explained = true;
    else if (line === "") explained = false;
    else if (!explained) found.push(line);
  }
  return found;
}
