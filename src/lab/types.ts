/** Debian releases a lab host can be. */
export type LabRelease = "trixie" | "bookworm";

/** Debian's architectures that a lab host can be of; others than this machine's own are emulated. */
export type LabArchitecture = "amd64" | "arm64" | "armhf" | "armel";

/** Told one line at a time what takes long, for example "downloading the Debian 13 base (once, about a minute)". */
export type LabProgress = (line: string) => void;

/** Packages that are installed once into a cached layer above the base, so that hosts booted on it have them at once. */
export interface LabLayerRequest {
  /** Short name for messages and the cache folder: lower-case letters, digits, dashes. */
  readonly name: string;
  /** Debian package names. */
  readonly packages: readonly string[];
}

/** A root file system in the cache. Never written to again: hosts boot on an overlay of it. */
export interface LabLayer {
  readonly name: string;
  readonly release: LabRelease;
  /** undefined for this machine's own. */
  readonly architecture?: LabArchitecture | undefined;
  /** Lower directories of the overlay, topmost first. One alone is a whole file system. */
  readonly lowers: readonly string[];
}

export interface BootOptions {
  /** The host's name: its hostname, and what messages call it. Lower-case letters, digits, dashes. */
  readonly name: string;
  /** Default: trixie (Debian 13); bookworm where the host is emulated. */
  readonly release?: LabRelease;
  /** Default: this machine's own. */
  readonly architecture?: LabArchitecture | undefined;
  /** Packages to have installed from the start. */
  readonly layer?: LabLayerRequest | undefined;
  /** Boots on this layer (of `freezeHost` or `findFrozen`) instead of the base; `release`, `architecture` and `layer` are then ignored. */
  readonly from?: LabLayer | undefined;
  /** Password of user `ops`, for SSH and sudo; without it `ops` has only its key and sudo asks nothing. */
  readonly opsPassword?: string | undefined;
  /** Debian mirror; default EDGE_SETUP_LAB_MIRROR or http://deb.debian.org/debian. */
  readonly mirror?: string | undefined;
  /** Default true: SIGINT, SIGTERM, SIGHUP remove the host, then end the process. False where the caller handles them. */
  readonly handleSignals?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: LabProgress | undefined;
}

export interface LabExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A booted throw-away host: real systemd, real sshd, its own network namespace. */
export interface LabHost {
  readonly name: string;
  readonly release: LabRelease;
  readonly architecture: LabArchitecture | undefined;
  /** IPv4 and IPv6 address on the lab's bridge, reachable from this machine only. */
  readonly address: string;
  readonly address6: string;
  readonly sshPort: number;
  /** `ops`, a sudo user. root accepts the same key. */
  readonly user: string;
  readonly identityFile: string;
  /** Holds the host's key, so that strict host key checking passes. */
  readonly knownHostsFile: string;
  /** Milliseconds from the start of the boot until SSH answered and systemd was up. */
  readonly bootMs: number;
  /** Runs a shell command as root inside, past SSH (nsenter); for tests that break things by hand. Never throws on exit codes. */
  exec(command: string, options?: { readonly input?: string; readonly signal?: AbortSignal }): Promise<LabExecResult>;
  /** Ends the host and removes everything of it. Safe to call twice. */
  stop(): Promise<void>;
}
