import { text } from "./args.js";
import { pathReturns } from "./file.js";
import { pathWord, word } from "./path-words.js";
import { ArgumentError, type TaskModule } from "./types.js";

/** ansible.builtin.tempfile */
export const tempfile: TaskModule = {
  spec: {
    name: "tempfile",
    args: {
      state: { type: "str", choices: ["file", "directory"], default: "file" },
      path: { type: "path" },
      prefix: { type: "str", default: "ansible." },
      suffix: { type: "str", default: "" },
    },
  },
  returns: { path: "str", ...pathReturns },
  build(args) {
    const [prefix, suffix] = ["prefix", "suffix"].map((name) => text(args, name));
    if (`${prefix}${suffix}`.includes("/")) throw new ArgumentError("prefix and suffix are parts of a name", "prefix");
    const words = [word(text(args, "state")), pathWord(text(args, "path")), word(prefix ?? ""), word(suffix ?? "")];
    return { shell: `m_temp ${words.join(" ")}\n`, libs: ["pathinfo", "temp"] };
  },
};
