import { type Args, bit, flag, given, list, text } from "./args.js";
import { pathReturns } from "./file.js";
import { attributeArgs, attributes, call, fileRefused, flagsCall } from "./fragments.js";
import { pathWord, word } from "./path-words.js";
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

/** ansible.builtin.slurp, of what a result takes. */
export const slurp: TaskModule = {
  spec: { name: "slurp", args: { src: { type: "path", required: true, aliases: ["path"] } } },
  returns: { content: "str", source: "str", encoding: "str" },
  build: (args) => ({ shell: `m_slurp ${pathWord(text(args, "src"))}\n`, libs: ["slurp"] }),
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

/** A value in curl's configuration. @throws ArgumentError for a line break, which none may hold */
function curlValue(name: string, value: string): string {
  if (/[\r\n]/.test(value)) throw new ArgumentError(`${name} holds a line break`, name);
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Settings of curl and wget. They travel in a file: no secret is seen in the process list. */
function clientSettings(args: Args): { curl: string; wget: string; curlOnly: boolean } {
  const option = (name: string, key: string) =>
    given(args, name) ? [`${key} = ${curlValue(name, text(args, name))}`] : [];
  const user = given(args, "url_username")
    ? [`user = ${curlValue("url_username", `${text(args, "url_username")}:${text(args, "url_password")}`)}`]
    : [];
  const unlike = [
    ...user,
    ...(user.length > 0 && !flag(args, "force_basic_auth") ? ["anyauth"] : []),
    ...(flag(args, "use_proxy") ? [] : ['noproxy = "*"']),
    ...(flag(args, "validate_certs") ? [] : ["insecure"]),
    ...option("client_cert", "cert"),
    ...option("client_key", "key"),
    ...(given(args, "ciphers") ? [`ciphers = ${curlValue("ciphers", list(args, "ciphers").join(":"))}`] : []),
  ];
  const common = [
    ...headers(args).map((header) => `header = ${curlValue("headers", header)}`),
    ...option("http_agent", "user-agent"),
    ...(flag(args, "decompress") ? ["compressed"] : []),
    ...(flag(args, "use_netrc") ? ["netrc-optional"] : []),
  ];
  const wget = [...headers(args).map((header) => `header = ${header}`), `user_agent = ${text(args, "http_agent")}`];
  return { curl: [...common, ...unlike].join("\n"), wget: wget.join("\n"), curlOnly: unlike.length > 0 };
}

/** ansible.builtin.get_url: curl or wget of the host fetches. */
export const getUrl: TaskModule = {
  spec: {
    name: "get_url",
    refused: {
      ...fileRefused,
      unredirected_headers: "curl sends headers to the first server and to those that it redirects to.",
      use_gssapi: "Kerberos is not spoken here.",
    },
    args: {
      ...attributeArgs,
      url: { type: "str", required: true },
      dest: { type: "path", required: true },
      backup: { type: "bool", default: false },
      checksum: { type: "str", default: "" },
      force: { type: "bool", default: false, aliases: ["thirsty"] },
      timeout: { type: "int", default: 10 },
      headers: { type: "dict" },
      tmp_dest: { type: "path" },
      http_agent: { type: "str", default: "ansible-httpget" },
      url_username: { type: "str", aliases: ["username"] },
      url_password: { type: "str", aliases: ["password"] },
      force_basic_auth: { type: "bool", default: false },
      use_proxy: { type: "bool", default: true },
      validate_certs: { type: "bool", default: true },
      client_cert: { type: "path" },
      client_key: { type: "path" },
      decompress: { type: "bool", default: true },
      ciphers: { type: "list" },
      use_netrc: { type: "bool", default: true },
    },
  },
  returns: {
    ...{ url: "str", dest: "str", msg: "str", status_code: "int", elapsed: "int", checksum_src: "str" },
    ...{ checksum_dest: "str", md5sum: "str", backup_file: "str" },
    ...pathReturns,
  },
  build(args, context) {
    const [algorithm = "", sum = ""] = text(args, "checksum") === "" ? [] : text(args, "checksum").split(/:(.*)/s);
    const isUrl = /^(https?|ftp|file):\/\//.test(sum);
    const digits = isUrl ? sum : sum.replace(/\W+/g, "").toLowerCase();
    if (algorithm !== "" && (!ALGORITHMS.includes(algorithm) || !(isUrl || /^[0-9a-f]+$/.test(digits)))) {
      throw new ArgumentError("checksum is not ALGORITHM:HEX", "checksum");
    }
    const { curl, wget, curlOnly } = clientSettings(args);
    const flags = [
      ...[flag(args, "force") ? "f" : "", flag(args, "backup") ? "b" : ""],
      ...[curlOnly ? "k" : "", context.wantsResult ? "w" : ""],
    ].join("");
    const words = [address(args), "", algorithm, digits, ...attributes(args), flags, text(args, "timeout")];
    const last = [pathWord(text(args, "tmp_dest")), word(curl), word(wget)];
    const more = flagsCall(args, '"$d"');
    return {
      shell: `d=${pathWord(text(args, "dest"))}\nm_url ${[...words.map(word), ...last].join(" ")}\n${more.shell}`,
      libs: ["put", "url", ...(context.wantsResult ? (["pathinfo"] as const) : []), ...more.libs],
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
