/** What an engine tells of one task and item on one host. */
export interface Told {
  readonly host: string;
  readonly task: string;
  readonly item?: string;
  readonly status: "ok" | "changed" | "failed" | "skipped" | "unreachable";
  readonly ignored: boolean;
  /** Undefined: no diff was shown. Lines that begin with + or -, where the diff is of text. */
  readonly diff?: readonly string[] | "other";
  /** Why, for whoever reads a difference. */
  readonly why: string;
}

export interface Counts {
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly rescued: number;
  readonly ignored: number;
  readonly unreachable: number;
}

/** What one run of one engine came to. */
export interface Outcome {
  readonly told: readonly Told[];
  readonly recap: Readonly<Record<string, Counts>>;
  /** 0: all well; 1: tasks failed or hosts were not reached; 2: the input is refused. */
  readonly verdict: "well" | "failed" | "refused";
  /** All that the engine printed. */
  readonly output: string;
}

export interface RunRequest {
  readonly playbook: string;
  readonly inventory: string;
  readonly sshConfig?: string;
  readonly check: boolean;
  /** Flags that both engines understand. */
  readonly flags?: readonly string[];
}

/** The lines of a unified diff that differ. */
export function changedLines(lines: readonly string[]): string[] {
  return lines.filter((line) => /^[+-]/.test(line) && !/^(\+\+\+|---) /.test(line));
}
