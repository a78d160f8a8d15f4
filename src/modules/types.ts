import type { ModuleArgs, Value, Vars } from "../playbook/types.js";

/** What the controller knows about bytes that may have to travel. */
export interface SourceInfo {
  /** Its name: the first 32 hex digits of its SHA-256. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** First line, for a script's interpreter. */
  readonly firstLine: string;
  /** Permission bits of the file on the controller, for `mode: preserve`. */
  readonly mode: number;
}

export interface TreeEntry {
  /** Relative to the listed directory, `/` between the parts. */
  readonly path: string;
  readonly kind: "directory" | "file" | "link";
  readonly mode: number;
  /** What a link holds. */
  readonly target?: string;
}

/** Hex; there is no MD5 on a machine in FIPS mode. */
export interface FileHashes {
  readonly sha1: string;
  readonly md5: string | null;
}

/** A file of the host that is to come to the controller. */
export interface Brought {
  /** On the host. */
  readonly source: string;
  /** Absolute, on the controller. */
  readonly dest: string;
  /** What is there now. */
  readonly now: FileHashes | undefined;
  /** Its hash has to be what the host says. */
  readonly strict: boolean;
}

/** What a module may ask of the controller while it builds its call. */
export interface ModuleContext {
  /** Absolute path of a controller file named by a task, searched as Ansible does: files/ or templates/, then beside the task. */
  resolve(path: string, folder: "files" | "templates"): string;
  /** Describes a controller file and lets it travel when the host asks for it; undefined when it does not exist. */
  describe(path: string): SourceInfo | undefined;
  /** The tree below a controller directory, parents first; undefined when `path` is not a directory. */
  tree(path: string, follow?: boolean): readonly TreeEntry[] | undefined;
  /** A controller file as it is now. */
  bytes(path: string): Buffer;
  /** Describes bytes made on the controller. */
  content(bytes: string | Buffer): SourceInfo;
  /** Renders a template file with the task's variables. */
  renderTemplate(path: string, args: Readonly<Record<string, Value>>): string;
  /** Whether a missing controller file can be fetched when the host needs it. */
  canFetch(path: string): boolean;
  /** Who brings a missing file: a host whose `fetch` has that dest, or nobody any more; undefined when no host does. */
  comesFrom(path: string): { kind: "host"; host: string } | { kind: "lost"; why: string } | undefined;
  /** Absolute path of a controller file that is to be written, beside the playbook unless it is absolute. */
  controllerPath(path: string): string;
  /** Hashes of a controller file; undefined when it does not exist. */
  hashes(path: string): FileHashes | undefined;
  /** inventory_hostname. */
  readonly hostName: string;
  /** Somebody asks for more of the result than what became of the task. */
  readonly wantsResult: boolean;
  /** Somebody asks for one of these fields: it is worth a process. */
  wants(...fields: readonly string[]): boolean;
  /** True when the caller wants the old content back, to show a diff. */
  readonly wantDiff: boolean;
  /** Environment of the task's commands. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds a detached job may take, and the seconds between polls. */
  readonly async?: { readonly seconds: number; readonly poll: number };
}

/** Pieces of shell that a call needs in its program, each included once. */
export type LibName =
  | "apt"
  | "aptmore"
  | "aptrepo"
  | "assemble"
  | "async"
  | "authkey"
  | "block"
  | "command"
  | "copied"
  | "copy"
  | "cron"
  | "debconf"
  | "facts"
  | "fetch"
  | "file"
  | "find"
  | "flags"
  | "getent"
  | "git"
  | "group"
  | "hostname"
  | "knownhost"
  | "limit"
  | "mount"
  | "pathinfo"
  | "put"
  | "rcopy"
  | "reboot"
  | "slurp"
  | "stat"
  | "sysctl"
  | "systemd"
  | "temp"
  | "unarchive"
  | "uri"
  | "url"
  | "user"
  | "wait";

