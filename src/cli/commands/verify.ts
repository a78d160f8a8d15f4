import { nowText, type RunEvent } from "../../report/events.js";
import { connect } from "../../transport/connect.js";
import { EdgeError, type ExitCode, exitCodes } from "../../util/errors.js";
import type { CommandContext } from "../commands.js";
import { openDisplay } from "../display.js";
import { type FleetHost, loadFleet } from "../fleet.js";
import { noticesOf } from "../notices.js";
import { prove } from "../proof.js";
import { asker, askPasswords, connectOptions } from "../reach.js";
import { RunFrame } from "../run-frame.js";

/** `edge-setup verify`: publishes a test stream to each edge and plays it back. */
export async function run({ flags, signal, interruption }: CommandContext): Promise<ExitCode> {
  const passwords = await askPasswords(flags, asker(flags));
  const fleet = await loadFleet(flags, { saveSecrets: false, passwords });
  const display = await openDisplay(flags, { tasksAreResult: true, interruption });
  try {
    const frame = new RunFrame(display.emit, noticesOf(fleet));
    frame.start(
      "verify",
      fleet.hosts.map((one) => one.host.name),
    );
    const reach = connectOptions(flags, display.asker, signal);
    const verifyOne = async (one: FleetHost): Promise<ExitCode> => {
      try {
        const transport = await connect(one.access.address, reach);
        try {
          const { ok } = await prove(one, transport, frame.emit, signal);
          return ok ? exitCodes.ok : exitCodes.taskFailed;
        } finally {
          await transport.close();
        }
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error;
        frame.emit(unreachable(one.host.name, error));
        return error.exitCode;
      }
    };
    // One after the other: a proof measures times, and edges behind one uplink would disturb each other.
    let worst: ExitCode = exitCodes.ok;
    for (const one of fleet.hosts) {
      const code = await verifyOne(one);
      if (worst === exitCodes.ok) worst = code;
    }
    return frame.end(worst);
  } finally {
    await display.end();
  }
}

function unreachable(host: string, error: EdgeError): RunEvent {
  return {
    type: "host.unreachable",
    time: nowText(),
    host,
    code: error.code,
    text: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
