import type { Vars } from "../playbook/types.js";
import { type Args, bit, flag, given, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

const FIELDS = ["minute", "hour", "day", "month", "weekday"];
const SPECIAL = ["reboot", "yearly", "annually", "monthly", "weekly", "daily", "hourly"];
const MARK = "#Ansible: ";

/** The line of a job. */
function jobLine(args: Args, inFile: boolean): string {
  const job = text(args, "job").replace(/^[\r\n]+|[\r\n]+$/g, "");
  const special = text(args, "special_time");
  const time = special === "" ? FIELDS.map((name) => text(args, name)) : [`@${special}`];
  return (flag(args, "disabled") ? "#" : "") + [...time, ...(inFile ? [text(args, "user")] : []), job].join(" ");
}

function checked(args: Args): void {
  const file = text(args, "cron_file");
  const present = text(args, "state") === "present";
  if (file === "/etc/crontab") throw new ArgumentError("cron does not manage /etc/crontab via cron_file", "cron_file");
  if (given(args, "special_time") && FIELDS.some((name) => text(args, name) !== "*")) {
    throw new ArgumentError("You must specify time and date fields or special time.", "special_time");
  }
  if (given(args, "insertafter") && given(args, "insertbefore")) {
    throw new ArgumentError("insertafter and insertbefore exclude each other", "insertbefore");
  }
  if (!present) return;
  if (file !== "" && !given(args, "user")) {
    throw new ArgumentError("To use cron_file=... parameter you must specify user=... as well", "user");
  }
  if (!given(args, "job"))
    throw new ArgumentError("You must specify 'job' to install a new cron job or variable", "job");
  if ((given(args, "insertafter") || given(args, "insertbefore")) && !flag(args, "env")) {
    throw new ArgumentError("Insertafter and insertbefore parameters are valid only with env=yes", "env");
  }
}

/** What is done to the lines. */
function work(args: Args, file: string): string {
  const name = text(args, "name");
  const present = text(args, "state") === "present";
  if (name.includes("\n")) throw new ArgumentError("name has several lines", "name");
  if (!flag(args, "env")) {
    if (!present) return call("cronnojob", name);
    const line = jobLine(args, file !== "");
    // A second line would be a job of its own.
    if (/[\r\n]/.test(line)) throw new ArgumentError("job has several lines, and a job of cron is one", "job");
    return call("cronjob", name, line);
  }
  for (const option of ["name", "insertafter", "insertbefore"]) {
    if (given(args, option) && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(text(args, option))) {
      throw new ArgumentError("Invalid name for environment variable", option);
    }
  }
  if (!present) return call("cronnoenv", name);
  return call("cronenv", name, `${name}="${text(args, "job")}"`, text(args, "insertafter"), text(args, "insertbefore"));
}

/** ansible.builtin.cron */
export const cron: TaskModule = {
  spec: {
    name: "cron",
    args: {
      name: { type: "str", required: true },
      user: { type: "str" },
      job: { type: "str", aliases: ["value"] },
      cron_file: { type: "path" },
      state: { type: "str", choices: ["present", "absent"], default: "present" },
      backup: { type: "bool", default: false },
      minute: { type: "str", default: "*" },
      hour: { type: "str", default: "*" },
      day: { type: "str", default: "*", aliases: ["dom"] },
      month: { type: "str", default: "*" },
      weekday: { type: "str", default: "*", aliases: ["dow"] },
      special_time: { type: "str", choices: SPECIAL },
      disabled: { type: "bool", default: false },
      env: { type: "bool", default: false },
      insertafter: { type: "str" },
      insertbefore: { type: "str" },
    },
  },
  returns: { jobs: "known", envs: "known", cron_file: "known", backup_file: "str" },
  build(args, context) {
    checked(args);
    const given_ = text(args, "cron_file");
    const file = given_ === "" || given_.startsWith("/") ? given_ : `/etc/cron.d/${given_}`;
    const user = text(args, "user");
    if (user !== "" && !/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/.test(user))
      throw new ArgumentError("user is no account name", "user");
    const read = (told: string): Vars => {
      const lines = told.split("\n");
      const jobs = lines.filter((line) => line.startsWith(MARK)).map((line) => line.replaceAll(MARK, ""));
      const envs = lines.filter((line) => /^\S+=/.test(line)).map((line) => line.split("=")[0] ?? "");
      return { jobs, envs, ...(given_ === "" ? {} : { cron_file: given_ }) };
    };
    const shell = `CRON() { ${work(args, file).trimEnd()}; }\n${call("m_cron", file, user, bit(flag(args, "backup")))}`;
    return {
      shell: shell + (context.wantsResult ? "cronres\n" : ""),
      libs: ["put", "cron"],
      ...(context.wantsResult ? { tells: { read } } : {}),
    };
  },
};
