import { basename, join, normalize } from "node:path";
import { bit, flag, text } from "./args.js";
import { pathWord, word } from "./path-words.js";
import { ArgumentError, type ModuleContext, type TaskModule } from "./types.js";

/** A larger file is no matter for a playbook; a build of NGINX has a tenth of it. */
export const FETCH_LIMIT = 256 << 20;

/** Where Ansible puts the file; never outside of `dest`, whatever the name on the host is. */
function placeOf(source: string, dest: string, flat: boolean, context: ModuleContext): string {
  const inside = (directory: string, name: string) => {
    const path = normalize(`${directory}/${name}`);
    if (path.startsWith(`${normalize(directory).replace(/\/+$/, "")}/`) && !path.endsWith("/")) return path;
    throw new ArgumentError(`src ${JSON.stringify(source)} does not stay below ${directory}`, "src");
  };
  const root = context.controllerPath(dest);
  if (!flat) return inside(join(root, context.hostName), source);
  if (dest.endsWith("/")) return inside(root, basename(source));
  if (context.tree(root) === undefined) return root;
  throw new ArgumentError(`dest ${root} is a directory: end it with / to put the file into it`, "dest");
}

/** ansible.builtin.fetch */
export const fetch: TaskModule = {
  spec: {
    name: "fetch",
    args: {
      src: { type: "path", required: true },
      dest: { type: "path", required: true },
      flat: { type: "bool", default: false },
      fail_on_missing: { type: "bool", default: true },
      validate_checksum: { type: "bool", default: true },
    },
  },
  returns: {
    checksum: "str",
    ...{ dest: "known", file: "known", md5sum: "known", remote_checksum: "known", remote_md5sum: "known" },
  },
  build(args, context) {
    const source = text(args, "src");
    if (source === "") throw new ArgumentError("src is empty", "src");
    const dest = placeOf(source, text(args, "dest"), flag(args, "flat"), context);
    const now = context.hashes(dest);
    return {
      shell: `m_fetch ${[pathWord(source), word(now?.sha1 ?? ""), bit(flag(args, "fail_on_missing")) || "''", FETCH_LIMIT].join(" ")}\n`,
      libs: ["fetch"],
      brings: { source, dest, now, strict: flag(args, "validate_checksum") },
    };
  },
};
