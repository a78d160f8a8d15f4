import type { ModuleArgs } from "../playbook/types.js";

/**
 * Modules that the controller decides: they say or check something and change nothing on the host. The compile step
 * gives them their place in the program, so that they keep their turn.
 */
export const controlModules: readonly ModuleArgs[] = [
  {
    name: "assert",
    args: {
      that: { type: "raw", required: true },
      fail_msg: { type: "raw", aliases: ["msg"] },
      success_msg: { type: "raw" },
      quiet: { type: "bool", default: false },
    },
  },
  { name: "fail", args: { msg: { type: "raw", default: "Failed as requested from task" } } },
  { name: "debug", args: { msg: { type: "raw" }, var: { type: "raw" }, verbosity: { type: "int", default: 0 } } },
  { name: "set_fact", args: { cacheable: { type: "bool" } }, anyArgs: true },
  {
    name: "meta",
    args: { _raw_params: { type: "raw", choices: ["flush_handlers", "noop", "end_host", "end_batch", "end_play"] } },
    freeForm: true,
  },
  {
    name: "include_vars",
    args: {
      file: { type: "path" },
      dir: { type: "path" },
      name: { type: "str" },
      extensions: { type: "list" },
      _raw_params: { type: "raw" },
    },
    freeForm: true,
    refused: {
      depth: "All directories below are read.",
      files_matching: "Name the files.",
      ignore_files: "Name the files.",
    },
  },
  {
    name: "setup",
    args: { gather_subset: { type: "raw" }, filter: { type: "raw" }, gather_timeout: { type: "int" } },
    refused: { fact_path: "Files of /etc/ansible/facts.d are read." },
  },
  {
    name: "group_by",
    args: { key: { type: "str", required: true }, parents: { type: "list", default: ["all"] } },
  },
  {
    name: "validate_argument_spec",
    args: {
      argument_spec: { type: "raw", required: true },
      provided_arguments: { type: "dict" },
      validate_args_context: { type: "dict" },
    },
  },
  { name: "ping", args: { data: { type: "raw" } } },
];
