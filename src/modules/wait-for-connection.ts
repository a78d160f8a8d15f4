import { type Args, text } from "./args.js";
import { call } from "./fragments.js";
import type { HostWait, TaskModule } from "./types.js";

/** How long the task waits for its host. */
export function hostWait(args: Args): HostWait {
  const [timeoutMs = 0, pauseMs = 0] = ["timeout", "sleep"].map((name) => Math.max(0, Number(args[name])) * 1000);
  return { timeoutMs, pauseMs };
}

/** ansible.builtin.wait_for_connection: a program that begins is all that the host has to say; the engine calls it until it does. */
export const waitForConnection: TaskModule = {
  spec: {
    name: "wait_for_connection",
    args: {
      timeout: { type: "int", default: 600 },
      delay: { type: "int", default: 0 },
      sleep: { type: "int", default: 1 },
      // A call of the host takes as long as connecting does.
      connect_timeout: { type: "int", default: 5 },
    },
  },
  returns: { elapsed: "int" },
  build(args) {
    return { shell: call("m_reach", text(args, "delay")), libs: ["wait"], waits: hostWait(args) };
  },
};
