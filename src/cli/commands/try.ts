import { installPackages, missingPackages, requireLabMachine } from "../../lab/requirements.js";
import type { LabHost, LabRelease } from "../../lab/types.js";
import { nowText } from "../../report/events.js";
import { type ExitCode, InputError } from "../../util/errors.js";
import { untilDone } from "../apply-fleet.js";
import type { CommandContext } from "../commands.js";
import { openDisplay } from "../display.js";
import type { Flags } from "../options.js";
import { asker, connectOptions, mayAsk } from "../reach.js";
import type { Interruption } from "../signals.js";
import { throwAwayFleet } from "../throw-away.js";
import { sourcesAtHand } from "../try-sources.js";

const releases: readonly LabRelease[] = ["trixie", "bookworm"];
const HOST_NAME = "edge-try";

/** `edge-setup try`: a throw-away host on this machine becomes an edge, proven, and goes again. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, signal, interruption } = context;
  const release = chosenRelease(flags);
  if (flags.keep === true && flags.once === true) {
    throw new InputError("E_FLAG_VALUE", "--keep and --once exclude each other");
  }
  requireLabMachine();
  await installMissing(context);
  const display = await openDisplay(flags, { tasksAreResult: false, interruption });
  const say = (text: string) => display.emit({ type: "message", time: nowText(), level: "info", text });
  let host: LabHost | undefined;
  try {
    const sources = await sourcesAtHand(flags, release, signal, say);
    const { bootHost } = await import("../../lab/host.js");
    host = await bootHost({ name: HOST_NAME, release, signal, onProgress: say, handleSignals: false });
    say(`${HOST_NAME} is a Debian ${release} host at ${host.address}, up after ${(host.bootMs / 1000).toFixed(1)} s`);
    const code = await untilDone(display, context, {
      command: "try",
      flags,
      fleet: throwAwayFleet(host, { nginx_sources: sources }),
      connectOptions: {
        ...connectOptions(flags, display.asker, signal),
        hostKeyPolicy: "strict",
        knownHostsFile: host.knownHostsFile,
      },
      check: false,
      signal,
    });
    await display.end();
    if (staysUp(flags) && !signal.aborted) await untilCtrlC(host, code, interruption);
    return code;
  } finally {
    await display.end();
    await host?.stop();
    if (host !== undefined) process.stderr.write(`${HOST_NAME} is gone, with everything of it\n`);
  }
}

function staysUp(flags: Flags): boolean {
  return flags.keep === true || (flags.once !== true && process.stdin.isTTY === true);
}

async function untilCtrlC(host: LabHost, code: ExitCode, interruption: Interruption): Promise<void> {
  process.stderr.write(
    `\nThe host stays up until Ctrl-C. Look inside:\n  ssh -i ${host.identityFile} -o UserKnownHostsFile=${host.knownHostsFile} ${host.user}@${host.address}\n`,
  );
  interruption.announce = () => process.stderr.write("\n");
  await aborted(interruption.signal);
  // Ctrl-C is how this is meant to end.
  process.exitCode = code;
}

function chosenRelease(flags: Flags): LabRelease {
  const asked = flags.release ?? "trixie";
  const release = releases.find((one) => one === asked);
  if (release !== undefined) return release;
  throw new InputError("E_FLAG_VALUE", `--release takes ${releases.join(" or ")}, not "${asked}"`);
}

/** Says which packages this machine lacks, asks where somebody is there and nothing was said, and installs them. */
async function installMissing({ flags, signal }: CommandContext): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const list = missing.join(" ");
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`A throw-away host needs these Debian packages on this machine: ${list}`);
  if (flags.yes !== true && mayAsk(flags) && !(await asker(flags).confirm("Install them now?"))) {
    throw new InputError("E_LAB_PACKAGES", `this machine lacks ${list}`, {
      hint: `apt-get install --no-install-recommends ${list}`,
    });
  }
  await installPackages(missing, { signal, onProgress: say });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // The listener alone does not keep the process alive.
    const alive = setInterval(() => undefined, 60_000);
    const end = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
