import type { GeneratedName } from "../../inventory/settings/resolve.js";
import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";
import { type Fleet, loadFleet } from "../fleet.js";
import { assertKept, keepAndApply, mayChange } from "../keep-and-apply.js";
import type { Flags } from "../options.js";
import { keptLines, planRotation, type Rotation, type Wanted } from "../rotation.js";
import { decryptSecrets, encryptSecrets } from "../seal-secrets.js";
import { type SecretRow, secretLines, secretRows } from "../secret-lines.js";
import { limitOf } from "../watch-fleet.js";

const ACTIONS = ["show", "rotate", "encrypt", "decrypt"] as const;

const FLAGS: Readonly<Record<string, GeneratedName>> = {
  token: "rtmp_publish_token",
  "status-password": "http_status_password",
  "signing-key": "hls_signing_key",
};

/** `edge-setup secrets`: shows the secrets of hosts, makes new ones, encrypts the file that has them. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const [word = "show", ...hosts] = context.words;
  const action = ACTIONS.find((one) => one === word);
  if (action === undefined) {
    throw new InputError("E_WORDS", `secrets cannot ${word}`, { hint: `It can ${ACTIONS.join(", ")}.` });
  }
  if (action === "encrypt" || action === "decrypt") {
    if (hosts.length > 0)
      throw new InputError("E_WORDS", `secrets ${action} takes no host: the file has the secrets of all`);
    return action === "encrypt" ? encryptSecrets(context.flags) : decryptSecrets(context.flags);
  }
  const flags: Flags = { ...context.flags, ...limitOf(context.flags, hosts) };
  const fleet = await settledFleet(flags);
  if (action === "show") return show(fleet, flags);
  return rotate({ ...context, flags }, fleet);
}

function settledFleet(flags: Flags): Promise<Fleet> {
  return loadFleet(flags, { saveSecrets: false, passwords: { ssh: undefined, become: undefined } });
}

function show(fleet: Fleet, flags: Flags): ExitCode {
  for (const one of fleet.hosts) {
    assertKept(fleet, one);
    print(one.host.name, secretRows(fleet, one), flags, "origin");
  }
  return exitCodes.ok;
}

async function rotate(context: CommandContext, fleet: Fleet): Promise<ExitCode> {
  const { flags } = context;
  const rotation = planRotation(fleet, wantedOf(fleet, flags));
  for (const line of keptLines(rotation.kept)) process.stderr.write(`${line}\n`);
  const names = [...rotation.changes.keys()];
  process.stderr.write(`New: ${summaryOf(rotation)}\n`);
  const question = `Make and apply them now, on ${names.join(", ")}? Who publishes with an old one is dropped, and what is signed with an old key plays no more.`;
  if (!(await mayChange(context, "secrets rotate", question))) return exitCodes.ok;
  const code = await keepAndApply(context, fleet, rotation.changes);
  if (code !== exitCodes.ok) return code;
  const after = await settledFleet({ ...flags, limit: names.join(",") });
  for (const one of after.hosts) {
    const change = rotation.changes.get(one.host.name) ?? {};
    const isNew = ({ name, stream }: SecretRow) =>
      stream === undefined ? Object.hasOwn(change, name) : Object.hasOwn(change.rtmp_stream_keys ?? {}, stream);
    print(one.host.name, secretRows(after, one).filter(isNew), flags, "use");
  }
  return code;
}

/** What the flags name; all of it without any. */
function wantedOf(fleet: Fleet, flags: Flags): Wanted {
  const names = Object.entries(FLAGS).flatMap(([flag, name]) => (flags[flag as keyof Flags] === true ? [name] : []));
  const streams = (flags.streams ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0 && streams.length === 0) return { names: Object.values(FLAGS), streams: "all" };
  const known = new Set(fleet.hosts.flatMap((one) => Object.keys(one.settings.values.rtmp_stream_keys)));
  const unknown = streams.find((name) => !known.has(name));
  if (unknown === undefined) return { names, streams };
  throw new InputError("E_STREAM", `--streams: ${JSON.stringify(unknown)} has no key of its own on these hosts`, {
    hint: "`edge-setup streams` lists those that have one.",
  });
}

function summaryOf({ changes }: Rotation): string {
  const words = [...changes].map(([host, { rtmp_stream_keys: keys = {}, ...single }]) => {
    const streams = Object.keys(keys).map((stream) => `the key of ${stream}`);
    return `${[...Object.keys(single), ...streams].join(", ")} of ${host}`;
  });
  return `${words.join("; ")}.`;
}

function print(host: string, rows: readonly SecretRow[], flags: Flags, column: "origin" | "use"): void {
  if (flags.json !== true) process.stdout.write(secretLines(host, rows, column));
  else for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
}
