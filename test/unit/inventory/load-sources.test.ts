import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { sourceVars } from "../../../src/inventory/host-source.js";
import { loadSources } from "../../../src/inventory/load-sources.js";
import { errorsOf, lines, memoryReaders } from "./fixtures/helpers.js";

const fixtures = join(import.meta.dirname, "fixtures");

interface Group {
  readonly hosts?: readonly string[];
  readonly children?: readonly string[];
}

type Listing = Readonly<Record<string, Group>> & {
  readonly _meta: { readonly hostvars: Readonly<Record<string, object>> };
};

/** By the words after `-i`: what `ansible-inventory -i ... --list` printed in fixtures/sources. */
const golden = JSON.parse(readFileSync(join(fixtures, "sources.golden.json"), "utf8")) as Record<string, Listing>;

function membersOf(listing: Listing, group: string): string[] {
  const { hosts = [], children = [] } = listing[group] ?? {};
  return [...new Set([...hosts, ...children.flatMap((child) => membersOf(listing, child))])].sort();
}

const inFixtures = (source: string) => (source.includes(",") ? source : join(fixtures, "sources", source));

t.test("hosts, groups and variables are those of ansible-inventory", async (t) => {
  for (const [words, listing] of Object.entries(golden)) {
    const sources = words.split(" ").map(inFixtures);
    const inventory = await loadSources(sources, { playbookDirectory: join(fixtures, "sources") });
    const vars = Object.fromEntries(inventory.hosts.map((host) => [host.name, host.vars]));
    for (const host of inventory.hosts)
      t.strictSame(vars[host.name], listing._meta.hostvars[host.name] ?? {}, `${words}: ${host.name}`);
    for (const group of Object.keys(listing).filter((name) => name !== "_meta"))
      t.strictSame([...(inventory.groups[group] ?? [])].sort(), membersOf(listing, group), `${words}: group ${group}`);
    t.strictSame(inventory.hosts.map(({ name }) => name).sort(), membersOf(listing, "all"), `${words}: all`);
  }
});

t.test("what ansible-inventory --list prints is an inventory, too", async (t) => {
  const text = JSON.stringify(golden["dir more.yml"]);
  const inventory = await loadSources(["inv.json"], { readers: memoryReaders({ "inv.json": text }) });
  const again = await loadSources(["dir", "more.yml"].map(inFixtures), {
    playbookDirectory: join(fixtures, "sources"),
  });
  const shown = ({ hosts }: typeof inventory) =>
    new Map(hosts.map(({ name, vars, groups }) => [name, { vars, groups }]));
  t.same(shown(inventory), shown(again));
});

t.test("what is wrong in an inventory, with its place", async (t) => {
  const cases: readonly (readonly [string, string, ...string[]])[] = [
    [
      "script",
      "#!/bin/sh\n",
      "script:1:1: the inventory script is a program, and those are not run (keep what it prints: ansible-inventory -i script --list > inventory.json)",
    ],
    [
      "a.toml",
      "[web]\n",
      "a.toml:1:1: the inventory a.toml is TOML, which is not read (convert it: ansible-inventory -i a.toml --list --yaml --export > inventory.yml)",
    ],
    ["h", "[web :vars]\n", "h:1:1: [web :vars] is not a section (write [group], [group:vars] or [group:children])"],
    [
      "h",
      "[web:things]\n",
      "h:1:1: [web:things] is no kind of section (write [group], [group:vars] or [group:children])",
    ],
    ["h", "[we*b]\n", 'h:1:1: "we*b" is not a name for a group (use letters, digits and _)'],
    [
      "h",
      "[web:vars]\nx=1\n",
      "h:1:1: the section [web:vars] names the group web, which has none of its own (add [web])",
    ],
    [
      "h",
      "[web:children]\n  db\n",
      "h:2:3: the section [web:children] names the group db, which has none of its own (add [db])",
    ],
    ["h", "[web]\n[web:vars]\nx\n", 'h:3:1: "x" has no value (write key=value)'],
    ["h", "one two\n", 'h:1:5: "two" is not a variable of the host (write key=value)'],
    ["h", "one x='a\n", "h:1:1: a quote is not closed"],
    ["h", "one x=a\\\n", "h:1:1: nothing follows the backslash"],
    ["h", "pi@one\n", 'h:1:1: "pi@one" is not a name for a host (write the user as ansible_user=)'],
    ["h", "one[3:1]\n", "h:1:1: the range of one[3:1] has no members"],
    ["h", "one x=80,443\n", "h:1:5: Ansible reads 80,443 as a Python tuple (quote it twice: x=\"'80,443'\")"],
    ["h", "one x=1.0\n", "h:1:5: Ansible reads 1.0 as a float (quote it twice: x=\"'1.0'\")"],
    [
      "h",
      "one x={1}\n",
      'h:1:5: the text "{1}" is a Python set, which the subset does not have (quote it twice: x="\'{1}\'")',
    ],
    ["h", "[web]\n[web:vars]\nx=b'a'\n", "h:3:3: b'a' is Python's bytes (quote it twice: x=\"'b'a''\")"],
    [
      "h.yml",
      "plugin: aws_ec2\n",
      "h.yml:1:1: inventory plugins are not run (write their result: ansible-inventory --list --yaml --export)",
    ],
    ["h.json", '{"_meta": {}, "web": {"hosts": [1]}}', "h.json:1:32: this is not a list of names"],
  ];
  for (const [name, text, ...expected] of cases)
    t.strictSame(
      lines(await errorsOf(() => loadSources([name], { readers: memoryReaders({ [name]: text }) }))),
      expected,
      text,
    );
});

t.test("a host is of the source that named it first", async (t) => {
  const files = { "x/one": "a\n", "y/two.yml": "all: {hosts: {a: {v: 1}, b: {}}}\n" };
  const inventory = await loadSources(["x/one", "y/two.yml"], { readers: memoryReaders(files) });
  t.match(sourceVars("a", inventory), { inventory_file: /\/x\/one$/, inventory_dir: /\/x$/ });
  t.match(sourceVars("b", inventory), { inventory_file: /\/y\/two\.yml$/, inventory_dir: /\/y$/ });
  t.same(sourceVars("localhost", inventory), {}, "one that is implied is of none");
});
