import t from "tap";
import { inlineInventory, isInlineInventory } from "../../../src/inventory/inline-inventory.js";
import { errorsOf, lines } from "./fixtures/helpers.js";

t.test("hosts of the group edges", async (t) => {
  t.equal(isInlineInventory("192.0.2.7,"), true);
  t.equal(isInlineInventory("edges.yml"), false);
  const inventory = inlineInventory("pi@192.0.2.7, vps-1:2222,[2001:db8::1]:2200,");
  t.strictSame(inventory.groups, {
    all: ["192.0.2.7", "vps-1", "2001:db8::1"],
    ungrouped: [],
    edges: ["192.0.2.7", "vps-1", "2001:db8::1"],
  });
  t.strictSame(
    inventory.hosts.map((host) => host.vars),
    [{ ansible_user: "pi" }, { ansible_port: 2222 }, { ansible_port: 2200 }],
  );
  t.match(inventory.hosts[1]?.origins.ansible_port, { file: "--inventory", line: 1, column: 14 });
  t.strictSame(
    inventory.select("edges:!192.0.2.7").map((host) => host.name),
    ["vps-1", "2001:db8::1"],
  );
});

t.test("words that are not hosts", async (t) => {
  const cases: readonly (readonly [string, ...string[]])[] = [
    [",", "the inventory names no host (write --inventory pi@192.0.2.7,)"],
    ["pi one,", '--inventory:1:1: "pi one" is not a host (write [user@]host[:port])'],
    ["a,-oProxyCommand=x,", '--inventory:1:3: "-oProxyCommand=x" is not a host (write [user@]host[:port])'],
    ["a:99999,", '--inventory:1:1: "a:99999" is not a host (write [user@]host[:port])'],
    [
      "a/b,$(id),",
      '--inventory:1:1: "a/b" is not a host (write [user@]host[:port])',
      '--inventory:1:5: "$(id)" is not a host (write [user@]host[:port])',
    ],
  ];
  for (const [text, ...expected] of cases)
    t.strictSame(lines(await errorsOf(() => inlineInventory(text))), expected, text);
});
