/** `argument_specs` of a role: what its variables have to be, checked by a task before its own. */
import { posix } from "node:path";
import type { LoadContext } from "./load-context.js";
import type { Naming } from "./load-roles.js";
import { fieldsOf, type Inherited, mapFields, type Place, type TaskLoader } from "./load-tasks.js";
import type { RoleFiles } from "./role-files.js";
import type { TaskNode, Templated, Value } from "./types.js";
import type { YamlNode } from "./yaml-nodes.js";

/** In `meta/main.yml`, or in a file of its own beside it. */
export const SPECS = "argument_specs";

/** What a role says of the variables of the tasks at hand. */
export interface Spec {
  /** Of the task that checks them. */
  readonly name: string;
  readonly options: Templated;
}

/** @param own what stands in the role's `meta`; a file of its own is stronger */
export function readSpec(
  files: RoleFiles,
  { from, position }: Naming,
  own: YamlNode | undefined,
  context: LoadContext,
): Spec | undefined {
  const file = files.has("meta", SPECS) ? files.file("meta", SPECS, position)?.node : undefined;
  const all = file === undefined ? own : mapFields(file).get(SPECS)?.value;
  const entry = from.tasks ?? "main";
  const node = mapFields(all).get(entry)?.value;
  if (node === undefined) return undefined;
  const map = context.map(node, `the argument_specs of ${entry}`);
  const about = fieldsOf(map);
  if (about.size === 0) return undefined;
  const short = about.get("short_description")?.value;
  const more = short === undefined ? "" : ` - ${context.templateText(short, "short_description")}`;
  return {
    name: `Validating arguments against arg spec '${entry}'${more}`,
    options: context.templated(about.get("options")?.value ?? { ...map, entries: [] }),
  };
}

/** The task that checks the variables of a role, and that no tag leaves out. */
export function validation(
  loader: TaskLoader,
  { naming, files, spec }: { readonly naming: Naming; readonly files: RoleFiles; readonly spec?: Spec },
  inherited: Inherited,
  place: Place,
): TaskNode[] {
  if (spec === undefined) return [];
  const { options, name } = spec;
  const { position } = options;
  const known = (value: Value): Templated => ({ value, position, positionOf: () => position });
  const given = Object.fromEntries(Object.entries(naming.params).map(([key, { value }]) => [key, value]));
  const context = { type: "role", name: naming.name, argument_spec_name: naming.from.tasks ?? "main" };
  const args = {
    argument_spec: options,
    provided_arguments: known(given),
    validate_args_context: known({ ...context, path: posix.resolve(files.directory) }),
  };
  const task = loader.taskOf(position, name, { module: "validate_argument_spec", args }, new Map(), inherited, place);
  return [{ ...task, tags: [...new Set([...task.tags, "always"])] }];
}
