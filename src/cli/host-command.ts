import { becomeCommand, diagnoseSudo, stdinWithPassword } from "../transport/become.js";
import type { Asker } from "../ui/prompts/prompter.js";
import { tooMuch } from "../util/bounded-answer.js";
import type { EdgeError } from "../util/errors.js";
import type { FleetHost } from "./fleet.js";
import type { Flags } from "./options.js";
import { anySignal } from "./signals.js";
import { watchedHost } from "./watch-fleet.js";

/** What a command on a host said, without anything that a terminal would obey. */
export interface HostAnswer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bytes of an answer that are read; no tool of ours says more. */
const LIMIT = 256 * 1024;
/** Bytes after which a host is not listened to any more. */
const MOST = 8 * 1024 * 1024;

/**
 * Runs one command of ours on a host, as root.
 * @throws EdgeError when the host is not reached, or root is not become
 */
export async function runOnHost(
  one: FleetHost,
  command: string,
  { flags, prompter, signal }: { readonly flags: Flags; readonly prompter: Asker; readonly signal: AbortSignal },
): Promise<HostAnswer> {
  const { connect, become, becomePassword } = watchedHost(one, flags, prompter);
  const transport = await connect(signal);
  try {
    const enough = new AbortController();
    const [stdout, stderr] = [capped(enough), capped(enough)];
    const password = becomePassword !== undefined && become.needsPassword ? becomePassword : undefined;
    const running = transport.exec(becomeCommand(become, command), {
      ...(password === undefined ? {} : { stdin: stdinWithPassword(password, Buffer.alloc(0)) }),
      onStdout: stdout.take,
      onStderr: stderr.take,
      signal: anySignal(signal, enough.signal),
    });
    const { code } = await running.catch((error: unknown) => {
      throw enough.signal.aborted ? tooMuch(transport.description, MOST) : error;
    });
    const problem: EdgeError | undefined = stdout.text() === "" ? diagnoseSudo(code, stderr.text()) : undefined;
    if (problem !== undefined) throw problem;
    return { code, stdout: printable(stdout.text()), stderr: printable(stderr.text()) };
  } finally {
    await transport.close();
  }
}

function capped(enough: AbortController) {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    take: (chunk: Buffer) => {
      if (size < LIMIT) chunks.push(chunk);
      size += chunk.length;
      if (size > MOST) enough.abort();
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}

/** Text of a host as a terminal may have it. What stands escaped in JSON is clean only once it was read. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal would obey
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}
