import { readFile, stat } from "node:fs/promises";
import { stringify } from "yaml";
import { readEnv } from "../../inventory/import/env-source.js";
import { type Translation, translateEnv, translationLines } from "../../inventory/import/translate.js";
import { readProblem } from "../../inventory/readers.js";
import type { HostSecrets } from "../../inventory/settings/resolve.js";
import { validateSettings } from "../../inventory/settings/validate.js";
import { type ExitCode, exitCodes, InputError, InputErrors } from "../../util/errors.js";
import { Secret } from "../../util/secret.js";
import { parseHostWords } from "../../wizard/host-words.js";
import type { Answers, HostChoice } from "../../wizard/types.js";
import type { CommandContext } from "../commands.js";
import { DEFAULT_INVENTORY } from "../inventory-hosts.js";
import { writeAnswers } from "../write-answers.js";

/** Bytes. An env file has 56 lines. */
const MAX_BYTES = 1024 * 1024;

/** `edge-setup import edge.env`: the settings of a restreamer-edge, translated one by one. */
export async function run({ flags, words }: CommandContext): Promise<ExitCode> {
  const [file] = words;
  if (file === undefined) {
    throw new InputError("E_WORDS", "the file is missing", {
      hint: "edge-setup import edge.env --host pi@raspberrypi.local (a docker run command, too, can be in the file)",
    });
  }
  const hosts = hostsOf(flags.host);
  const { entries, errors: unread } = readEnv(await textOf(file), file);
  const { translations, errors } = translateEnv(entries);
  const clashes = errors.length > 0 ? [] : clashesOf(translations, file);
  if (unread.length + errors.length + clashes.length > 0) throw new InputErrors([...unread, ...errors, ...clashes]);
  if (translations.length === 0) {
    throw new InputError("E_ENV", `${file} has no variables of restreamer-edge`, {
      hint: "they look so: RTMP_SERVER_PORT=1935, one a line, or -e RTMP_SERVER_PORT=1935 of docker run",
    });
  }
  if (flags.json === true) for (const row of translations) process.stdout.write(`${JSON.stringify(jsonOf(row))}\n`);
  else process.stdout.write(`${translationLines(translations).join("\n")}\n`);
  const settings = settingsOf(translations);
  if (hosts.length === 0) {
    const text = Object.keys(settings).length === 0 ? "  (none: all have their defaults)\n" : stringify(settings);
    process.stderr.write(
      `\nNothing was written: name the edge with --host [user@]host[:port]. Its settings in edges.yml would be:\n${text}`,
    );
    return exitCodes.ok;
  }
  const inventoryFile = flags.inventory ?? DEFAULT_INVENTORY;
  await writeAnswers({ hosts, settings, ...secretsOf(translations) }, inventoryFile, flags);
  const next = inventoryFile === DEFAULT_INVENTORY ? "" : ` -i ${inventoryFile}`;
  process.stderr.write(
    `\n${inventoryFile} is written. To go on:\n  edge-setup plan${next}\n  edge-setup apply${next}\n`,
  );
  return exitCodes.ok;
}

function hostsOf(text: string | undefined): readonly HostChoice[] {
  if (text === undefined) return [];
  const parsed = parseHostWords(text);
  if ("problem" in parsed) throw new InputError("E_FLAG_VALUE", `--host: ${parsed.problem}`);
  if (parsed.hosts.some((host) => host.kind === "throw-away"))
    throw new InputError("E_FLAG_VALUE", "--host: a throw-away host keeps no settings");
  return parsed.hosts;
}

async function textOf(file: string): Promise<string> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) {
      throw new InputError("E_ENV", `${file} has ${size} bytes, and no such file has more than ${MAX_BYTES}`);
    }
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("E_ENV", `${file} cannot be read: ${readProblem(error)}`, { cause: error });
  }
  if (text.includes("\0") || text.includes("\ufffd")) throw new InputError("E_ENV", `${file} is no text`);
  return text;
}

/** What the settings say against each other, at the variables that say it. */
function clashesOf(translations: readonly Translation[], file: string): InputError[] {
  const written = translations.flatMap(({ setting, written, position }) =>
    setting === undefined || written === undefined ? [] : [{ setting, written, position }],
  );
  const vars = written.map(({ setting, written }) => [setting, written]);
  const origins = Object.fromEntries(written.map(({ setting, position }) => [setting, position]));
  const position = { file, line: 1, column: 1 };
  return validateSettings({ name: "imported", groups: [], vars: Object.fromEntries(vars), origins, position });
}

function settingsOf(translations: readonly Translation[]): Answers["settings"] {
  const pairs = translations.flatMap(({ setting, written }) =>
    setting === undefined || written === undefined || written instanceof Secret ? [] : [[setting, written] as const],
  );
  return Object.fromEntries(pairs) as Answers["settings"];
}

function secretsOf(translations: readonly Translation[]): Pick<Answers, "publishToken" | "statusPassword"> {
  const secretOf = (name: keyof HostSecrets) => {
    const written = translations.find(({ setting }) => setting === name)?.written;
    return written instanceof Secret ? written : undefined;
  };
  const [publishToken, statusPassword] = [secretOf("rtmp_publish_token"), secretOf("http_status_password")];
  return {
    ...(publishToken === undefined ? {} : { publishToken }),
    ...(statusPassword === undefined ? {} : { statusPassword }),
  };
}

function jsonOf({ written, position: _, ...row }: Translation) {
  return { ...row, setting: row.setting ?? null, written: written ?? null };
}
