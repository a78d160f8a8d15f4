import { compileRegex, regexExec } from "../playbook/python-regex.js";
import type { Vars } from "../playbook/types.js";
import { type Args, given, list, text } from "./args.js";
import { call, posixRegex } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** States of connections as /proc/net/tcp numbers them. */
const CONNECTION_STATES: Readonly<Record<string, string>> = {
  ESTABLISHED: "01",
  SYN_SENT: "02",
  SYN_RECV: "03",
  FIN_WAIT1: "04",
  FIN_WAIT2: "05",
  TIME_WAIT: "06",
};
/** In a connection of IPv6 sockets, what stands before an address of IPv4. */
const MAPPED = "0000000000000000FFFF0000";

/** An address of IPv4 as /proc/net/tcp and tcp6 have it. */
function proc(address: string, argument: string): string[] {
  const plain = address === "localhost" ? "127.0.0.1" : address;
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(plain)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) {
    throw new ArgumentError(`${argument} of state: drained takes addresses of IPv4, and ${address} is none`, argument);
  }
  const hex = parts.reverse().map((part) => part.toString(16).toUpperCase().padStart(2, "0"));
  return [hex.join(""), MAPPED + hex.join("")];
}

/** What /proc/net/tcp shows of connections that are to end, and whose do not count. */
function drained(args: Args): { readonly pattern: string; readonly others: string } {
  const host = text(args, "host");
  const any = host === "0.0.0.0" || host === "::";
  const own = any ? "[0-9A-F]+" : proc(host, "host").join("|");
  const port = Number(args.port).toString(16).toUpperCase().padStart(4, "0");
  const states = list(args, "active_connection_states").map((state) => {
    const number = CONNECTION_STATES[state];
    if (number !== undefined) return number;
    throw new ArgumentError(`unknown active_connection_state (${state}) defined`, "active_connection_states");
  });
  const others = list(args, "exclude_hosts").flatMap((address) => proc(address, "exclude_hosts"));
  // local address, remote address, state
  const pattern = `(${own}):${port} [0-9A-F]+:[0-9A-F]{4} (${states.join("|")})`;
  return { pattern, others: others.join("|") || "-" };
}

/** ansible.builtin.wait_for */
export const waitFor: TaskModule = {
  spec: {
    name: "wait_for",
    args: {
      port: { type: "int" },
      path: { type: "path" },
      host: { type: "str", default: "127.0.0.1" },
      state: { type: "str", choices: ["absent", "drained", "present", "started", "stopped"], default: "started" },
      search_regex: { type: "str" },
      timeout: { type: "int", default: 300 },
      connect_timeout: { type: "int", default: 5 },
      delay: { type: "int", default: 0 },
      sleep: { type: "int", default: 1 },
      exclude_hosts: { type: "list" },
      active_connection_states: { type: "list", default: Object.keys(CONNECTION_STATES) },
      msg: { type: "str" },
    },
  },
  returns: {
    state: "known",
    port: "known",
    path: "known",
    search_regex: "known",
    match_groups: "known",
    match_groupdict: "known",
    elapsed: "int",
  },
  build(args, context) {
    const state = text(args, "state");
    const port = given(args, "port");
    const path = given(args, "path");
    if (port && path) throw new ArgumentError("port and path parameter can not both be passed to wait_for");
    if (path && (state === "stopped" || state === "drained")) {
      throw new ArgumentError(`state=${state} should only be used for checking a port in the wait_for module`, "state");
    }
    if (given(args, "exclude_hosts") && state !== "drained") {
      throw new ArgumentError("exclude_hosts should only be with state=drained", "exclude_hosts");
    }
    if (state === "drained" && !port) throw new ArgumentError("state: drained needs a port", "state");
    const source = text(args, "search_regex");
    if (/\\n|\n/.test(source)) throw new ArgumentError("search_regex looks at each line by itself", "search_regex");
    const regex = source === "" ? "" : posixRegex(source.replace(/\(\?P<\w+>/g, "("), "search_regex");
    // Of what a port says Ansible keeps none.
    const groups = path && /(?<!\\)\((?!\?:)/.test(source);
    const result: Vars = {
      state,
      port: port ? Number(args.port) : null,
      path: path ? text(args, "path") : null,
      search_regex: source === "" ? null : source,
      match_groups: [],
      match_groupdict: {},
    };
    const read = (told: string): Vars => {
      const match = groups ? regexExec(compileRegex(source, { multiline: true }), told) : undefined;
      if (match === undefined) return result;
      const all = match.slice(1).map((group) => group ?? null);
      return { ...result, match_groups: all, match_groupdict: { ...match.groups } };
    };
    const what = state === "drained" ? drained(args) : undefined;
    const target = what?.pattern ?? (port ? text(args, "port") : text(args, "path"));
    const kind = what !== undefined ? "drained" : port ? "port" : path ? "path" : "";
    const asked = state === "stopped" ? "absent" : state === "present" ? "started" : state;
    const numbers = ["timeout", "delay", "sleep"].map((name) => text(args, name));
    const host = kind === "port" ? text(args, "host") : "";
    const last = [host, text(args, "connect_timeout"), what?.others ?? regex];
    const tell = context.wantsResult && groups ? '[ ! -e "$W/seen" ] || tell "$W/seen"\n' : "";
    return {
      shell: call("m_wait", kind, target, asked, ...numbers, text(args, "msg"), ...last) + tell,
      libs: ["wait"],
      ...(context.wantsResult ? { tells: { read } } : {}),
    };
  },
};
