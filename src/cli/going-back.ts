import { type EmitEvent, nowText } from "../report/events.js";
import type { Asker } from "../ui/prompts/prompter.js";
import { quote } from "../util/shell.js";
import type { FleetHost } from "./fleet.js";
import { runOnHost } from "./host-command.js";
import type { Flags } from "./options.js";

/** The task of playbooks/tasks/release.yml that tells that another build took over. */
const UPGRADED = "Another build runs";

/** Events on their way to a display, with a note of the hosts on which this run put another build live. */
export class UpgradeNotes {
  readonly #hosts = new Set<string>();

  constructor(private readonly display: EmitEvent) {}

  readonly emit: EmitEvent = (event) => {
    if (event.type === "task.result" && event.task.name === UPGRADED && event.status === "changed") {
      this.#hosts.add(event.host);
    }
    this.display(event);
  };

  has(host: string): boolean {
    return this.#hosts.has(host);
  }
}

interface GoingBackOptions {
  readonly flags: Flags;
  readonly prompter: Asker;
  readonly emit: EmitEvent;
  readonly signal: AbortSignal;
  /** Ids of the checks that failed. */
  readonly failed: readonly string[];
  /** Proves the edge once more. */
  readonly prove: () => Promise<boolean>;
}

/** Puts the build and the release from before the upgrade live again, and says whether they pass the proof. */
export async function goBack(one: FleetHost, options: GoingBackOptions): Promise<void> {
  const { flags, prompter, signal, emit, failed, prove } = options;
  const host = one.host.name;
  const say = (level: "info" | "error", text: string, hint?: string) =>
    emit({ type: "message", time: nowText(), level, host, text, ...(hint === undefined ? {} : { hint }) });
  say("info", "The proof did not pass with the new build: going back to the one from before.");
  const words = flags["restart-streams"] === true ? ["--restart-streams"] : [];
  const reason = quote(`the proof did not pass (${failed.join(", ")})`);
  const command = ["/opt/edge/bin/edge-release", "rollback", ...words, reason].join(" ");
  const answer = await runOnHost(one, command, { flags, prompter, signal });
  if (answer.code !== 0) {
    const last = (answer.stderr || answer.stdout).trim().split("\n").at(-1) ?? "";
    say("error", `The new build stays, as there is no way back: ${last}`, "See `journalctl -u 'edge-*'` on the host.");
    return;
  }
  const passes = await prove();
  say(
    "error",
    passes
      ? "The build and the configuration from before run again, and pass the proof."
      : "The build and the configuration from before run again. The proof does not pass with them either, so the new build may not be why.",
    "The new one is not tried again by itself; `edge-setup apply --try-again` does.",
  );
}
