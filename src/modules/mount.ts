import type { Vars } from "../playbook/types.js";
import { bit, flag, given, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** As fstab(5) writes what parts its fields. */
const escaped = (field: string) => field.replaceAll("\\", "\\134").replaceAll(" ", "\\040").replaceAll("&", "\\046");

/** ansible.posix.mount */
export const mount: TaskModule = {
  spec: {
    name: "mount",
    args: {
      path: { type: "path", required: true, aliases: ["name"] },
      src: { type: "path" },
      fstype: { type: "str" },
      opts: { type: "str" },
      dump: { type: "str", default: "0" },
      passno: { type: "str", default: "0" },
      state: {
        type: "str",
        required: true,
        choices: ["absent", "absent_from_fstab", "ephemeral", "mounted", "present", "remounted", "unmounted"],
      },
      fstab: { type: "path", default: "/etc/fstab" },
      boot: { type: "bool", default: true },
      backup: { type: "bool", default: false },
    },
  },
  returns: {
    name: "known",
    src: "known",
    fstype: "known",
    opts: "known",
    dump: "known",
    passno: "known",
    fstab: "known",
    boot: "known",
    backup_file: "str",
  },
  build(args, context) {
    const state = text(args, "state");
    if (["present", "mounted", "ephemeral"].includes(state) && !(given(args, "src") && given(args, "fstype"))) {
      throw new ArgumentError("mount needs src and fstype", "src");
    }
    const path = text(args, "path").replace(/(?<=.)\/+$/, "");
    if (!path.startsWith("/") && !["none", "swap"].includes(path))
      throw new ArgumentError("path is not absolute", "path");
    const fstab = text(args, "fstab");
    if (/[\s*?[\]]/.test(fstab)) throw new ArgumentError("fstab is no plain path", "fstab");
    const wanted = (given(args, "opts") ? text(args, "opts") : "defaults").split(",");
    const later = !flag(args, "boot") && !wanted.includes("noauto");
    const opts = (later && !wanted.includes("defaults") ? [...wanted, "noauto"] : wanted).join(",");
    const words = [path, text(args, "src"), text(args, "fstype"), opts].map(escaped);
    const result: Vars = {
      name: text(args, "path"),
      ...(given(args, "src") ? { src: text(args, "src") } : {}),
      ...(given(args, "fstype") ? { fstype: text(args, "fstype") } : {}),
      opts,
      dump: text(args, "dump"),
      passno: text(args, "passno"),
      fstab,
      boot: later ? "no" : "yes",
    };
    const rest = [text(args, "dump"), text(args, "passno"), state, fstab, bit(flag(args, "backup"))];
    const shell =
      state === "ephemeral"
        ? call("m_ephemeral", path, text(args, "src"), text(args, "fstype"), opts)
        : call("m_mount", ...words, ...rest);
    return {
      shell: shell + (context.wantsResult ? "mountres\n" : ""),
      libs: ["put", "mount"],
      ...(context.wantsResult ? { tells: { read: () => result } } : {}),
    };
  },
};
