import { type Args, bit, flag, given, list, text } from "./args.js";
import { attributeArgs, attributes, call } from "./fragments.js";
import { lostSource, sourceFile } from "./source-file.js";
import { ArgumentError, type TaskModule } from "./types.js";

const ALGORITHMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/** ansible.builtin.stat */
export const stat: TaskModule = {
  spec: {
    name: "stat",
    args: {
      path: { type: "path", required: true, aliases: ["dest", "name"] },
      follow: { type: "bool", default: false },
      get_checksum: { type: "bool", default: true },
      checksum_algorithm: { type: "str", choices: ALGORITHMS, default: "sha1", aliases: ["checksum", "checksum_algo"] },
      get_mime: { type: "bool", default: true },
      get_attributes: { type: "bool", default: true },
    },
  },
  returns: {
    "stat.exists": "bool",
    "stat.path": "str",
    "stat.mode": "str",
    "stat.isdir": "bool",
    "stat.isreg": "bool",
    "stat.islnk": "bool",
    "stat.issock": "bool",
    "stat.isfifo": "bool",
    "stat.isblk": "bool",
    "stat.ischr": "bool",
    "stat.uid": "int",
    "stat.gid": "int",
    "stat.size": "int",
    "stat.mtime": "int",
    "stat.atime": "int",
    "stat.ctime": "int",
    "stat.inode": "int",
    "stat.nlink": "int",
    "stat.pw_name": "str",
    "stat.gr_name": "str",
    "stat.lnk_source": "str",
    "stat.lnk_target": "str",
    "stat.checksum": "str",
    "stat.readable": "bool",
    "stat.writeable": "bool",
    "stat.executable": "bool",
  },
  fieldNames: "$SF",
  build: (args) => ({
    shell: call(
      "m_stat",
      text(args, "path"),
      bit(flag(args, "follow")),
      flag(args, "get_checksum") ? text(args, "checksum_algorithm") : "",
    ),
    libs: ["stat"],
  }),
};

/** ansible.builtin.slurp, up to 1 MiB. */
export const slurp: TaskModule = {
  spec: { name: "slurp", args: { src: { type: "path", required: true, aliases: ["path"] } } },
  returns: { content: "str", source: "str", encoding: "str" },
  build: (args) => ({ shell: call("m_slurp", text(args, "src")), libs: ["slurp"] }),
};

function headers(args: Args): string[] {
  const value = args.headers;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).map(([name, content]) => {
    const header = `${name}: ${text({ content }, "content")}`;
    if (/["\\\n\r]/.test(header))
      throw new ArgumentError(`header ${name} holds a quote, backslash or newline`, "headers");
    return header;
  });
}

/** @throws ArgumentError for what curl would take for an option */
function address(args: Args): string {
  const url = text(args, "url");
  if (url.startsWith("-")) throw new ArgumentError(`${JSON.stringify(url)} is no address`, "url");
  return url;
}

/** ansible.builtin.get_url: curl or wget of the host fetches. */
export const getUrl: TaskModule = {
  spec: {
    name: "get_url",
    args: {
      ...attributeArgs,
      url: { type: "str", required: true },
      dest: { type: "path", required: true },
      checksum: { type: "str", default: "" },
      force: { type: "bool", default: false },
      timeout: { type: "int", default: 10 },
      headers: { type: "dict" },
    },
  },
  returns: {},
  build(args) {
    const [algorithm = "", sum = ""] = text(args, "checksum") === "" ? [] : text(args, "checksum").split(/:(.*)/s);
    if (algorithm !== "" && (!ALGORITHMS.includes(algorithm) || !/^[0-9a-fA-F]+$/.test(sum))) {
      throw new ArgumentError("checksum is not ALGORITHM:HEX", "checksum");
    }
    return {
      shell: call(
        "m_url",
        address(args),
        text(args, "dest"),
        algorithm,
        sum.toLowerCase(),
        ...attributes(args),
        bit(flag(args, "force")),
        text(args, "timeout"),
        ...headers(args),
      ),
      libs: ["put", "url"],
    };
  },
};

/** ansible.builtin.unarchive, tar archives. Without `creates` an archive of the controller is unpacked every time. */
export const unarchive: TaskModule = {
  spec: {
    name: "unarchive",
    args: {
      src: { type: "path", required: true },
      dest: { type: "path", required: true },
      remote_src: { type: "bool", default: false },
      creates: { type: "path" },
      owner: { type: "str" },
      group: { type: "str" },
      extra_opts: { type: "list" },
    },
  },
  returns: {},
  build(args, context) {
    const strip = list(args, "extra_opts").map((option) => {
      const parts = /^--strip-components=(\d+)$/.exec(option)?.[1];
      if (parts === undefined) throw new ArgumentError(`extra_opts: ${option} is not supported`, "extra_opts");
      return parts;
    });
    const words = [text(args, "owner"), text(args, "group"), strip[0] ?? ""] as const;
    if (flag(args, "remote_src")) {
      const shell = call("m_unarchive", text(args, "src"), text(args, "dest"), text(args, "creates"), "", ...words);
      return { shell, libs: ["unarchive"] };
    }
    if (!given(args, "creates"))
      throw new ArgumentError("unarchive of a file on this machine needs creates", "creates");
    const source = context.resolve(text(args, "src"), "files");
    const { info, needs, before, lost } = sourceFile(source, context);
    if (lost !== undefined) return lostSource(lost);
    return {
      shell: before + call("m_unarchive", "", text(args, "dest"), text(args, "creates"), info?.digest ?? "", ...words),
      libs: ["unarchive"],
      ...needs,
    };
  },
};
