import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { errorsOf, lines, memoryReaders } from "./fixtures/helpers.js";

const fixtures = join(import.meta.dirname, "fixtures");

t.test("merges as `ansible-inventory --list` does (fleet.golden.json is its output)", async (t) => {
  const inventory = await loadInventory(join(fixtures, "fleet/edges.yml"));
  const golden = JSON.parse(await readFile(join(fixtures, "fleet.golden.json"), "utf8"));
  const vars = Object.fromEntries(inventory.hosts.map((host) => [host.name, host.vars]));
  t.strictSame(vars, golden._meta.hostvars);
  t.strictSame(inventory.groups.ungrouped, golden.ungrouped.hosts);
  t.strictSame(inventory.groups.german, ["pi-01.local", "vps-2"]);
  t.strictSame(inventory.groups.edges, ["vps-1", "vps-2", "pi-01.local", "pi-02.local", "pi-03.local"]);
  t.strictSame(inventory.hosts.find((h) => h.name === "vps-2")?.groups, ["berlin", "edges", "german"]);
});

t.test("keeps the place of the value that won", async (t) => {
  const inventory = await loadInventory(join(fixtures, "fleet/edges.yml"));
  const [vps2] = inventory.select("vps-2");
  t.match(vps2?.origins.x_layer, { file: join(fixtures, "fleet/host_vars/vps-2"), line: 1, column: 10 });
  t.match(vps2?.origins.hls_fragment, { file: join(fixtures, "fleet/edges.yml"), line: 11, column: 23 });
  t.match(vps2?.position, { line: 28, column: 9 });
});

t.test("patterns select the hosts that `ansible PATTERN --list-hosts` lists", async (t) => {
  const inventory = await loadInventory(join(fixtures, "fleet/edges.yml"));
  const cases: readonly (readonly [string, string])[] = [
    ["all", "lonely vps-1 vps-2 pi-01.local pi-02.local pi-03.local"],
    ["edges", "vps-1 vps-2 pi-01.local pi-02.local pi-03.local"],
    ["edges:!pi-*", "vps-1 vps-2"],
    ["german:&churches", "pi-01.local"],
    ["pi-*", "pi-01.local pi-02.local pi-03.local"],
    ["~pi-0[12]", "pi-01.local pi-02.local"],
    ["edges[0]", "vps-1"],
    ["edges[1:2]", "vps-2 pi-01.local"],
    ["edges[-1]", "pi-03.local"],
    ["lonely,vps-1", "lonely vps-1"],
    ["!edges", "lonely"],
    ["ungrouped", "lonely"],
    // Ansible keeps the pattern's order; here it is always the inventory's.
    ["pi-0?.local:vps-2", "vps-2 pi-01.local pi-02.local pi-03.local"],
    ["zoo*", "pi-02.local"],
    ["ber*,lonely", "lonely vps-2"],
  ];
  for (const [pattern, hosts] of cases)
    t.equal(
      inventory
        .select(pattern)
        .map((host) => host.name)
        .join(" "),
      hosts,
      pattern,
    );
});

t.test("patterns that name nothing are errors", async (t) => {
  const inventory = await loadInventory(join(fixtures, "fleet/edges.yml"));
  const cases: readonly (readonly [string, string])[] = [
    ["edgse", 'no group or host is called "edgse" (Did you mean "edges"?)'],
    ["edges:!vps-3", 'no group or host is called "vps-3" (Did you mean "vps-1"?)'],
    ["", "the host pattern is empty (write all, a group, or a host)"],
    [
      "lonely:!lonely",
      'no host is left of the pattern "lonely:!lonely" (the inventory has lonely, vps-1, vps-2, pi-01.local, pi-02.local, pi-03.local)',
    ],
    ["edges[9]", "edges[9] has no hosts (add hosts to the group, or name another)"],
  ];
  for (const [pattern, message] of cases)
    t.strictSame(lines(await errorsOf(() => inventory.select(pattern))), [message], pattern || "empty");
  t.match(lines(await errorsOf(() => inventory.select("~("))), [/^the host pattern "~\(" cannot be read: /]);
});

t.test("problems of all files come together", async (t) => {
  const readers = memoryReaders({
    "/i/edges.yml": "edges:\n  host:\n    a:\n",
    "/i/group_vars/egdes.yml": "hls_fragment: 2s\n",
    "/i/group_vars/all.yml": "a: 1\na: 2\n",
    "/i/group_vars/all/main.yml": "- 1\n",
    "/i/group_vars/edges.yml": "x_a: !other b\n",
    "/i/group_vars/other.yml": "hls_fragment: 2s\n",
  });
  t.strictSame(lines(await errorsOf(() => loadInventory("/i/edges.yml", { readers }))), [
    '/i/edges.yml:2:3: host is not a part of a group (Did you mean "hosts"?)',
    "/i/group_vars/all.yml:1:1: /i/group_vars/all.yml is ignored by Ansible, as /i/group_vars/all exists (move it into the directory: /i/group_vars/all/main.yml)",
    "/i/group_vars/all/main.yml:1:1: /i/group_vars/all/main.yml is not a mapping of variables",
    "/i/group_vars/edges.yml:1:6: the tag !other cannot be read (write the value without a tag)",
    "/i/group_vars/egdes.yml:1:1: /i/group_vars/egdes.yml belongs to no group or host (rename it to edges)",
  ]);
});

t.test("an inventory that is not there", async (t) => {
  t.strictSame(lines(await errorsOf(() => loadInventory("/none.yml", { readers: memoryReaders({}) }))), [
    "the inventory /none.yml cannot be read: there is no such file (name it with --inventory FILE, or give hosts ended by a comma: --inventory pi@192.0.2.7,)",
  ]);
});
