/** The way of a host through the steps of a play: which one comes next, and where a failure leads. */
import type { StepPosition } from "./compiled.js";
import type { Block, Step } from "./steps.js";

/** Where a host is. */
export interface Way {
  readonly position: StepPosition;
  /** Blocks whose `always` runs after a failure, which goes on behind it. */
  readonly failing: ReadonlySet<Block>;
}

export const BEGINNING: Way = { position: { step: 0, handler: 0 }, failing: new Set() };

/** The next step at or behind `from`, on its own level, that is one of these marks of a block around `from`. */
export function nextMark(steps: readonly Step[], from: number, kinds: readonly Step["kind"][]): number | undefined {
  let depth = 0;
  for (let index = from; index < steps.length; index++) {
    const kind = steps[index]?.kind;
    if (depth === 0 && kind !== undefined && kinds.includes(kind)) return index;
    if (kind === "open") depth++;
    else if (kind === "close") depth = Math.max(0, depth - 1);
  }
  return undefined;
}

/** Where a failure of a step leads: the mark of a `rescue` or `always`; undefined when it ends the play. */
export function landing(steps: readonly Step[], failed: number): number | undefined {
  return nextMark(steps, failed + 1, ["rescue", "always"]);
}

/** Whether a failure of a step is one that a block around it has a rescue for: Ansible counts and remembers it as such. */
export function isRescued(steps: readonly Step[], failed: number): boolean {
  return nextMark(steps, failed + 1, ["rescue"]) !== undefined;
}

/** Where a host goes on that has nothing to be rescued from. @param mark the step that begins the rescue */
export function behindRescue(steps: readonly Step[], mark: number): number {
  return nextMark(steps, mark + 1, ["always", "close"]) ?? steps.length;
}

/** What is known of a program that has ended, or of steps that needed none. */
export interface Ran {
  /** Steps in which a task failed that nothing forgave. */
  readonly fatal: ReadonlySet<number>;
  /** Those of them that end the play where only forced handlers are left. */
  readonly final: ReadonlySet<number>;
  /** Where the program ends, unless before; undefined at the end of the play. */
  readonly next: StepPosition | undefined;
  /** Marks at which a failure ends the program. */
  readonly bails: ReadonlySet<number>;
  /** Is told of every step that was come to. */
  readonly visit: (step: number) => void;
}

/** Where a host goes on after a program; undefined when its play is over. */
export function goOn(steps: readonly Step[], from: Way, ran: Ran): { readonly way?: Way; readonly failed: boolean } {
  const failing = new Set(from.failing);
  let at = from.position.step;
  const last = ran.next?.step ?? steps.length;
  for (;;) {
    const step = steps[at];
    if (step === undefined) return { failed: false };
    // Handlers before the next one have run.
    if (at === last && step.kind === "flush") ran.visit(at);
    if (at === last && !ran.fatal.has(at))
      return { way: { position: ran.next ?? { step: at, handler: 0 }, failing }, failed: false };
    ran.visit(at);
    let fails = ran.fatal.has(at);
    if (step.kind === "close") fails = failing.delete(step.block);
    if (!fails) {
      at = step.kind === "rescue" ? behindRescue(steps, at) : at + 1;
      continue;
    }
    const mark = landing(steps, at);
    const target = mark === undefined ? undefined : steps[mark];
    if (mark === undefined || target === undefined) return { failed: true };
    if (target.kind === "always") {
      if (target.block.forced === true && ran.final.has(at)) return { failed: true };
      failing.add(target.block);
    }
    ran.visit(mark);
    if (mark >= last || ran.bails.has(mark)) {
      return { way: { position: { step: mark + 1, handler: 0 }, failing }, failed: false };
    }
    at = mark + 1;
  }
}
