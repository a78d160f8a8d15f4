import { dumpJson } from "../playbook/python-json.js";
import type { Value, Vars } from "../playbook/types.js";
import { type Args, bit, flag, given, list, text, toText } from "./args.js";
import { attributeArgs, attributes, call, quote } from "./fragments.js";
import { lostSource, sourceFile } from "./source-file.js";
import { ArgumentError, type ModuleCall, type ModuleContext, type TaskModule } from "./types.js";

/** One line of curl's configuration. */
function line(name: string, value?: string): string {
  if (value === undefined) return `${name}\n`;
  if (/[\0\r]/.test(value)) throw new ArgumentError(`${name} of the request holds a character that it cannot`);
  return `${name} = "${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"\n`;
}

function headers(args: Args): [string, string][] {
  const value = args.headers;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).map(([name, content]) => {
    const header = toText("headers", content);
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      throw new ArgumentError(`${name} is no name of a header`, "headers");
    if (/[\r\n]/.test(header)) throw new ArgumentError(`header ${name} has several lines`, "headers");
    return [name, header];
  });
}

/** Python's quote_plus. */
const quotePlus = (part: string) =>
  encodeURIComponent(part)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");

function formEncoded(body: Value): string {
  if (typeof body !== "object" || body === null) return toText("body", body);
  const pairs = Array.isArray(body)
    ? body.map((pair: Value): [string, Value] => {
        if (Array.isArray(pair) && pair.length === 2) return [toText("body", pair[0] ?? ""), pair[1] ?? null];
        throw new ArgumentError("body is no list of pairs", "body");
      })
    : Object.entries(body);
  return pairs
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value])
        .filter((one: Value) => one !== null)
        .map((one: Value) => `${quotePlus(name)}=${quotePlus(toText("body", one))}`),
    )
    .join("&");
}

/** The text that is sent, and what says of what kind it is. */
function bodyOf(args: Args): { readonly body: string | undefined; readonly type: string | undefined } {
  const { body } = args;
  switch (text(args, "body_format")) {
    case "json":
      return { body: typeof body === "string" ? body : dumpJson((body ?? null) as Value), type: "application/json" };
    case "form-urlencoded":
      return {
        body: body === undefined ? undefined : formEncoded(body),
        type: "application/x-www-form-urlencoded",
      };
    default:
      return { body: body === undefined ? undefined : toText("body", body), type: undefined };
  }
}

/** How redirects are followed: `safe` only where nothing but reading is done. */
function follows(args: Args, method: string): boolean {
  const how = text(args, "follow_redirects");
  if (how === "all" || how === "yes") return true;
  return how !== "none" && (method === "GET" || method === "HEAD");
}

function configuration(args: Args, method: string, type: string | undefined): string {
  const named = headers(args);
  const has = (name: string) => named.some(([one]) => one.toLowerCase() === name);
  const seconds = text(args, "timeout");
  const lines = [
    line("url", text(args, "url")),
    line("connect-timeout", seconds),
    line("speed-time", seconds),
    line("speed-limit", "1"),
    line("user-agent", text(args, "http_agent")),
  ];
  if (method === "HEAD") lines.push(line("head"));
  else if (method !== "GET") lines.push(line("request", method));
  if (follows(args, method)) lines.push(line("location"));
  if (!has("accept")) lines.push(line("header", "Accept:"));
  if (!has("expect")) lines.push(line("header", "Expect:"));
  if (type !== undefined && !has("content-type")) lines.push(line("header", `Content-Type: ${type}`));
  if (flag(args, "force")) lines.push(line("header", "cache-control: no-cache"));
  for (const [name, value] of named) lines.push(line("header", value === "" ? `${name};` : `${name}: ${value}`));
  if (given(args, "url_username")) {
    lines.push(line("user", `${text(args, "url_username")}:${text(args, "url_password")}`));
    lines.push(line(flag(args, "force_basic_auth") ? "basic" : "anyauth"));
  }
  if (flag(args, "use_netrc")) lines.push(line("netrc-optional"));
  if (!flag(args, "validate_certs")) lines.push(line("insecure"));
  if (!flag(args, "use_proxy")) lines.push(line("noproxy", "*"));
  const files = { client_cert: "cert", client_key: "key", ca_path: "cacert", unix_socket: "unix-socket" };
  for (const [name, option] of Object.entries(files)) if (given(args, name)) lines.push(line(option, text(args, name)));
  if (given(args, "ciphers")) lines.push(line("ciphers", list(args, "ciphers").join(":")));
  return lines.join("");
}

