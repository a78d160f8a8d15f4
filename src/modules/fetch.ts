import { type Args, flag, given, list, text } from "./args.js";
import { pathReturns } from "./file.js";
import { attributeArgs, attributes, fileRefused, flagsCall } from "./fragments.js";
import { pathWord, word } from "./path-words.js";
import { lostSource, sourceFile } from "./source-file.js";
import { ArgumentError, type LibName, type ReturnType, type TaskModule } from "./types.js";

const ALGORITHMS = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

const STAT_BITS =
  "exists isdir isreg islnk issock isfifo isblk ischr rusr wusr xusr rgrp wgrp xgrp roth woth xoth isuid isgid";
const STAT_TYPES = {
  bool: `${STAT_BITS} readable writeable executable`,
  str: "path mode pw_name gr_name lnk_source lnk_target checksum mimetype charset attr_flags",
  int: "uid gid size inode nlink dev blocks block_size device_type",
  float: "mtime atime ctime",
  json: "version attributes",
} as const;

/** ansible.builtin.stat */
export const stat: TaskModule = {
  spec: {
    name: "stat",
    refused: { get_md5: "Write checksum_algorithm: md5, and take stat.checksum." },
    args: {
      path: { type: "path", required: true, aliases: ["dest", "name"] },
      follow: { type: "bool", default: false },
      get_checksum: { type: "bool", default: true },
      checksum_algorithm: { type: "str", choices: ALGORITHMS, default: "sha1", aliases: ["checksum", "checksum_algo"] },
      get_mime: { type: "bool", default: true, aliases: ["mime", "mime_type", "mime-type"] },
      get_attributes: { type: "bool", default: true, aliases: ["attr", "attributes"] },
    },
  },
  returns: Object.fromEntries(
    Object.entries(STAT_TYPES).flatMap(([type, names]) =>
      names.split(" ").map((name): [string, ReturnType] => [`stat.${name}`, type as ReturnType]),
    ),
  ),
  fieldNames: "$SF",
  build(args, context) {
    const asked = (name: string, letter: string) => (flag(args, name) && context.wantsResult ? letter : "");
    const flags = `${flag(args, "follow") ? "f" : ""}${asked("get_mime", "m")}${asked("get_attributes", "a")}`;
    const sum = flag(args, "get_checksum") && context.wantsResult ? text(args, "checksum_algorithm") : "";
    return { shell: `m_stat ${[pathWord(text(args, "path")), word(flags), word(sum)].join(" ")}\n`, libs: ["stat"] };
  },
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
    const asks = isUrl || (digits === "" && !flag(args, "force"));
    const last = [
      pathWord(text(args, "tmp_dest")),
      word(curl),
      word(wget),
      asks ? "geturl" : "''",
      isUrl ? "sumof" : "''",
    ];
    const more = flagsCall(args, '"$d"');
    return {
      shell: `d=${pathWord(text(args, "dest"))}\nm_url ${[...words.map(word), ...last].join(" ")}\n${more.shell}`,
      libs: ["put", "url", ...(context.wantsResult ? (["pathinfo"] as const) : []), ...more.libs],
    };
  },
};

/** ansible.builtin.unarchive: all formats that tar knows, and zip. Without `creates`, the archive travels to be compared. */
export const unarchive: TaskModule = {
  spec: {
    name: "unarchive",
    refused: {
      ...fileRefused,
      decrypt: "Secrets go into variables: a file from a vault is not taken.",
      validate_certs: "An address as src is not taken: fetch it by get_url before.",
      copy: "Write remote_src, which is its opposite.",
    },
    args: {
      ...attributeArgs,
      src: { type: "path", required: true },
      dest: { type: "path", required: true },
      remote_src: { type: "bool", default: false },
      creates: { type: "path" },
      list_files: { type: "bool", default: false },
      keep_newer: { type: "bool", default: false },
      include: { type: "list", default: [] },
      exclude: { type: "list", default: [] },
      extra_opts: { type: "list", default: [] },
      io_buffer_size: { type: "int", default: 65536 },
    },
  },
  returns: { dest: "str", handler: "str", files: "json", ...pathReturns },
  build(args, context) {
    const [include, exclude, options] = [list(args, "include"), list(args, "exclude"), list(args, "extra_opts")];
    if (include.length > 0 && exclude.length > 0) {
      throw new ArgumentError("include and exclude exclude each other", "include");
    }
    const flags = `${flag(args, "keep_newer") ? "k" : ""}${flag(args, "list_files") ? "l" : ""}`;
    const paths = [pathWord(text(args, "dest")), pathWord(text(args, "creates"))];
    const more = flagsCall(args, '"$d"');
    const behind = more.shell + (context.wantsResult ? 'pinfo "$R_dest"\n' : "");
    const libs: LibName[] = ["put", "unarchive", ...(context.wantsResult ? (["pathinfo"] as const) : []), ...more.libs];
    const counts = [String(options.length), String(include.length)];
    const words = [...attributes(args), flags, ...counts, ...options, ...include, ...exclude].map(word);
    const line = (file: string, digest: string) =>
      `m_unarchive ${[file, ...paths, word(digest), ...words].join(" ")}\n`;
    if (/^(https?|ftp):\/\//.test(text(args, "src"))) {
      throw new ArgumentError("an address as src is not taken: fetch it by get_url before", "src");
    }
    if (flag(args, "remote_src")) return { shell: line(pathWord(text(args, "src")), "") + behind, libs };
    const source = context.resolve(text(args, "src"), "files");
    const { info, needs, before, lost } = sourceFile(source, context);
    if (lost !== undefined) return lostSource(lost);
    return { shell: before + line("''", info?.digest ?? "") + behind, libs, ...needs };
  },
};
