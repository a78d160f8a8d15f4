import { call } from "./fragments.js";
import { ArgumentError, type ModuleCall, type ModuleContext, type SourceInfo } from "./types.js";

/** A controller file that a task names: it is there, can be had, or another host's `fetch` brings it. */
export interface SourceFile {
  readonly info: SourceInfo | undefined;
  readonly needs: Pick<ModuleCall, "payloads" | "missing" | "awaited">;
  /** Lines before the call: what the host says of a file that is to come. */
  readonly before: string;
  /** Why it never comes. */
  readonly lost: string | undefined;
}

/** @throws ArgumentError when it is nowhere, and nobody brings it */
export function sourceFile(source: string, context: ModuleContext): SourceFile {
  const info = context.describe(source);
  const fetchable = context.canFetch(source);
  const common = { info, before: "", lost: undefined };
  if (info !== undefined) {
    return { ...common, needs: { payloads: [info.digest], missing: fetchable ? [source] : [] } };
  }
  if (fetchable) return { ...common, needs: { missing: [source] } };
  const from = context.comesFrom(source);
  if (from === undefined) throw new ArgumentError(`src ${source} does not exist on this machine`, "src");
  if (from.kind === "lost") return { ...common, needs: {}, lost: from.why };
  return { ...common, needs: { awaited: [source] }, before: call("from", `to be fetched from ${from.host}`) };
}

/** The call of a task whose source never comes. */
export function lostSource(why: string): ModuleCall {
  return { shell: call("bad", why), libs: [] };
}