/** Of several answers, where one led to the next. */
const lastHead = (text: string): string => text.split(/^(?=HTTP\/)/m).at(-1) ?? "";

/** A dictionary of the last answer's heads; several of one name are joined. */
function answerHeads(text: string): {
  readonly heads: Record<string, string>;
  readonly cookies: Record<string, string>;
} {
  const heads: Record<string, string> = {};
  const cookies: Record<string, string> = {};
  for (const head of lastHead(text).split("\n").slice(1)) {
    const at = head.indexOf(":");
    if (at < 1) continue;
    const name = head.slice(0, at).toLowerCase();
    const value = head.slice(at + 1).trim();
    heads[name] = heads[name] === undefined ? value : `${heads[name]}, ${value}`;
    const cookie = name === "set-cookie" ? /^([^=;]+)=([^;]*)/.exec(value) : null;
    if (cookie !== null) cookies[cookie[1] ?? ""] = cookie[2] ?? "";
  }
  return { heads, cookies };
}

function absolute(url: string, location: string): string {
  try {
    return new URL(location, url).href;
  } catch {
    return location;
  }
}

/** What the host tells of an answer, as fields of the result. @param accepted statuses that are no failure */
export function answer(told: string, asked: string, accepted: readonly number[] = []): Vars {
  if (told === "") return {};
  const [first = "", rest = ""] = told.split(/\n(.*)/s);
  const [status = "-1", url = asked] = first.split(/ (.*)/s);
  const [head = "", body = ""] = rest.split(/\f\n(.*)/s);
  const { heads, cookies } = answerHeads(head);
  const fields = Object.fromEntries(Object.entries(heads).map(([name, value]) => [name.replaceAll("-", "_"), value]));
  if (fields.location !== undefined) fields.location = absolute(asked, fields.location);
  const well = Number(status) >= 200 && Number(status) < 400;
  let json: Vars = {};
  try {
    if (body !== "") json = { json: JSON.parse(body) as Value };
  } catch {
    // as Ansible: what is no JSON gives none
  }
  return {
    ...fields,
    url,
    redirected: url !== asked,
    ...(well
      ? {
          cookies,
          cookies_string: Object.entries(cookies)
            .map((cookie) => cookie.join("="))
            .join("; "),
          msg: `OK (${heads["content-length"] ?? "unknown"} bytes)`,
        }
      : accepted.includes(Number(status)) && Number(status) > 0
        ? { msg: `HTTP Error ${status}: ${/^HTTP\/\S+ \d+ *(.*)/.exec(lastHead(head))?.[1] ?? ""}` }
        : {}),
    ...json,
  };
}

