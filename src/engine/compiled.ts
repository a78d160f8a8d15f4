import type { Brought, HostWait, LibName, Reboots, ReturnType, Tells } from "../modules/types.js";
import type { TaskNode, Templated, Value, Vars } from "../playbook/types.js";
import type { TaskRef } from "../report/events.js";
import type { Ends } from "./batch.js";
import type { Said } from "./control.js";
import type { Joined } from "./groups.js";
import type { Sight } from "./setup.js";
import type { TaskStep } from "./steps.js";

/** Whom a program runs as, and where. */
export interface Target {
  /** On the controller itself (`delegate_to: localhost`, `connection: local`). */
  readonly local: boolean;
  /** undefined: the user who logs in. */
  readonly user: string | undefined;
  /** Another host of the inventory; then the user is what the playbook says. */
  readonly delegate?: Delegate;
}

/** A host that tasks of others are delegated to. */
export interface Delegate {
  readonly host: string;
  /** undefined leaves it to the host's own variables. */
  readonly become: boolean | undefined;
  /** Who logs in, where the host's variables do not say. */
  readonly login: string | undefined;
}

/** What a finished call is known by. */
export interface CallOutcome {
  readonly status: "ok" | "changed" | "failed" | "skipped" | "pending";
  readonly reason: string;
  /** It failed, and has changed something all the same. */
  readonly changed?: true;
  readonly fields: Readonly<Record<string, string>>;
  /** Of its registered value, what the controller knows. */
  readonly more?: Readonly<Record<string, Value>>;
}

/** `until` that shell cannot say: the program ends with its call, which is made again by another one. */
export interface Retry {
  readonly attempts: number;
  /** Seconds between two. */
  readonly delay: number;
  readonly done: (outcome: CallOutcome, registers: Readonly<Record<string, Value>>) => boolean;
}

/** One numbered call of a program: a task, or one item of its loop. */
export interface CompiledCall {
  /** The step that it is of; a handler's is the flush. */
  readonly at: number;
  readonly ref: TaskRef;
  readonly node: TaskNode;
  /** Label of the loop's item. */
  readonly item?: string;
  readonly itemValue?: Value;
  /** The loop's variables in this turn. */
  readonly turnVars?: Vars;
  /** What the host may ask for: hashes, and controller files that are fetched or verified before they travel. */
  readonly payloads: readonly string[];
  readonly missing: readonly string[];
  /** Controller files that another host brings. */
  readonly awaited?: readonly string[];
  readonly brings?: Brought;
  readonly tells?: Tells;
  readonly reboots?: Reboots;
  readonly waits?: HostWait;
  readonly returns: Readonly<Record<string, ReturnType>>;
  /** Fields of the result that the controller knows. */
  readonly known?: Readonly<Record<string, Value>>;
  /** The loop ends with this call. */
  readonly last: boolean;
  /**
   * An item of include_tasks counts by itself in the recap; one of include_role, or skipped beside others, not at all; a mistake
   * for all of a loop.
   */
  readonly counts?: "alone" | "never" | "whole";
  /** Its condition, where the host decides it. */
  readonly when?: string;
  /** Why it fails where its time was over. */
  readonly late?: string;
  /** Decided here; the program only keeps its turn. */
  readonly reason?: string;
  /** Its status, where the host cannot change it: a segment of such calls needs no program. */
  readonly decided?: CallOutcome["status"];
  /** Of its registered value, what is decided with it. */
  readonly more?: Readonly<Record<string, Value>>;
  /** Groups that the host comes into. */
  readonly joins?: Joined;
  /** Text that needs results which are there when the call ends (debug, fail). */
  readonly say?: (registers: Readonly<Record<string, Value>>) => Said;
  readonly retry?: Retry;
  /** changed_when and failed_when that shell cannot say, decided from the result. */
  readonly judge?: (raw: CallOutcome, registers: Readonly<Record<string, Value>>) => CallOutcome;
}

/** Where the next segment begins. */
export interface StepPosition {
  readonly step: number;
  /** In a flush step: the handler. */
  readonly handler: number;
  /** The number by which that handler is known to be notified. */
  readonly notified?: number;
  /** The number of a handler that has run and is still marked as notified. */
  readonly handled?: number;
}

/** What is known of a step without the program: results of tasks that are skipped for sure, facts that are set. */
export interface Known {
  readonly at: number;
  /** The task whose failure takes it back. */
  readonly of?: number;
  readonly registers: Readonly<Record<string, Value>>;
  readonly facts: Readonly<Record<string, Value>>;
  /** What `setup` has shown. */
  readonly sights?: readonly Sight[];
  /** What include_vars has read. */
  readonly included?: Readonly<Record<string, Templated>>;
}

/** What one program holds: steps that could be compiled together. */
export interface Segment {
  readonly target: Target;
  readonly body: string;
  readonly libs: ReadonlySet<LibName>;
  /** Those that `check_mode: false` makes do real work even in check mode. */
  readonly realLibs: ReadonlySet<LibName>;
  readonly calls: readonly CompiledCall[];
  /** Paths to look at before the first task that looks; the value says whether to hash, too. */
  readonly probes: ReadonlyMap<string, boolean>;
  /** Units to ask systemd about at once, at first. */
  readonly units: ReadonlySet<string>;
  /** Calls that count as no change may make one: what was seen before them is looked at again. */
  readonly acts: boolean;
  /** A task that all hosts have to have passed before the next segment. */
  readonly meeting: TaskStep | undefined;
  /** Its last step ends what comes after it. */
  readonly ends: Ends | undefined;
  /** A task with `run_once` that it ends with, of which the other hosts of the batch get the result. */
  readonly once: TaskStep | undefined;
  /** Another host does that task: its result is waited for. */
  readonly awaits: TaskStep | undefined;
  /** A task to which all hosts have to have come before it is compiled, by its order. */
  readonly meetingBefore?: number | undefined;
  /** undefined at the end of the play. */
  readonly next: StepPosition | undefined;
  /** In the order of their steps. */
  readonly known: readonly Known[];
  /** Marks of blocks at which a failure ends the program. */
  readonly bails: ReadonlySet<number>;
  /** Handlers that are not in the program, which ends before them if they are notified. */
  readonly stops: readonly StepPosition[];
}
