import { list, text } from "./args.js";
import { call, quote } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

const PATHS = ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"];

/** ansible.builtin.reboot: the program ends, the engine waits until the host has booted anew, and goes on in another program. */
export const reboot: TaskModule = {
  spec: {
    name: "reboot",
    args: {
      reboot_timeout: { type: "int", default: 600, aliases: ["reboot_timeout_sec"] },
      connect_timeout: { type: "int", aliases: ["connect_timeout_sec"] },
      pre_reboot_delay: { type: "int", default: 0, aliases: ["pre_reboot_delay_sec"] },
      post_reboot_delay: { type: "int", default: 0, aliases: ["post_reboot_delay_sec"] },
      msg: { type: "str", default: "Reboot initiated by Ansible" },
      test_command: { type: "str", default: "whoami" },
      boot_time_command: { type: "str", default: "cat /proc/sys/kernel/random/boot_id" },
      reboot_command: { type: "str" },
      search_paths: { type: "list", default: PATHS },
    },
  },
  returns: { rebooted: "bool", elapsed: "int" },
  build(args) {
    const asked = text(args, "reboot_command").trim();
    const [program = "", rest = ""] = asked === "" ? ["shutdown"] : asked.split(/ (.*)/s);
    // shutdown counts in minutes, and Ansible rounds down.
    const minutes = Math.floor(Math.max(0, Number(args.pre_reboot_delay)) / 60);
    const words = asked === "" ? `-r ${minutes} ${quote(text(args, "msg"))}` : rest;
    if (/[\0\n]/.test(words)) throw new ArgumentError("the command that reboots has several lines", "reboot_command");
    const boot = text(args, "boot_time_command");
    const given = (name: string) => Number(args[name]) * 1000;
    return {
      shell:
        `BOOTID() { sh -c ${quote(boot)}; }\nREBOOT() { eval '"$SD" '${quote(words)}; }\n` +
        call("m_reboot", program, ...list(args, "search_paths")),
      libs: ["reboot"],
      reboots: {
        bootCommand: boot,
        testCommand: text(args, "test_command"),
        timeoutMs: given("reboot_timeout"),
        pauseMs: Math.max(0, given("post_reboot_delay")),
        ...(args.connect_timeout === undefined ? {} : { connectTimeoutMs: given("connect_timeout") }),
      },
    };
  },
};
