/** Keywords of plays, blocks and tasks: what the subset has, and what to do instead of the rest. */

export const PLAY_KEYWORDS = (
  "name hosts connection remote_user user gather_facts become become_user vars vars_files environment pre_tasks roles tasks post_tasks handlers tags serial max_fail_percentage " +
  "any_errors_fatal ignore_errors no_log check_mode diff run_once module_defaults gather_subset gather_timeout fact_path collections vars_prompt strategy order become_method force_handlers timeout"
).split(" ");

/** Keywords that a block hands down to its tasks. */
export const INHERITED_KEYWORDS = (
  "name when tags vars remote_user connection become become_user become_method environment ignore_errors any_errors_fatal no_log check_mode diff delegate_to " +
  "run_once module_defaults timeout"
).split(" ");

export const BLOCK_KEYWORDS = [...INHERITED_KEYWORDS, "block", "rescue", "always"];

export const TASK_KEYWORDS = [
  ...INHERITED_KEYWORDS,
  ..."args action local_action loop loop_control register notify changed_when failed_when until retries delay async poll".split(
    " ",
  ),
];

/** Of `include_tasks`: it is a task of its own, and what it includes is not below it. */
export const INCLUDE_KEYWORDS = "name when tags vars args ignore_errors no_log register loop loop_control".split(" ");

/** Of one among handlers. */
export const HANDLER_INCLUDE_KEYWORDS = [...INCLUDE_KEYWORDS, "listen"];

export const HANDLER_KEYWORDS = [...TASK_KEYWORDS, "listen"];

export const become = "sudo is the one way to become another user.";
const inventory = "Set it in the inventory.";
const oneRun = "All hosts run the play at their own pace; serial limits how many.";

export const REFUSED: Readonly<Record<string, string>> = {
  include: "Use import_tasks or include_tasks.",
  throttle: oneRun,
  become_flags: become,
  become_exe: become,
  port: inventory,
  debugger: "Use --check and --diff.",
  ignore_unreachable: "An unreachable host ends its own play only.",
  delegate_facts: "Facts stay with the host they describe.",
  notify: "Notify from the tasks.",
  loop: "Loops are for single tasks.",
  register: "Only tasks have results.",
  first_available_file: "Use lookup('file').",
};

const forPlays = "Set it in the inventory, or in the vars of a play.";

/** Variables that decide how a host is reached: a play has its way before its first task. */
export const CONNECTION_VARS: Readonly<Record<string, string>> = {
  ansible_user: "Use the keyword remote_user.",
  ansible_ssh_user: "Use the keyword remote_user.",
  ansible_become: "Use the keyword become.",
  ansible_become_user: "Use the keyword become_user.",
  ansible_connection: "Use delegate_to: localhost for a task on this machine.",
  ansible_host: forPlays,
  ansible_ssh_host: forPlays,
  ansible_port: forPlays,
  ansible_ssh_port: forPlays,
  ansible_password: forPlays,
  ansible_ssh_pass: forPlays,
  ansible_become_password: forPlays,
  ansible_become_pass: forPlays,
};

/** What to do instead of a keyword or module that the subset leaves out. */
export function insteadOf(key: string): string | undefined {
  const short = key.replace(/^ansible\.(?:builtin|legacy)\./, "");
  return Object.hasOwn(REFUSED, short) ? REFUSED[short] : undefined;
}
