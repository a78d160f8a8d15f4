import type { ArgSpec } from "../playbook/types.js";
import { type Args, bit, flag, given, text, yesNo } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type ModuleCall, type TaskModule } from "./types.js";

const STATES = ["started", "stopped", "restarted", "reloaded"];
const statusReturns = {
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

function unitCall(args: Args): ModuleCall {
  const reload = flag(args, "daemon_reload") || flag(args, "daemon_reexec");
  if (!given(args, "name")) return { shell: reload ? "m_reload\n" : call("bad", "nothing asked"), libs: ["systemd"] };
  const name = unitName(text(args, "name"));
  const shell = call(
    "m_unit",
    name,
    text(args, "state"),
    yesNo(args, "enabled"),
    yesNo(args, "masked"),
    bit(reload),
    bit(flag(args, "no_block")),
  );
  return { shell, libs: ["systemd"], units: PLAIN_UNIT.test(name) ? [name] : [] };
}

const serviceArgs = {
  state: { type: "str", choices: STATES },
  enabled: { type: "bool" },
} as const satisfies Record<string, ArgSpec>;

/** ansible.builtin.systemd_service, system scope. */
export const systemd: TaskModule = {
  spec: {
    name: "systemd_service",
    args: {
      ...serviceArgs,
      name: { type: "str", aliases: ["service", "unit"] },
      masked: { type: "bool" },
      daemon_reload: { type: "bool", default: false, aliases: ["daemon-reload"] },
      no_block: { type: "bool", default: false },
      scope: { type: "str", choices: ["system"], default: "system" },
    },
  },
  returns: statusReturns,
  build(args) {
    if (!given(args, "name") && (given(args, "state") || given(args, "enabled") || given(args, "masked"))) {
      throw new ArgumentError("state, enabled and masked need a name", "name");
    }
    return unitCall(args);
  },
};

/** ansible.builtin.service where systemd is the service manager. */
export const service: TaskModule = {
  spec: { name: "service", args: { ...serviceArgs, name: { type: "str", required: true } } },
  returns: statusReturns,
  build: unitCall,
};

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
    const name = text(args, "name");
    if (!/^[A-Za-z0-9_./-]+$/.test(name))
      throw new ArgumentError(`${JSON.stringify(name)} is no kernel parameter`, "name");
    if (text(args, "state") === "present" && !given(args, "value"))
      throw new ArgumentError("sysctl needs a value", "value");
    return {
      shell: call(
        "m_sysctl",
        name,
        text(args, "value").trim().replace(/\s+/g, " "),
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

/** ansible.posix.mount */
export const mount: TaskModule = {
  spec: {
    name: "mount",
    args: {
      path: { type: "path", required: true, aliases: ["name"] },
      src: { type: "path" },
      fstype: { type: "str" },
      opts: { type: "str", default: "defaults" },
      dump: { type: "str", default: "0" },
      passno: { type: "str", default: "0" },
      state: { type: "str", required: true, choices: ["absent", "mounted", "present", "unmounted"] },
      fstab: { type: "path", default: "/etc/fstab" },
    },
  },
  returns: {},
  build(args) {
    const words = ["path", "src", "fstype", "opts", "dump", "passno"].map((name) =>
      text(args, name).replaceAll(" ", "\\040"),
    );
    const state = text(args, "state");
    if ((state === "present" || state === "mounted") && !(given(args, "src") && given(args, "fstype"))) {
      throw new ArgumentError("mount needs src and fstype", "src");
    }
    return { shell: call("m_mount", ...words, state, text(args, "fstab")), libs: ["put", "mount"] };
  },
};

/** ansible.builtin.wait_for, for ports that the host itself listens on, and paths. */
export const waitFor: TaskModule = {
  spec: {
    name: "wait_for",
    args: {
      port: { type: "int" },
      path: { type: "path" },
      host: { type: "str", default: "127.0.0.1" },
      state: { type: "str", choices: ["started", "present", "stopped", "absent"], default: "started" },
      timeout: { type: "int", default: 300 },
      delay: { type: "int", default: 0 },
      sleep: { type: "int", default: 1 },
    },
  },
  returns: {},
  build(args) {
    if (given(args, "port") === given(args, "path")) throw new ArgumentError("wait_for takes either port or path");
    if (given(args, "port") && !["127.0.0.1", "localhost", "::1", "0.0.0.0"].includes(text(args, "host"))) {
      throw new ArgumentError("wait_for looks at ports of the host itself only", "host");
    }
    const state = ["started", "present"].includes(text(args, "state")) ? "started" : "absent";
    const target = given(args, "port") ? ["port", text(args, "port")] : ["path", text(args, "path")];
    return {
      shell: call("m_wait", ...target, state, text(args, "timeout"), text(args, "delay"), text(args, "sleep")),
      libs: ["wait"],
    };
  },
};
