import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import type { Socket } from "node:net";
import { InputError } from "../util/errors.js";
import { interrupted } from "../util/semaphore.js";
import { type Place, timeoutError } from "./connect-errors.js";
import { Deadline } from "./deadline.js";
import { makeOpenSshFolder, type OpenSshFolder, type OpenSshRules } from "./openssh-folder.js";
import { type Answerer, OpenSshQuestions } from "./openssh-questions.js";

const STDERR_LIMIT = 64 * 1024;
const CLOSE_MS = 3000;
/** What jump hosts still say after ssh has given up, milliseconds. */
const LAST_WORDS_MS = 500;

/**
 * Ends the connection when its stdin ends: when we close it, and however we die. It has a session of its own, so that a
 * Ctrl-C does not reach it before us.
 */
const WATCHER = 'cat >/dev/null; ssh -F /dev/null -o ControlPath="$1" -O exit x >/dev/null 2>&1; rm -rf "$2"';

export interface MasterOptions extends OpenSshRules {
  readonly place: Place;
  /** What ssh is told to connect to: the name that ssh_config knows. */
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly identityFile: string | undefined;
  readonly answerer: Answerer;
  /** The error that ssh's last words mean. */
  readonly explain: (stderr: string) => Error;
  /** Milliseconds, in which nobody is being asked. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One OpenSSH connection, through which all commands go. */
export interface OpenSshMaster {
  /** Options of an ssh that goes through it, and never by itself. */
  readonly through: readonly string[];
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** Folders of connections that are open: what is left of them when the process exits goes at once. */
const open = new Map<OpenSshFolder, ChildProcess | undefined>();

let isGuarded = false;

function guard(): void {
  if (!isGuarded) process.on("exit", endAll);
  isGuarded = true;
}

function endAll(): void {
  for (const [folder, starting] of open) {
    if (starting?.pid !== undefined) killGroup(starting.pid);
    spawnSync("ssh", ["-F", "/dev/null", "-o", `ControlPath=${folder.control}`, "-O", "exit", "x"], {
      stdio: "ignore",
    });
    rmSync(folder.path, { recursive: true, force: true });
  }
}

/**
 * Connects by OpenSSH and stays so.
 * @throws HostKeyError, UnreachableError as the ssh2 connector does, InputError without ssh; InterruptedError
 */
export async function openMaster(options: MasterOptions): Promise<OpenSshMaster> {
  const { place, timeoutMs, signal, answerer } = options;
  if (signal?.aborted) throw interrupted();
  const folder = makeOpenSshFolder(options);
  guard();
  open.set(folder, undefined);
  const watcher = spawn("sh", ["-c", WATCHER, "edge-setup-ssh", folder.control, folder.path], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.on("error", () => {});
  watcher.stdin.on("error", () => {});
  watcher.unref();
  let giveUp: (error: unknown) => void = () => {};
  let stderr = "";
  const deadline = new Deadline(timeoutMs, () => giveUp(timeoutError(place, "does not answer", timeoutMs)));
  const questions = new OpenSshQuestions(
    folder.questions,
    answerer,
    (task) => deadline.hold(task),
    () => giveUp(options.explain(stderr)),
  );
  const abort = () => giveUp(interrupted());
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await questions.ready();
    await new Promise<void>((resolve, reject) => {
      const child = start(folder, options);
      open.set(folder, child);
      giveUp = (error) => {
        reject(error);
        if (child.pid !== undefined) killGroup(child.pid);
      };
      child.stderr?.on("data", (chunk: Buffer) => {
        stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_LIMIT);
      });
      child.on("error", () => reject(withoutSsh()));
      // Not `close`: what carries the connection, such as an ssh to a jump host, has this stderr for as long as it lives.
      child.on("exit", (code) => {
        const fail = () => reject(options.explain(stderr));
        if (code === 0) resolve();
        else if (child.stderr?.readableEnded) fail();
        else {
          child.stderr?.once("end", fail);
          setTimeout(fail, LAST_WORDS_MS).unref();
        }
        (child.stderr as Socket | null)?.unref();
      });
    });
  } catch (error) {
    await close(folder, watcher);
    throw error;
  } finally {
    deadline.clear();
    signal?.removeEventListener("abort", abort);
    questions.close();
    if (open.has(folder)) open.set(folder, undefined);
  }
  const through = throughOf(folder);
  return {
    through,
    isAlive: () => answers(folder),
    close: () => close(folder, watcher),
  };
}

function start(folder: OpenSshFolder, { host, port, user, identityFile }: MasterOptions): ChildProcess {
  const options = {
    ControlMaster: "yes",
    ControlPath: folder.control,
    // With it ssh would keep from us what a jump host or a ProxyCommand says of its failure.
    ControlPersist: "no",
    ClearAllForwardings: "yes",
    ForwardAgent: "no",
    ForwardX11: "no",
    PermitLocalCommand: "no",
    RemoteCommand: "none",
    RequestTTY: "no",
    LogLevel: "INFO",
  };
  const args = [
    "-f", // comes back when the login is done
    ...["-N", "-T", "-F", folder.config],
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(identityFile === undefined ? [] : ["-i", identityFile]),
    ...["--", host],
  ];
  return spawn("ssh", args, {
    // Without a terminal, so that older versions use the askpass program too.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      LC_ALL: "C",
      SSH_ASKPASS: folder.askpass,
      SSH_ASKPASS_REQUIRE: "force",
      DISPLAY: process.env.DISPLAY ?? ":0",
    },
  });
}

/** The command's own ssh reads no configuration; where the connection is gone it must not make one. */
function throughOf(folder: OpenSshFolder): readonly string[] {
  const options = ["ControlMaster=no", `ControlPath=${folder.control}`, "ProxyCommand=false", "BatchMode=yes"];
  return ["-F", "/dev/null", "-T", ...options.flatMap((option) => ["-o", option])];
}

async function answers(folder: OpenSshFolder): Promise<boolean> {
  const child = spawn("ssh", [...throughOf(folder), "-O", "check", "x"], { stdio: "ignore" });
  const [code] = (await once(child, "close").catch(() => [1])) as [number | null];
  return code === 0;
}

async function close(folder: OpenSshFolder, watcher: ChildProcess): Promise<void> {
  const ended = watcher.exitCode !== null ? Promise.resolve() : once(watcher, "close").catch(() => {});
  watcher.ref();
  watcher.stdin?.end();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
  open.delete(folder);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It ended meanwhile.
  }
}

export function withoutSsh(): InputError {
  return new InputError("E_NO_SSH", "This connection needs OpenSSH's ssh, and it is not installed on this machine.", {
    hint: "Install openssh-client.",
  });
}
