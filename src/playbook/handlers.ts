import type { TaskNode } from "./types.js";

/** What a handler is called: a role's also with the role's name. */
export function handlerNames({ name, role }: TaskNode): readonly string[] {
  return role === undefined ? [name] : [name, `${role.name} : ${name}`];
}

/**
 * What handlers are notified by, with their places in the list. Of several with one name Ansible takes the first of the list
 * that was read last: those of roles are lists of their own. Of a topic, all listen. Places without a handler count.
 */
export function handlerIndex(handlers: readonly (TaskNode | undefined)[]): ReadonlyMap<string, readonly number[]> {
  const named = new Map<string, number>();
  const index = new Map<string, readonly number[]>();
  const isOneList = (a: TaskNode | undefined, b: TaskNode | undefined) =>
    a !== undefined && b !== undefined && a.role === b.role && a.position.file === b.position.file;
  handlers.forEach((handler, place) => {
    for (const name of handler === undefined ? [] : handlerNames(handler)) {
      const known = named.get(name);
      if (known === undefined || !isOneList(handlers[known], handler)) named.set(name, place);
    }
  });
  for (const [name, place] of named) index.set(name, [place]);
  handlers.forEach((handler, place) => {
    for (const topic of handler?.listen ?? [])
      index.set(
        topic,
        [...new Set([...(index.get(topic) ?? []), place])].sort((a, b) => a - b),
      );
  });
  return index;
}
