import { spawn } from "node:child_process";
import { access, constants, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { InputError } from "../../util/errors.js";
import { Secret } from "../../util/secret.js";
import { readProblem } from "../readers.js";
import { DEFAULT_LABEL, type VaultPassword } from "./vault.js";

/** Where a vault password comes from. */
export interface PasswordSource {
  readonly label: string;
  /** A file, a program that prints it, or the operator. */
  readonly from: { readonly kind: "file"; readonly path: string } | { readonly kind: "prompt" };
  /** The flag or variable that names it, for messages. */
  readonly flag: string;
}

export interface PasswordFlags {
  readonly "vault-id"?: readonly string[];
  readonly "vault-password-file"?: readonly string[];
  readonly "ask-vault-pass"?: boolean;
}

/** ansible.parsing.vault: such a program is told which vault id is wanted. */
const CLIENT = /-client(\.[^.]*)?$/;
/** Of such a program: it knows no such vault id. */
const UNKNOWN_ID = 2;
/** Characters of a password, and far more. */
const MAX_OUTPUT = 64 * 1024;

/** The sources that flags and environment name, in Ansible's order. */
export function passwordSources(flags: PasswordFlags, environment: NodeJS.ProcessEnv): PasswordSource[] {
  const ids = (flags["vault-id"] ?? []).map((text): PasswordSource => {
    const at = text.indexOf("@");
    const label = at > 0 ? text.slice(0, at) : DEFAULT_LABEL;
    const from = text.slice(at + 1);
    const flag = `--vault-id ${text}`;
    return from === "prompt" ? { label, from: { kind: "prompt" }, flag } : { label, from: file(from), flag };
  });
  const files = (flags["vault-password-file"] ?? []).map(
    (path): PasswordSource => ({ label: DEFAULT_LABEL, from: file(path), flag: "--vault-password-file" }),
  );
  const named = environment.ANSIBLE_VAULT_PASSWORD_FILE ?? "";
  const variable: PasswordSource[] =
    named === "" ? [] : [{ label: DEFAULT_LABEL, from: file(named), flag: "ANSIBLE_VAULT_PASSWORD_FILE" }];
  const asked: PasswordSource[] =
    flags["ask-vault-pass"] === true
      ? [{ label: DEFAULT_LABEL, from: { kind: "prompt" }, flag: "--ask-vault-pass" }]
      : [];
  return [...ids, ...files, ...variable, ...asked];
}

function file(path: string): PasswordSource["from"] {
  return { kind: "file", path: path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(path) };
}

/**
 * Reads a password, runs the program that prints it, or asks for it.
 * @param ask gives undefined where nobody is there to ask
 * @throws InputError naming the flag
 */
export async function readPassword(
  source: PasswordSource,
  ask: (question: string) => Promise<Secret | undefined>,
): Promise<VaultPassword> {
  const { label, from, flag } = source;
  const password = from.kind === "prompt" ? await askFor(source, ask) : await readFrom(from.path, label, flag);
  if (password.reveal() !== "") return { label, password };
  throw new InputError("E_VAULT_PASSWORD", `${flag}: the vault password is empty`);
}

async function askFor({ label, flag }: PasswordSource, ask: (question: string) => Promise<Secret | undefined>) {
  const answer = await ask(label === DEFAULT_LABEL ? "Vault password" : `Vault password (${label})`);
  if (answer !== undefined) return answer;
  throw new InputError("E_NO_INPUT", `${flag} needs a terminal to ask on`, {
    hint: "In scripts, use --vault-password-file FILE, or ANSIBLE_VAULT_PASSWORD_FILE.",
  });
}

async function readFrom(path: string, label: string, flag: string): Promise<Secret> {
  try {
    const content = await readFile(path);
    if (!(await isExecutable(path))) return new Secret(content.toString().trim());
    // What is neither would be run by a shell, which prints the password as a command that it does not know.
    if (["#!", "\x7fE"].includes(content.toString("latin1", 0, 2)))
      return new Secret(await runProgram(path, label, flag));
    throw new InputError("E_VAULT_PASSWORD", `${flag}: ${path} is executable, and is no program`, {
      hint: `chmod -x ${path}`,
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError("E_VAULT_PASSWORD", `${flag}: ${path} cannot be read: ${readProblem(error)}`, {
      cause: error,
    });
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** As in Ansible it may ask on the terminal; what it prints is the password, and goes nowhere else. */
function runProgram(path: string, label: string, flag: string): Promise<string> {
  const words = CLIENT.test(basename(path)) ? ["--vault-id", label] : [];
  return new Promise((done, reject) => {
    const fail = (why: string) =>
      reject(new InputError("E_VAULT_PASSWORD", `${flag}: ${path} gives no password: ${why}`));
    const child = spawn(path, words, { stdio: ["inherit", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      output += part;
      if (output.length > MAX_OUTPUT) child.kill();
    });
    child.once("error", (error: NodeJS.ErrnoException) => {
      fail(`it cannot be run (${error.code})`);
    });
    child.once("close", (code, signal) => {
      if (code === 0) done(output.replace(/^[\r\n]+|[\r\n]+$/g, ""));
      else if (code === UNKNOWN_ID && words.length > 0) fail(`it knows no vault id ${label}`);
      else fail(code === null ? `it was ended by ${signal}` : `its exit code is ${code}`);
    });
  });
}
