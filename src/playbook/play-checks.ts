/** What is wrong between a play and its tasks. */
import { InputError, type Position } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import { handlerIndex } from "./handlers.js";
import type { LoadContext } from "./load-context.js";
import { isPossiblyTemplate } from "./template-parser.js";
import { includesLate, type Play, type PlayNode, partsOf, type TaskNode, taskOf } from "./types.js";

const LINEAR = "Use strategy: linear.";

/** Nodes with all that stands in them. */
function allOf(nodes: readonly PlayNode[]): PlayNode[] {
  return nodes.flatMap((node) => {
    if (node.kind === "block") return [node, ...allOf(partsOf(node))];
    return node.kind === "task" ? [node] : [node, ...allOf(node.known ?? [])];
  });
}

function nodesOf({ preTasks, tasks, postTasks, handlers }: Play): PlayNode[] {
  return allOf([...preTasks, ...tasks, ...postTasks, ...handlers]);
}

const tasksOf = (play: Play): TaskNode[] => nodesOf(play).filter((node) => node.kind === "task");

/** A name in `notify` that no handler has would fail in the middle of a run, where no role brings more handlers there. */
function checkNotify(play: Play, context: LoadContext): void {
  if ([play.preTasks, play.tasks, play.postTasks].some(includesLate)) return;
  const known = handlerIndex(play.handlers.map(taskOf));
  for (const task of tasksOf(play)) {
    for (const name of task.notify) {
      if (!known.has(name) && !isPossiblyTemplate(name))
        context.problem(
          task.position,
          `the task notifies "${name}", which no handler is called`,
          didYouMean(name, known.keys()),
        );
    }
  }
}

/** `any_errors_fatal: false` of tasks within a play that has it. */
function checkFatal(play: Play, context: LoadContext): void {
  for (const task of tasksOf(play)) {
    if (task.anyErrorsFatal === false)
      context.problem(
        task.position,
        "the play has any_errors_fatal, and the task does not",
        "Set it on the tasks alone.",
      );
  }
}

const isMeta = (node: PlayNode, ...words: readonly string[]) =>
  node.kind === "task" && node.module === "meta" && words.includes(String(node.freeForm?.value));

/** What a task or a block says that does not go with what its play says. */
export function misfit({ free, forceHandlers }: Play, node: PlayNode): InputError | undefined {
  const problem = (position: Position, text: string, hint: string) =>
    new InputError("E_PLAYBOOK", text, { position, hint });
  if (node.kind === "block") {
    if (forceHandlers !== true || node.rescue.length + node.always.length === 0) return undefined;
    const flush = allOf(partsOf(node)).find((one) => isMeta(one, "flush_handlers"));
    if (flush?.kind !== "task") return undefined;
    const text = "flush_handlers in a block with rescue or always is not supported with force_handlers";
    return problem(flush.position, text, "Put it behind the block.");
  }
  if (free !== true) return undefined;
  const { position, runOnce, anyErrorsFatal, flags } = node.kind === "task" ? node : node.task;
  if (runOnce || flags?.runOnce !== undefined)
    return problem(
      position,
      "run_once means nothing with strategy: free",
      "Every host would do it. Use strategy: linear.",
    );
  if (anyErrorsFatal === true || flags?.anyErrorsFatal !== undefined)
    return problem(position, "any_errors_fatal means nothing with strategy: free", LINEAR);
  if (isMeta(node, "end_batch", "end_play"))
    return problem(
      position,
      "where hosts are that this ends is chance with strategy: free",
      "Use end_host, or strategy: linear.",
    );
  return undefined;
}

/** Reports what is wrong between a play and its tasks. @param placeOf where the play says something */
export function checkPlay(play: Play, placeOf: (key: string) => Position, context: LoadContext): void {
  checkNotify(play, context);
  if (play.anyErrorsFatal) checkFatal(play, context);
  if (play.free === true && play.anyErrorsFatal)
    context.problem(placeOf("any_errors_fatal"), "any_errors_fatal means nothing with strategy: free", LINEAR);
  if (play.maxFailPercentage !== undefined && (play.free === true || play.forceHandlers === true)) {
    const other = play.free === true ? "strategy: free" : "force_handlers";
    const hint = play.free === true ? LINEAR : "Use any_errors_fatal.";
    context.problem(placeOf("max_fail_percentage"), `max_fail_percentage is not supported with ${other}`, hint);
  }
  if (play.free !== true && play.forceHandlers !== true) return;
  for (const node of nodesOf(play)) {
    const found = misfit(play, node);
    if (found !== undefined) context.report(found);
  }
}
