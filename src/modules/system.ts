import type { ArgSpec, Vars } from "../playbook/types.js";
import { type Args, bit, flag, given, text, yesNo } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

const STATES = ["started", "stopped", "restarted", "reloaded"];
const returns = {
  name: "str",
  state: "str",
  enabled: "bool",
  status: "known",
  "status.ActiveState": "str",
  "status.LoadState": "str",
  "status.SubState": "str",
  "status.UnitFileState": "str",
} as const;

/** A name without a suffix is a service. */
function unitName(name: string): string {
  return name === "" || /\.(service|socket|mount|timer|target|path|automount|swap|slice|scope|device)$/.test(name)
    ? name
    : `${name}.service`;
}

/** Names that systemctl takes among others: not a template without its instance. */
const PLAIN_UNIT = /^[A-Za-z0-9_.:-]+(@[A-Za-z0-9_.:-]+)?\.[a-z]+$/;

/** What `systemctl show` prints: values of Exec... may have several lines, in braces. */
export function unitProperties(shown: string): Record<string, string> {
  const found: Record<string, string> = {};
  let open: { readonly name: string; readonly lines: string[] } | undefined;
  for (const line of shown.split("\n")) {
    if (open !== undefined) {
      open.lines.push(line);
      if (!line.trimEnd().endsWith("}")) continue;
      found[open.name] = open.lines.join("\n").trim();
      open = undefined;
      continue;
    }
    const at = line.indexOf("=");
    if (at < 0) continue;
    const [name, value] = [line.slice(0, at), line.slice(at + 1)];
    if (name.startsWith("Exec") && value.trimStart().startsWith("{") && !value.trimEnd().endsWith("}")) {
      open = { name, lines: [value] };
    } else found[name] = value.trim();
  }
  return found;
}

/** systemctl with an option that all of its calls take, as long as the lines between run. */
function withOptions(args: Args, shell: string): string {
  const scope = text(args, "scope");
  const words = [...(scope === "system" ? [] : [`--${scope}`]), ...(flag(args, "force") ? ["--force"] : [])];
  if (words.length === 0) return shell;
  const bus = scope === "user" ? "XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR-/run/user/$UIDN} " : "";
  return `systemctl() { ${bus}command systemctl ${words.join(" ")} "$@"; }\n${shell}unset -f systemctl\n`;
}

function unitCall(args: Args, context: ModuleContext): ModuleCall {
  if (["state", "enabled", "masked"].some((name) => given(args, name)) && !given(args, "name")) {
    throw new ArgumentError("state, enabled and masked need a name", "name");
  }
  const asked = text(args, "name");
  if (/[*?[]/.test(asked))
    throw new ArgumentError(`name ${asked} is a pattern, and units are named one by one`, "name");
  const own = text(args, "scope") !== "system" || flag(args, "force");
  const reexec = flag(args, "daemon_reexec") ? call("m_reload", "daemon-reexec") : "";
  const reload = flag(args, "daemon_reload") || reexec !== "";
  const tells = { read: (told: string): Vars => (told === "" ? {} : { status: unitProperties(told) }) };
  if (asked === "") {
    const shell = flag(args, "daemon_reload") ? call("m_reload", "daemon-reload") : "";
    if (shell + reexec === "")
      throw new ArgumentError("one of state, enabled, masked, daemon_reload, daemon_reexec is needed");
    return {
      shell: (context.wantsResult ? "unset R_name R_state R_enabled\n" : "") + withOptions(args, shell + reexec),
      libs: ["systemd"],
      tells: { read: () => ({ name: null, status: {} }) },
    };
  }
  const name = unitName(asked);
  const words = [text(args, "state"), yesNo(args, "enabled"), yesNo(args, "masked")];
  let shell = call("m_unit", name, ...words, bit(reload), bit(flag(args, "no_block")));
  const whole = context.wants("status");
  if (whole) shell = call("unitall", name) + shell;
  if (context.wants("name", "state", "enabled")) shell += call("unitres", asked, words[0] ?? "", words[1] ?? "");
  // Units of others are not among those that are asked about together.
  if (own) shell = `US=$UN UN=\n${shell}UN=$US\n`;
  const units = !own && PLAIN_UNIT.test(name) ? [name] : [];
  return {
    shell: withOptions(args, reexec + shell),
    libs: ["systemd"],
    units,
    ...(whole ? { tells } : {}),
  };
}

const unitArgs = {
  name: { type: "str", aliases: ["service", "unit"] },
  state: { type: "str", choices: STATES },
  enabled: { type: "bool" },
  masked: { type: "bool" },
  daemon_reload: { type: "bool", default: false, aliases: ["daemon-reload"] },
  daemon_reexec: { type: "bool", default: false, aliases: ["daemon-reexec"] },
  force: { type: "bool", default: false },
  no_block: { type: "bool", default: false },
  scope: { type: "str", choices: ["system", "user"], default: "system" },
} as const satisfies Record<string, ArgSpec>;

/** ansible.builtin.systemd_service */
export const systemd: TaskModule = { spec: { name: "systemd_service", args: unitArgs }, returns, build: unitCall };

/** ansible.builtin.service where systemd is the service manager: it hands its arguments to that module, and drops some. */
export const service: TaskModule = {
  spec: {
    name: "service",
    args: {
      ...unitArgs,
      name: { type: "str", required: true },
      pattern: { type: "str" },
      runlevel: { type: "str" },
      sleep: { type: "int" },
      arguments: { type: "str", aliases: ["args"] },
      use: { type: "str", choices: ["auto", "systemd"] },
    },
  },
  returns,
  build: unitCall,
};

const YES = new Set(["y", "yes", "on", "1", "true", "t"]);
const NO = new Set(["n", "no", "off", "0", "false", "f"]);

/** Of a kernel parameter: words for a boolean are its number. */
function parameter(value: string): string {
  if (YES.has(value.toLowerCase())) return "1";
  return NO.has(value.toLowerCase()) ? "0" : value.trim();
}

/** ansible.posix.sysctl */
export const sysctl: TaskModule = {
  spec: {
    name: "sysctl",
    args: {
      name: { type: "str", required: true, aliases: ["key"] },
      value: { type: "str", aliases: ["val"] },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      reload: { type: "bool", default: true },
      sysctl_file: { type: "path", default: "/etc/sysctl.conf" },
      sysctl_set: { type: "bool", default: false },
      ignoreerrors: { type: "bool", default: false },
    },
  },
  returns: {},
  build(args) {
    const name = text(args, "name").trim();
    if (!/^[A-Za-z0-9_./-]+$/.test(name))
      throw new ArgumentError(`${JSON.stringify(name)} is no kernel parameter`, "name");
    const value = parameter(text(args, "value"));
    if (text(args, "state") === "present" && value === "") throw new ArgumentError("value cannot be blank", "value");
    return {
      shell: call(
        "m_sysctl",
        name,
        value,
        text(args, "state"),
        text(args, "sysctl_file"),
        bit(flag(args, "reload")),
        bit(flag(args, "sysctl_set")),
        bit(flag(args, "ignoreerrors")),
      ),
      libs: ["put", "sysctl"],
    };
  },
};
