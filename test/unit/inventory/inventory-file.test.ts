import t from "tap";
import { parseInventory } from "../../../src/inventory/inventory-file.js";
import { lines } from "./fixtures/helpers.js";

const bad: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "an empty file",
    "",
    ["e.yml:1:1: the inventory is empty (name a group with its hosts: edges: { hosts: { pi-1: } })"],
  ],
  ["a list", "- pi-1\n", ["e.yml:1:1: the inventory is not a mapping of groups (begin with a group: edges:)"]],
  ["no group", "hosts:\n  a:\n", ["e.yml:1:1: hosts stands outside a group (put it below a group, or below all)"]],
  [
    "a plugin",
    "plugin: aws_ec2\n",
    ["e.yml:1:1: inventory plugins are not run (write their result: ansible-inventory --list --yaml --export)"],
  ],
  [
    "INI",
    "# my hosts\n[edges]\npi-1\n",
    [
      "e.yml:1:1: this is an INI inventory, and only the YAML form is read (convert it: ansible-inventory -i e.yml --list --yaml --export > edges.yml)",
    ],
  ],
  [
    "a syntax error",
    "edges:\n  hosts: [\n",
    ["e.yml:3:1: a [ is not closed before this place (close it with ], or indent what belongs to it)"],
  ],
  ["a key twice", "edges:\n  vars: {}\n  vars: {}\n", ["e.yml:3:3: this key is given twice"]],
  ["two documents", "edges:\n---\nb:\n", ["e.yml:2:1: a second YAML document begins here, and only one is read"]],
  [
    "settings beside vars",
    "edges:\n  hls_fragment: 2s\n",
    [
      "e.yml:2:3: hls_fragment is not a part of a group (a group has hosts, vars and children: put settings below vars)",
    ],
  ],
  [
    "hosts as a list",
    "edges:\n  hosts:\n    - pi-1\n",
    ["e.yml:3:5: hosts of the group edges is not a mapping (write each as a key: `pi-1:`, not `- pi-1`)"],
  ],
  [
    "a group as a text",
    "edges: pi-1\n",
    ["e.yml:1:8: the group edges is not a mapping (give it hosts, vars or children)"],
  ],
  [
    "a group with a dash",
    "my-edges:\n",
    ['e.yml:1:1: "my-edges" is not a name for a group (use letters, digits and _)'],
  ],
  [
    "a host as a text",
    "edges:\n  hosts:\n    pi-1: 192.0.2.7\n",
    ["e.yml:3:11: the host pi-1 is not a mapping of variables (write pi-1: { ansible_host: ... })"],
  ],
  [
    "a user before the host",
    "edges: { hosts: { pi@pi-1: } }\n",
    ['e.yml:1:19: "pi@pi-1" is not a name for a host (write the user as ansible_user)'],
  ],
  ["a number as host", "edges: { hosts: { 7: } }\n", ["e.yml:1:19: the key 7 is not a text: put it in quotes"]],
  [
    "a range backwards",
    "edges: { hosts: { 'pi[3:1]': } }\n",
    ["e.yml:1:19: the range of pi[3:1] has no members (write a range as pi[1:3])"],
  ],
  [
    "an endless range",
    "edges: { hosts: { 'pi[0:99999999]': } }\n",
    ["e.yml:1:19: pi[0:99999999] stands for more than 10000 hosts (write a range as pi[1:3])"],
  ],
  [
    "groups in each other",
    "a:\n  children:\n    b:\n      children:\n        a:\n",
    ["e.yml:1:1: the groups a > b > a contain each other"],
  ],
  [
    "a priority that is none",
    "a: { vars: { ansible_group_priority: high } }\n",
    ["e.yml:1:38: ansible_group_priority is not a whole number"],
  ],
  [
    "several at once",
    "a: { hots: {}, vars: [1] }\nb: 1\n",
    [
      'e.yml:1:6: hots is not a part of a group (Did you mean "hosts"?)',
      "e.yml:1:22: vars of the group a is not a mapping",
      "e.yml:2:4: the group b is not a mapping (give it hosts, vars or children)",
    ],
  ],
];

for (const [name, text, expected] of bad)
  t.test(name, async (t) => t.strictSame(lines(parseInventory(text, "e.yml").errors), expected));

t.test("ports, IPv6 and single names", async (t) => {
  const text =
    "edges:\n  hosts:\n    pi-1:2222:\n    '[2001:db8::1]:2200': {}\n    2001:db8::2: {}\n  children: more\nmore: { hosts: solo }\n";
  const { graph, errors } = parseInventory(text, "e.yml");
  t.strictSame(lines(errors), []);
  t.strictSame([...graph.hosts.keys()], ["pi-1", "2001:db8::1", "2001:db8::2", "solo"]);
  t.equal(graph.hosts.get("pi-1")?.vars.get("ansible_port")?.value, 2222);
  t.equal(graph.hosts.get("2001:db8::1")?.vars.get("ansible_port")?.value, 2200);
  t.strictSame([...graph.membersOf("edges")], ["pi-1", "2001:db8::1", "2001:db8::2", "solo"]);
});
