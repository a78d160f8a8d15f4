import { type EdgeEndpoint, hlsUrl, pageRows, publishUrl } from "../../edge/urls.js";
import { generateSecret } from "../../inventory/secrets.js";
import { PROOF_PREFIX, STREAM_NAME } from "../../inventory/settings/values.js";
import { type ExitCode, exitCodes, formatPosition, InputError } from "../../util/errors.js";
import type { Secret } from "../../util/secret.js";
import type { CommandContext } from "../commands.js";
import { type Fleet, type FleetHost, loadFleet } from "../fleet.js";
import { assertKept, keepAndApply, mayChange } from "../keep-and-apply.js";
import type { Flags } from "../options.js";
import { endpointOf } from "../proof.js";
import { planRotation } from "../rotation.js";

/** Each goes on with the stream's name. */
const QUESTIONS = { add: "Give a key of its own to", rotate: "Give another key to", revoke: "Take away the key of" };

const ACTIONS = ["list", "add", "rotate", "revoke", "show", "sign"] as const;
type Action = (typeof ACTIONS)[number];

/** In seconds since 1970: the year 2286, the last that nginx's signature has ten digits for. */
const NEVER = 9_999_999_999;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `edge-setup streams`: the streams that have a key of their own. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, words } = context;
  const [word = "list", stream] = words;
  const action = ACTIONS.find((one) => one === word);
  if (action === undefined) {
    throw new InputError("E_WORDS", `streams cannot ${word}`, { hint: `It can ${ACTIONS.join(", ")}.` });
  }
  const fleet = await loadFleet(flags, { saveSecrets: false, passwords: { ssh: undefined, become: undefined } });
  if (action === "list") return list(fleet, flags);
  const name = checkedName(action, stream);
  switch (action) {
    case "show":
      return show(fleet, name, flags);
    case "sign":
      return sign(fleet, name, flags);
    case "add":
    case "rotate":
    case "revoke":
      return change(context, fleet, action, name);
  }
}

function checkedName(action: Action, stream: string | undefined): string {
  if (stream === undefined)
    throw new InputError("E_WORDS", "the name of the stream is missing", {
      hint: `edge-setup streams ${action} mystream`,
    });
  if (stream.startsWith(PROOF_PREFIX))
    throw new InputError("E_WORDS", `names that begin with ${PROOF_PREFIX} are those of \`edge-setup verify\``);
  if (STREAM_NAME.test(stream)) return stream;
  throw new InputError("E_WORDS", `${JSON.stringify(stream)} is no name of a stream`, {
    hint: "Names have 1 to 64 letters, digits, _ and -.",
  });
}

function list({ hosts }: Fleet, flags: Flags): ExitCode {
  for (const one of hosts) {
    const { values } = one.settings;
    const names = Object.keys(values.rtmp_stream_keys).sort();
    const others = values.rtmp_publish_any;
    if (flags.json === true) print({ host: one.host.name, streams: names, others });
    else {
      const keys = names.map((name) => `  ${name}  has a key of its own\n`).join("");
      const rest = others ? "every other name, with rtmp_publish_token" : "no other name (rtmp_publish_any is off)";
      process.stdout.write(`${one.host.name}\n${keys}  ${rest}\n`);
    }
  }
  return exitCodes.ok;
}

/** Addresses with their secrets: this is what the command is asked for. */
function show(fleet: Fleet, stream: string, flags: Flags): ExitCode {
  for (const one of fleet.hosts) {
    assertKept(fleet, one);
    const edge = endpointOf(one, publicHost(one));
    const key = keyOf(one, stream);
    const publish = key === undefined ? null : publishUrl(edge, stream, key.reveal());
    const hls = hlsUrl(edge, stream).href;
    if (flags.json === true) print({ host: one.host.name, stream, publish, hls, ...pages(edge, stream) });
    else
      process.stdout.write(
        `${one.host.name}\n  Publish  ${publish ?? `nobody may: ${stream} has no key`}\n` +
          `  HLS      ${hls}\n${pageLines(edge, stream)}`,
      );
  }
  return exitCodes.ok;
}

