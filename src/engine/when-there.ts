import { coerceArgs } from "../modules/args.js";
import type { HostWait } from "../modules/types.js";
import { hostWait, waitForConnection } from "../modules/wait-for-connection.js";
import { renderValue } from "../playbook/render.js";
import type { Scope } from "../playbook/scope.js";
import type { Play, Value } from "../playbook/types.js";
import { UnreachableError } from "../util/errors.js";
import type { Clock } from "./session.js";
import type { PlaySteps } from "./steps.js";

/** How long a play waits for its host before all else: where that is its first task, and no facts are gathered before it. */
export function waitOf({ gatherFacts }: Play, { steps }: PlaySteps, scope: Scope): HostWait | undefined {
  const first = steps.find(({ kind }) => kind !== "open");
  if (gatherFacts || first?.kind !== "task" || first.node.module !== waitForConnection.spec.name) return undefined;
  const { when, loop, args, delegateTo } = first.node;
  if (when.length > 0 || loop !== undefined || delegateTo !== undefined) return undefined;
  const given: Record<string, Value> = {};
  for (const [name, value] of Object.entries(args)) given[name] = renderValue(value, scope);
  return hostWait(coerceArgs(waitForConnection.spec, given));
}

/** Tries until a host is there. @throws UnreachableError the last one, when the time is over */
export async function whenThere<T>(
  { timeoutMs, pauseMs }: HostWait,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal | undefined },
  attempt: () => Promise<T>,
): Promise<T> {
  for (const end = clock.now().getTime() + timeoutMs; ; await clock.sleep(pauseMs, signal)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UnreachableError) || clock.now().getTime() >= end) throw error;
    }
  }
}
