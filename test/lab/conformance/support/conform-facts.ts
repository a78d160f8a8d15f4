import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { notGathered } from "../../../../src/playbook/fact-names.js";
import { runAnsible } from "./ansible.js";
import { runEdgeSetup } from "./edge-setup.js";
import type { Desk } from "./hosts.js";

const folder = join(import.meta.dirname, "../facts");
/** Of whom facts are, by the files that the playbook writes. */
const LOOKS = ["root", "login", "here"];
/** Lists that no order is promised of: sets, and what a directory holds. */
const UNORDERED =
  /^(interfaces|all_ipv[46]_addresses|virtualization_tech_\w+|mounts|fibre_channel_wwn|\w+\.interfaces|\w+\.slaves)$/;
/** Facts of edge-setup's own. */
const OWN = /^edge_/;

interface ByNature {
  readonly what: string;
  readonly reason: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Facts = { readonly [name: string]: Json };

export interface FactsCompared {
  /** How many facts both have. */
  readonly compared: number;
  /** `root: FACT: ours, theirs`. */
  readonly differences: readonly string[];
}

/** Gathers all facts of a host and of this machine by both engines, and compares each with its parts and types. */
export async function conformFacts(desk: Desk): Promise<FactsCompared> {
  const nature = parse(await readFile(join(folder, "differences.yml"), "utf8")) as readonly ByNature[];
  const theirs = await factsBy(runAnsible, desk);
  const ours = await factsBy(runEdgeSetup, desk);
  const found = LOOKS.map((look) => compareFacts(ours[look] ?? {}, theirs[look] ?? {}, nature));
  return {
    compared: found.reduce((sum, { compared }) => sum + compared, 0),
    differences: found.flatMap(({ differences }, index) => differences.map((text) => `${LOOKS[index]}: ${text}`)),
  };
}

async function factsBy(engine: typeof runAnsible, { inventory, sshConfig }: Desk): Promise<Record<string, Facts>> {
  const dir = await mkdtemp(join(tmpdir(), "facts-"));
  const playbook = join(folder, "facts.yml");
  try {
    const flags = ["-e", `dir=${dir}`];
    const { verdict, output } = await engine({ playbook, inventory, sshConfig, check: false, flags });
    if (verdict !== "well") throw new Error(output);
    const read = async (look: string): Promise<[string, Facts]> => {
      const text = await readFile(join(dir, `${look}.json`), "utf8");
      return [look, JSON.parse(text) as Facts];
    };
    return Object.fromEntries(await Promise.all(LOOKS.map(read)));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What two engines say of one host; a fact that only Ansible has must be one that the language refuses by its name. */
export function compareFacts(ours: Facts, theirs: Facts, nature: readonly ByNature[]): FactsCompared {
  const plain = (facts: Facts) =>
    new Map(Object.entries(facts).map(([name, value]) => [name.replace(/^ansible_/, ""), value]));
  const [a, b] = [plain(ours), plain(theirs)];
  const isAside = (what: string) =>
    nature.some((one) => (one.what.endsWith("*") ? what.startsWith(one.what.slice(0, -1)) : what === one.what));
  const differences: string[] = [];
  let compared = 0;
  const say = (what: string, our: Json | undefined, their: Json | undefined) => {
    if (!isAside(what)) differences.push(`${what}: ${JSON.stringify(our)}, by Ansible ${JSON.stringify(their)}`);
  };
  const compare = (what: string, our: Json | undefined, their: Json | undefined): void => {
    if (isAside(what)) return;
    if (our === undefined || their === undefined) say(what, our, their);
    else if (Array.isArray(our) && Array.isArray(their)) {
      const [first = [], second = []] = [our, their].map((list) => (UNORDERED.test(what) ? inOrder(list) : list));
      if (first.length !== second.length) say(what, our, their);
      else for (const [index, one] of first.entries()) compare(what, one, second[index]);
    } else if (isDict(our) && isDict(their)) {
      for (const key of new Set([...Object.keys(our), ...Object.keys(their)]))
        compare(`${what}.${key}`, our[key], their[key]);
    } else if (our !== their) say(what, our, their);
  };
  for (const [name, their] of b) {
    if (notGathered(name) !== undefined) continue;
    compared++;
    compare(name, a.get(name), their);
  }
  for (const name of a.keys()) if (!b.has(name) && !OWN.test(name)) say(name, a.get(name), undefined);
  return { compared, differences };
}

const isDict = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of mounts their places decide, as sizes may have become others. */
function inOrder(list: readonly Json[]): readonly Json[] {
  const key = (item: Json) => (isDict(item) ? String(item.mount) : JSON.stringify(item));
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