export interface Probe {
  readonly path: string;
  /** Its SHA-256 is asked for too. */
  readonly hash: boolean;
}

/** One call of a module on the host, as text. */
export interface ModuleCall {
  /** Lines run in the program's own shell. They report by `chg`, `bad`, `fine`, `skip`, and never exit. */
  readonly shell: string;
  /** What stands for it where nothing may be changed, when that is less. */
  readonly look?: string;
  readonly libs: readonly LibName[];
  /** Digests of everything that may have to travel for it. */
  readonly payloads?: readonly string[];
  /** Controller files that are fetched, or verified where they are there, before they travel. */
  readonly missing?: readonly string[];
  /** Controller files that another host's `fetch` brings. */
  readonly awaited?: readonly string[];
  /** A file that comes to the controller. */
  readonly brings?: Brought;
  readonly tells?: Tells;
  /** The host boots anew in the middle of the call, which is then made once more. */
  readonly reboots?: Reboots;
  /** A host that is not there is waited for. */
  readonly waits?: HostWait;
  /** Paths that the call looks at: all of a program are looked at together, as long as nothing has changed. */
  readonly probes?: readonly Probe[];
  /** Units that the call asks systemd about, likewise. */
  readonly units?: readonly string[];
  /** Fields of the result, where they are others than the module's. */
  readonly returns?: TaskModule["returns"];
  /** Fields of the result that the controller knows; of type "known", or what others are where the host gives none. */
  readonly known?: Readonly<Record<string, Value>>;
}

/** How the controller finds out that a host has booted anew; milliseconds. */
export interface Reboots {
  /** Shell whose output is another one after a boot. */
  readonly bootCommand: string;
  /** Shell that succeeds when the host can go on. */
  readonly testCommand: string;
  /** For the boot, and once more for the test. */
  readonly timeoutMs: number;
  /** Before the host is asked. */
  readonly pauseMs: number;
  readonly connectTimeoutMs?: number;
}

/** How long a host that is not there is waited for, and how often it is called; milliseconds. */
export interface HostWait {
  readonly timeoutMs: number;
  readonly pauseMs: number;
}

/** What a call's result has besides fields of the program. */
export interface Tells {
  /** Facts that stand under ansible_facts from then on, by the names that the module has for them. */
  readonly facts?: readonly string[];
  /** Makes fields of the text that the call tells, of a result that is no failure. Facts are in `ansible_facts`. */
  readonly read: (told: string) => Vars;
  /** Of a failure, too. */
  readonly always?: boolean;
}

/**
 * How a field travels: "json" as JSON text, such as a list; "float" as seconds with their fraction; "time" as hundredths of seconds
 * since 1970, and the zone; "known" not at all, as the controller has it; "told" as `known`, where the controller has it, or as text.
 */
export type ReturnType = "str" | "int" | "bool" | "float" | "json" | "known" | "time" | "told";

export interface TaskModule {
  readonly spec: ModuleArgs;
  /**
   * Fields that `register` gives, besides changed, failed and skipped: dotted path to type. The program holds the field
   * `stat.exists` in the shell variable R_stat_exists.
   */
  readonly returns: Readonly<Record<string, ReturnType>>;
  /** Changes that Ansible's diff shows and no text does: all, or those of owner, group and mode. */
  readonly diffs?: "always" | "attributes";
  /** Shell word that gives all their names, where the library has one. */
  readonly fieldNames?: string;
  /**
   * Pure: arguments in, shell out. Arguments are rendered and coerced to the spec's types.
   * @throws ArgumentError when the arguments contradict each other.
   */
  readonly build: (args: Readonly<Record<string, Value>>, context: ModuleContext) => ModuleCall;
}

/** A wrong argument; the compile step adds the place. */
export class ArgumentError extends Error {
  readonly argument: string | undefined;
  constructor(message: string, argument?: string) {
    super(message);
    this.argument = argument;
  }
}
