import type { RunEvent } from "../report/events.js";
import type { Secret } from "../util/secret.js";

/** How one host of the answers is reached. */
export interface HostChoice {
  /** `ssh`, this very machine, or a throw-away host that `try` boots. */
  readonly kind: "ssh" | "local" | "throw-away";
  /** Inventory name: `pi-church`, `raspberrypi.local`, an alias of ~/.ssh/config. */
  readonly name: string;
  /** ansible_host, where it is not the name. */
  readonly address?: string;
  readonly port?: number;
  readonly user?: string;
}

/** A host that was found, and where: the wizard shows both. */
export interface DetectedHost extends HostChoice {
  /** In words: `~/.ssh/config`, `edges.yml`, `recent`, `answers to its name on this network`, `this machine`. */
  readonly source: string;
}

/** What a look at a host tells, before anything is changed. */
export interface HostPortrait {
  /** `Raspberry Pi 4 Model B Rev 1.4`, a product name, or `x86_64 host`. */
  readonly model: string;
  /** Key of remembered durations: the same for all machines of one kind. */
  readonly modelKey: string;
  /** `Debian 13.1`. */
  readonly os: string;
  /** What its programs are compiled for, as facts have it: `armhf/armv6`; and in words: `armhf (ARMv6) on a 64-bit kernel`. */
  readonly userland: string;
  readonly architecture: string;
  /** Of the CPU itself: `armv8-a`. */
  readonly cpuLevel: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly memoryFreeMb: number;
  readonly swapMb: number;
  /** What / lies on: `SD card`; undefined where that is not known. */
  readonly storage: string | undefined;
  /** Free bytes of /. */
  readonly diskFreeBytes: number;
  /** Of a Raspberry Pi: what `vcgencmd get_throttled` says, in words; empty when all is well or there is no such tool. */
  readonly power: readonly string[];
  /** Host's clock minus ours, milliseconds; the time of travel is taken out. */
  readonly clockSkewMs: number;
  /** How root is reached. */
  readonly sudo: "root" | "passwordless" | "password" | "none";
  /** Addresses of the host's own interfaces. */
  readonly addresses: readonly string[];
  /** What live transcoding it holds, in words. */
  readonly capability: string;
  /** What speaks against this host, or should be known first: wrong OS, little disk, under-voltage, clock. */
  readonly warnings: readonly string[];
}

export type HostCheck =
  | { readonly status: "ok"; readonly portrait: HostPortrait }
  | { readonly status: "failed"; readonly code: string; readonly text: string; readonly hint?: string };

export type CheckVerdict = { readonly status: "ok" | "warning" | "failed"; readonly text: string };

/** Everything that was answered: what edges.yml, the secrets file and the equivalent command are made of. */
export interface Answers {
  readonly hosts: readonly HostChoice[];
  /** SSH user of hosts that name none. */
  readonly user?: string;
  /** SSH key file; undefined leaves it to ssh_config and the agent. */
  readonly privateKey?: string;
  /** For this run only, never written. */
  readonly sshPassword?: Secret;
  readonly becomePassword?: Secret;
  /** Settings by name, as they would be written in edges.yml; only those that differ from the default. */
  readonly settings: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Given by hand; what is not given is generated. */
  readonly publishToken?: Secret;
  readonly statusPassword?: Secret;
}

/** What a plan of the answers found for one host. */
export interface HostPlan {
  readonly host: string;
  readonly create: number;
  readonly change: number;
  readonly keep: number;
  /** Why the host cannot be planned; the counts are 0 then. */
  readonly problem?: string;
  /** Tasks that would change something: name and reason, in order. */
  readonly tasks: readonly { readonly name: string; readonly reason: string; readonly status: "changed" | "pending" }[];
  /** From remembered durations of this kind of machine; undefined where nothing is known. */
  readonly estimateMs?: number;
}

/** Questions of the transport, shown by whoever runs the wizard. */
export interface Questions {
  confirmHostKey(question: {
    readonly host: string;
    readonly keyType: string;
    readonly fingerprint: string;
  }): Promise<boolean>;
  askSecret(question: string): Promise<Secret | undefined>;
}

/** All that a wizard has of the world; the command line gives it, tests give their own. */
export interface WizardServices {
  /** Calls back for each host as it is found; resolves when the search has ended (at most some 2 s). */
  detectHosts(onFound: (host: DetectedHost) => void, signal: AbortSignal): Promise<void>;
  checkHost(host: HostChoice, answers: Answers, questions: Questions, signal: AbortSignal): Promise<HostCheck>;
  /** Whether a domain leads to the host, and ports 80 and 443 answer or are free. */
  checkDomain(domain: string, hosts: readonly HostChoice[], signal: AbortSignal): Promise<CheckVerdict>;
  /** A real plan of the answers; nothing is written, nothing changed. */
  plan(
    answers: Answers,
    questions: Questions,
    onEvent: (event: RunEvent) => void,
    signal: AbortSignal,
  ): Promise<readonly HostPlan[]>;
  /** A token as it would be generated. */
  generateSecret(): Secret;
  /** Where the answers would be written, e.g. `edges.yml`. */
  readonly inventoryFile: string;
}

/** How a wizard ended. */
export type WizardOutcome =
  | { readonly action: "apply" | "save" | "print"; readonly answers: Answers }
  | { readonly action: "cancel" };
