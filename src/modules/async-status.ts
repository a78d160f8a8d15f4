import { text } from "./args.js";
import { call } from "./fragments.js";
import type { TaskModule } from "./types.js";

/** What a task with `poll: 0` gives. */
export const startReturns = { ansible_job_id: "str", started: "int", finished: "int", results_file: "str" } as const;

/** Names of jobs are ours: what has another form is none. */
const JOB = /^[0-9a-f]{16}\.[0-9a-f]+\.\d+$/;

/** ansible.builtin.async_status */
export const asyncStatus: TaskModule = {
  spec: {
    name: "async_status",
    args: {
      jid: { type: "str", required: true },
      mode: { type: "str", choices: ["status", "cleanup"], default: "status" },
    },
  },
  returns: {
    ...startReturns,
    ...{ erased: "str", rc: "int", stdout: "str", stderr: "str", msg: "str", cmd: "json" },
    ...{ start: "time", end: "time", delta: "json" },
  },
  build(args) {
    const job = text(args, "jid");
    return {
      shell: call("m_jobstate", JOB.test(job) ? job : "none", text(args, "mode")),
      libs: ["command", "async"],
    };
  },
};