function sign(fleet: Fleet, stream: string, flags: Flags): ExitCode {
  const expires = expiry(flags.expires ?? "24h");
  for (const one of fleet.hosts) {
    assertKept(fleet, one);
    const edge = endpointOf(one, publicHost(one));
    if (edge.signing === undefined) {
      throw new InputError("E_SIGN", `${one.host.name} plays every address, signed or not`, {
        hint: "Write hls_signed: true in its settings, and apply.",
      });
    }
    const signed = { ...edge, signing: { ...edge.signing, expires } };
    const until = expires === NEVER ? null : new Date(expires * 1000).toISOString();
    const hls = hlsUrl(signed, stream).href;
    if (flags.json === true) print({ host: one.host.name, stream, until, hls, ...pages(signed, stream) });
    else
      process.stdout.write(
        `${one.host.name}, ${until === null ? "for good" : `until ${until}`}\n` +
          `  HLS      ${hls}\n${pageLines(signed, stream)}`,
      );
  }
  return exitCodes.ok;
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** `player` and `embed`, where the edge has pages. */
function pages(edge: EdgeEndpoint, stream: string): Readonly<Record<string, string>> {
  return Object.fromEntries(pageRows(edge, stream).map(([label, text]) => [label.toLowerCase(), text]));
}

function pageLines(edge: EdgeEndpoint, stream: string): string {
  return pageRows(edge, stream)
    .map(([label, text]) => `  ${label.padEnd(7)}  ${text}\n`)
    .join("");
}

function expiry(text: string): number {
  if (text === "never") return NEVER;
  const [, digits, unit = ""] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit] ?? 0);
  if (digits !== undefined && seconds > 0) return Math.floor(Date.now() / 1000) + seconds;
  throw new InputError("E_FLAG_VALUE", `--expires takes a time such as 90m, 24h or 30d, or never, not "${text}"`);
}

function publicHost({ settings, access }: FleetHost): string {
  return settings.values.public_name ?? access.address.host;
}

/** The key that publishes a stream: its own, else the one of all where that may. */
function keyOf({ settings: { values } }: FleetHost, stream: string): Secret | undefined {
  return values.rtmp_stream_keys[stream] ?? (values.rtmp_publish_any ? values.rtmp_publish_token : undefined);
}

/** Writes the secrets file, and applies: who publishes with what is valid no more is dropped by that. */
async function change(
  context: CommandContext,
  fleet: Fleet,
  action: "add" | "rotate" | "revoke",
  stream: string,
): Promise<ExitCode> {
  const { flags } = context;
  for (const one of fleet.hosts) inspect(fleet, one, action, stream);
  const { changes } =
    action === "rotate" ? planRotation(fleet, { names: [], streams: [stream] }) : keysOf(fleet, action, stream);
  const names = [...changes.keys()].join(", ");
  const question = `${QUESTIONS[action]} ${stream} on ${names}, and apply it now? Who publishes it with what is valid no more is dropped.`;
  if (!(await mayChange(context, `streams ${action}`, question))) return exitCodes.ok;
  const code = await keepAndApply(context, fleet, changes);
  if (code !== exitCodes.ok) return code;
  const after = await loadFleet(flags, { saveSecrets: false, passwords: { ssh: undefined, become: undefined } });
  if (action === "revoke") {
    process.stderr.write(
      `\n${stream} has no key of its own any more${after.hosts.some(open) ? ", and rtmp_publish_token may publish it" : ""}.\n`,
    );
    return code;
  }
  return show(after, stream, flags);
}

function keysOf({ hosts }: Fleet, action: "add" | "revoke", stream: string) {
  const key = () => (action === "revoke" ? undefined : generateSecret());
  return { changes: new Map(hosts.map(({ host }) => [host.name, { rtmp_stream_keys: { [stream]: key() } }])) };
}

function open({ settings }: FleetHost): boolean {
  return settings.values.rtmp_publish_any;
}

/** @throws InputError when the change would do nothing, or is the operator's to make */
function inspect(fleet: Fleet, one: FleetHost, action: string, stream: string): void {
  assertKept(fleet, one);
  const { host, settings } = one;
  const has = settings.values.rtmp_stream_keys[stream] !== undefined;
  if (action === "add" && has)
    throw new InputError("E_STREAM", `${stream} has a key on ${host.name}`, {
      hint: `edge-setup streams rotate ${stream} gives it another one.`,
    });
  if (action !== "add" && !has)
    throw new InputError("E_STREAM", `${stream} has no key of its own on ${host.name}`, {
      hint: "edge-setup streams lists those that have one.",
    });
  const origin = host.origins.rtmp_stream_keys;
  const given = host.vars.rtmp_stream_keys;
  if (typeof given === "object" && given !== null && stream in given)
    throw new InputError(
      "E_STREAM",
      `the key of ${stream} is set${origin === undefined ? "" : ` at ${formatPosition(origin)}`}`,
      { hint: "Change it there, and apply." },
    );
}