function build(args: Args, context: ModuleContext): ModuleCall {
  const method = text(args, "method").toUpperCase();
  if (!/^[A-Z]+$/.test(method)) {
    throw new ArgumentError("Parameter 'method' needs to be a single word in uppercase, like GET or POST.", "method");
  }
  if (given(args, "body") && given(args, "src")) throw new ArgumentError("body and src exclude each other", "src");
  const codes = list(args, "status_code").map((code) => {
    if (/^\s*-?\d+\s*$/.test(code)) return Number(code);
    throw new ArgumentError(`status_code ${code} is no number`, "status_code");
  });
  const url = text(args, "url");
  if (url.startsWith("-")) throw new ArgumentError(`${JSON.stringify(url)} is no address`, "url");
  const { body, type } = bodyOf(args);
  let before = body === undefined ? "" : `printf %s ${quote(body)} >"$W/send"\nSEND=$W/send\n`;
  let needs: Pick<ModuleCall, "payloads" | "missing" | "awaited"> = {};
  if (given(args, "src") && flag(args, "remote_src")) before = `SEND=${quote(text(args, "src"))}\n`;
  else if (given(args, "src")) {
    const source = sourceFile(context.resolve(text(args, "src"), "files"), context);
    if (source.lost !== undefined) return lostSource(source.lost);
    needs = source.needs;
    const digest = source.info?.digest ?? "";
    before = `${source.before}emit w "$C" =${digest}\nSEND=$W/p/${digest}\n[ -n "$K" ] || [ -f "$SEND" ] || need ${digest}\n`;
  }
  const words = [configuration(args, method, type), url, method, codes.join(", "), bit(flag(args, "return_content"))];
  const paths = ["creates", "removes", "dest"].map((name) => text(args, name));
  return {
    shell: `${before}${call("m_uri", ...words, ...paths, ...attributes(args))}unset SEND\n`,
    look: "unset R_status R_content R_elapsed R_stdout R_path\nPEND='check mode does not ask'\n",
    libs: ["put", "uri"],
    ...needs,
    ...(context.wantsResult ? { tells: { read: (told) => answer(told, url, codes), always: true } } : {}),
  };
}

/** Heads that most servers send; any other is a field of the result, too. */
const HEADS = [
  "content_type",
  "content_length",
  "content_encoding",
  "server",
  "date",
  "location",
  "etag",
  "last_modified",
];
const MORE_HEADS = [
  "cache_control",
  "connection",
  "vary",
  "allow",
  "set_cookie",
  "retry_after",
  "www_authenticate",
  "expires",
];

/** ansible.builtin.uri, by the host's curl. */
export const uri: TaskModule = {
  spec: {
    name: "uri",
    args: {
      ...attributeArgs,
      url: { type: "str", required: true },
      method: { type: "str", default: "GET" },
      body: { type: "raw" },
      body_format: { type: "str", choices: ["form-urlencoded", "json", "raw"], default: "raw" },
      src: { type: "path" },
      remote_src: { type: "bool", default: false },
      headers: { type: "dict" },
      status_code: { type: "list", default: [200] },
      return_content: { type: "bool", default: false },
      dest: { type: "path" },
      creates: { type: "path" },
      removes: { type: "path" },
      timeout: { type: "int", default: 30 },
      follow_redirects: { type: "str", choices: ["all", "no", "none", "safe", "urllib2", "yes"], default: "safe" },
      url_username: { type: "str", aliases: ["user"] },
      url_password: { type: "str", aliases: ["password"] },
      force_basic_auth: { type: "bool", default: false },
      force: { type: "bool", default: false },
      http_agent: { type: "str", default: "ansible-httpget" },
      validate_certs: { type: "bool", default: true },
      use_proxy: { type: "bool", default: true },
      use_netrc: { type: "bool", default: true },
      client_cert: { type: "path" },
      client_key: { type: "path" },
      ca_path: { type: "path" },
      ciphers: { type: "list" },
      unix_socket: { type: "path" },
      decompress: { type: "bool", default: true },
    },
    refused: {
      use_gssapi: "Use command with curl --negotiate.",
      unredirected_headers: "curl sends no credentials to other hosts; leave it out.",
    },
  },
  returns: {
    status: "int",
    content: "str",
    elapsed: "int",
    path: "str",
    stdout: "str",
    ...Object.fromEntries([...HEADS, ...MORE_HEADS].map((name) => [name, "known" as const])),
    url: "known",
    redirected: "known",
    msg: "known",
    json: "known",
    cookies: "known",
    cookies_string: "known",
  },
  build,
};
