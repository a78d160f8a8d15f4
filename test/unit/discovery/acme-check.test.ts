import t from "tap";
import { type AcmeQuestion, acmeObstacle } from "../../../src/discovery/acme-check.js";
import type { PortState } from "../../../src/discovery/domain-check.js";

const signal = new AbortController().signal;
const NAME = "live.example.org";
const HOST = "198.51.100.7";
const HOST6 = "2001:db8::7";

interface World {
  readonly records?: Readonly<Record<string, readonly string[]>>;
  readonly port?: PortState;
  readonly status?: number;
}

/** What is said, or what is warned of, of a host in such a world. */
async function look(question: Partial<AcmeQuestion>, world: World): Promise<string> {
  const warnings: string[] = [];
  const obstacle = await acmeObstacle(
    {
      ...{ names: [NAME], own: [HOST, HOST6, "fe80::1"], reachedAt: HOST, isEdge: true, clockSkew: 0, direct: true },
      ...question,
    },
    signal,
    {
      addressesOf: async (name) => (world.records ?? { [NAME]: [HOST] })[name] ?? [],
      portState: async () => world.port ?? "answers",
      healthStatus: async () => world.status,
      warn: (text) => warnings.push(text),
    },
  );
  if (obstacle !== undefined) return `${obstacle.text} (${obstacle.hint})`;
  return warnings.length > 0 ? `warning: ${warnings.join("; ")}` : "good";
}

const HOME = { own: ["192.168.1.20", "fd00::20"], reachedAt: "192.168.1.20" };
const ROUTER = { records: { [NAME]: ["203.0.113.5"] } };

const cases: [what: string, question: Partial<AcmeQuestion>, world: World, said: RegExp][] = [
  ["all is well", {}, { status: 204 }, /^good$/],
  [
    "no record",
    {},
    { records: {} },
    /^live.example.org has no A or AAAA record \(make one that leads to the host \(198/,
  ],
  [
    "another host",
    {},
    { records: { [NAME]: ["198.51.100.8"] } },
    /leads to 198.51.100.8, and the host has 198.51.100.7 \(/,
  ],
  ["both families", {}, { records: { [NAME]: [HOST, "2001:DB8:0::7"] }, status: 204 }, /^good$/],
  [
    "IPv6 of another host",
    {},
    { records: { [NAME]: [HOST, "2001:db8::8"] }, status: 204 },
    /has the AAAA record 2001:db8::8, and the host has 2001:db8::7 \(CAs try IPv6 first/,
  ],
  [
    "IPv6 that the host does not have",
    { own: [HOST, "fe80::1"] },
    { records: { [NAME]: [HOST, HOST6] }, status: 204 },
    /and the host has no IPv6 address/,
  ],
  [
    "a firewall",
    {},
    { port: "silent" },
    /^port 80 of live.example.org \(198.51.100.7\) does not answer \(let TCP port 80/,
  ],
  ["not there yet", { isEdge: false }, { port: "refused" }, /^good$/],
  ["there, and refused", {}, { port: "refused" }, /^nothing listens at port 80/],
  ["no IPv6 here", {}, { records: { [NAME]: [HOST6] }, port: "no-way" }, /^good$/],
  ["somebody else", {}, { status: 200 }, /is answered by something else than the edge \(HTTP 200\)/],
  ["something else", {}, {}, /is answered by something else than the edge \(not by HTTP\)/],
  [
    "behind a router, seen from within",
    HOME,
    { ...ROUTER, port: "silent" },
    /^warning: port 80 .* a CA comes from outside/,
  ],
  ["behind a router, and well", HOME, { ...ROUTER, status: 204 }, /^good$/],
  [
    "behind a router, seen from outside",
    { ...HOME, reachedAt: "vpn.example.org" },
    { records: { [NAME]: ["203.0.113.5"], "vpn.example.org": ["203.0.113.9"] }, port: "silent" },
    /leads to 203.0.113.5, and the host has 192.168.1.20, 203.0.113.9/,
  ],
  ["a proxy before it", { direct: false }, { records: { [NAME]: ["203.0.113.5"] }, port: "silent" }, /^good$/],
  [
    "a late clock",
    { clockSkew: -7200 },
    { status: 204 },
    /^the clock of the host is 2 hours behind this machine's \(set/,
  ],
  ["an early clock", { clockSkew: 400, direct: false }, {}, /^the clock of the host is 7 minutes ahead of/],
  ["a clock that is good enough", { clockSkew: 120 }, { status: 204 }, /^good$/],
  ["an address", { names: [HOST] }, { status: 204 }, /^good$/],
  ["another address", { names: ["198.51.100.9"] }, {}, /^198.51.100.9 leads to 198.51.100.9, and the host has/],
];

for (const [what, question, world, said] of cases)
  t.test(what, async (t) => {
    t.match(await look(question, world), said);
  });
