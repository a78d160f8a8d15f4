import type { ConnectOptions } from "../transport/transport.js";
import { type Asker, noPrompter, terminalPrompter } from "../ui/prompts/prompter.js";
import { InputError } from "../util/errors.js";
import type { Secret } from "../util/secret.js";
import { type Flags, intFlag } from "./options.js";

const DEFAULT_TIMEOUT_SECONDS = 10;

/** Somebody is there to answer. */
export function mayAsk(flags: Flags): boolean {
  return flags["no-input"] !== true && process.stdin.isTTY === true && process.stderr.isTTY === true;
}

export function asker(flags: Flags): Asker {
  return mayAsk(flags) ? terminalPrompter() : noPrompter;
}

/** How hosts are connected to, from the flags. */
export function connectOptions(flags: Flags, prompter: Asker, signal: AbortSignal): ConnectOptions {
  return {
    hostKeyPolicy: flags["accept-new"] === true ? "accept-new" : "ask",
    prompter,
    connectTimeoutMs: intFlag(flags, "timeout", DEFAULT_TIMEOUT_SECONDS, 1, 3600) * 1000,
    signal,
    sshConfigFile: flags["ssh-config"],
  };
}

/**
 * The passwords that --ask-pass and --ask-become-pass ask for, once for all hosts.
 * @throws InputError when nobody is there to ask
 */
export async function askPasswords(
  flags: Flags,
  prompter: Asker,
): Promise<{ ssh: Secret | undefined; become: Secret | undefined }> {
  const ssh = flags["ask-pass"] === true ? await askOne("--ask-pass", "SSH password", prompter) : undefined;
  const become =
    flags["ask-become-pass"] === true ? await askOne("--ask-become-pass", "sudo password", prompter) : undefined;
  return { ssh, become };
}

async function askOne(flag: string, question: string, prompter: Asker): Promise<Secret> {
  const answer = await prompter.askSecret(question);
  if (answer !== undefined) return answer;
  throw new InputError("E_NO_INPUT", `${flag} needs a terminal to ask on`, {
    hint: "In scripts, give ansible_password and ansible_become_password in the inventory, in a vault or by reference (docs/secrets.md).",
  });
}
