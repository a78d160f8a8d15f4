import type { Scope } from "../playbook/scope.js";
import type { Play, Templated, Value, Vars } from "../playbook/types.js";
import type { BuildOptions } from "./compile-task.js";
import type { Delegates } from "./delegates.js";
import type { FactGroup } from "./facts-script.js";
import type { Moment } from "./groups.js";
import type { HostSteps } from "./host-steps.js";
import type { KnownFacts } from "./known-facts.js";
import type { ResultUses } from "./result-uses.js";
import type { Sight } from "./setup.js";

/** What one host brings to the compile step. */
export interface HostScope {
  /** What is weaker than the play's variables: inventory, and the facts that have been shown. */
  readonly base: (sights: readonly Sight[]) => Scope;
  /** What has been shown of the facts. */
  sights: readonly Sight[];
  readonly extraVars: Vars;
  /** What the engine itself sets: inventory_hostname and the like, with the groups that there are at a moment. */
  readonly magic: (now: Moment) => Vars;
  /** set_fact. */
  facts: Record<string, Value>;
  registers: Record<string, Value>;
  /** Facts that modules have given, by the names that these have for them. */
  given: Record<string, Value>;
  /** include_vars. */
  included: Readonly<Record<string, Templated>>;
  readonly known: KnownFacts;
  readonly hostvars: {
    readonly names: readonly string[];
    readonly scopeOf: (host: string, now: Moment) => Scope | undefined;
    /** Whether another host of the batch may have something to do before its variables are read. */
    readonly meets: boolean;
    /** Whether a variable may come to be, or change, while the playbook runs. */
    readonly settable: (name: string) => boolean;
    readonly owes: (host: string, variable: string) => readonly FactGroup[];
  };
  /** Uid of the user who logs in. */
  readonly uid: number;
  readonly localUid: number;
  /** `ansible_connection: local`. */
  readonly local: boolean;
  readonly become: boolean | undefined;
  readonly becomeUser: string | undefined;
  readonly name: string;
  /** Who logs in, as far as it is said; fixed where the host's variables say it, which no keyword changes. */
  readonly login: { readonly user: string | undefined; readonly fixed: boolean };
  /** Hosts that tasks can be delegated to. */
  readonly delegates: Pick<Delegates, "has" | "names">;
}

export interface CompileInput {
  /** Groups that tasks made from then on are not there yet. */
  readonly now: Moment;
  /** The step before which all hosts have met. */
  readonly met: number | undefined;
  readonly play: Play;
  readonly steps: HostSteps;
  readonly host: HostScope;
  readonly options: BuildOptions;
  readonly check: boolean;
  /** What is asked of results: a program that only looks sends no more. */
  readonly uses: ResultUses;
  /** The check is the look before an apply, which comes to all tasks again. */
  readonly looks: boolean;
  /** Whether this host is the one that does what is done once: the first of its batch that comes to it. @param order the task's place */
  readonly isChosen: (order: number) => boolean;
  /**
   * Check mode after something would have changed: results of the host are those of its old state, so a task that cannot
   * be made from them is left for apply instead of being an error.
   */
  readonly lenient: boolean;
}
