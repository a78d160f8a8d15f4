import { bit, flag, given, text } from "./args.js";
import { attributeArgs, attributes, call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** ansible.builtin.file; hard links are refused. */
export const file: TaskModule = {
  spec: {
    name: "file",
    args: {
      ...attributeArgs,
      path: { type: "path", required: true, aliases: ["dest", "name"] },
      state: { type: "str", choices: ["absent", "directory", "file", "link", "touch"] },
      src: { type: "path" },
      recurse: { type: "bool", default: false },
      force: { type: "bool", default: false },
      follow: { type: "bool", default: true },
      access_time: { type: "str" },
      modification_time: { type: "str" },
    },
  },
  returns: {},
  build(args) {
    const path = text(args, "path").replace(/(?<=.)\/+$/, "");
    const [owner, group, mode] = attributes(args);
    const state = given(args, "state")
      ? text(args, "state")
      : given(args, "src")
        ? "link"
        : flag(args, "recurse")
          ? "directory"
          : "file";
    if (path === "") throw new ArgumentError("path is empty", "path");
    if (flag(args, "recurse") && state !== "directory")
      throw new ArgumentError("recurse goes with state: directory", "recurse");
    const libs = ["put", "file"] as const;
    const probes = [{ path, hash: false }];
    switch (state) {
      case "directory":
        return { shell: call("m_dir", path, owner, group, mode, bit(flag(args, "recurse"))), libs, probes };
      case "absent":
        if (path === "/") throw new ArgumentError("the root directory is not removed", "path");
        return { shell: call("m_absent", path), libs, probes };
      case "link":
        if (!given(args, "src")) throw new ArgumentError("state: link needs src", "src");
        return { shell: call("m_link", path, text(args, "src"), bit(flag(args, "force")), owner, group), libs, probes };
      case "touch": {
        const preserve = text(args, "access_time") === "preserve" && text(args, "modification_time") === "preserve";
        return { shell: call("m_touch", path, owner, group, mode, bit(preserve)), libs, probes };
      }
      default:
        return { shell: call("m_attr", path, owner, group, mode), libs, probes };
    }
  },
};
