import type { InventoryHost } from "../inventory/types.js";
import type { Scope } from "../playbook/scope.js";
import type { Vars } from "../playbook/types.js";
import { groupOf, groupsShown } from "./facts-asked.js";
import type { FactGroup } from "./facts-script.js";
import { baseScope } from "./host-vars.js";
import type { GatheredFacts, HostSession } from "./session.js";
import { type Sight, seenFacts } from "./setup.js";

const NOTHING: readonly FactGroup[] = [];

/** By which way a host is asked, and whom as; undefined is the user who logs in. */
interface Asker {
  readonly session: HostSession;
  readonly as: string | undefined;
}

/** The facts of one host, as far as the run has asked for them. */
export class KnownFacts {
  #gathered: GatheredFacts;
  #asker: Asker;
  #scope: { readonly of: GatheredFacts; readonly sights: readonly Sight[]; readonly scope: Scope } | undefined;
  /** The host has been changed since they were gathered. */
  stale = false;

  constructor(
    readonly host: InventoryHost,
    asker: Asker,
    gathered: GatheredFacts,
  ) {
    this.#asker = asker;
    this.#gathered = gathered;
  }

  get all(): Vars {
    return this.#gathered.facts;
  }

  /** Names of the libraries that the host keeps. */
  get libraries(): Set<string> {
    return this.#gathered.libraries;
  }

  /** Asks the host for more, or for all of it again. @throws UnreachableError */
  async gather(groups: Iterable<FactGroup>, anew = false): Promise<void> {
    const { session, as } = this.#asker;
    this.#gathered = await session.facts([...this.#gathered.groups, ...groups], { as, anew });
    if (anew) this.stale = false;
  }

  /** Asks by another way from now on. */
  async gatherAs(asker: Asker, anew: boolean): Promise<void> {
    this.#asker = asker;
    await this.gather([], anew);
  }

  /** Inventory variables and the facts that were shown. */
  scope(sights: readonly Sight[]): Scope {
    const known = this.#scope;
    const same = known?.of === this.#gathered && known.sights.length === sights.length;
    if (known !== undefined && same && known.sights.every((sight, index) => sight === sights[index]))
      return known.scope;
    const scope = baseScope(this.host, seenFacts(this.all, sights));
    this.#scope = { of: this.#gathered, sights, scope };
    return scope;
  }

  /** Facts that have been shown and were not asked for. @param has whether something else has given a variable */
  owes(name: string, sights: readonly Sight[], has: (name: string) => boolean): readonly FactGroup[] {
    if (sights.length === 0 || !name.startsWith("ansible_")) return NOTHING;
    const { groups } = this.#gathered;
    const shows = (fact: string) => sights.some((sight) => sight.shows(fact));
    if (name === "ansible_facts") return this.lacks(shows);
    const isPart = name.startsWith("ansible_facts.");
    const fact = name.slice(isPart ? "ansible_facts.".length : "ansible_".length);
    const group = groupOf(fact);
    if (group === undefined || groups.has(group) || !shows(fact)) return NOTHING;
    return !isPart && has(name) ? NOTHING : [group];
  }

  /** Groups of facts that would be shown and were not asked for. */
  lacks(shows: (fact: string) => boolean): readonly FactGroup[] {
    const { groups } = this.#gathered;
    return groupsShown(shows).filter((group) => !groups.has(group));
  }
}
