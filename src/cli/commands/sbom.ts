import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadLock } from "../../build/sources.js";
import { lookAt } from "../../supply/host-look.js";
import { SBOM_PARTS } from "../../supply/host-script.js";
import { playPackages } from "../../supply/play-packages.js";
import { type PlayerLibrary, type SbomKnowledge, sbomOf } from "../../supply/sbom.js";
import { type ExitCode, exitCodes, InputError } from "../../util/errors.js";
import { packageRoot } from "../../util/package-root.js";
import type { CommandContext } from "../commands.js";
import { asker } from "../reach.js";
import { packageVersion } from "../version.js";
import { fleetToWatch, watchedHost } from "../watch-fleet.js";

/** `edge-setup sbom`: what edge-setup brought to a host, as CycloneDX. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { flags, signal, interruption } = context;
  const fleet = await fleetToWatch(context);
  const [one, ...others] = fleet.hosts;
  if (one === undefined || others.length > 0) {
    throw new InputError("E_ONE_HOST", `a bill of materials is of one host, and ${fleet.hosts.length} are meant`, {
      hint: `Name one: edge-setup sbom ${one?.host.name ?? "HOST"}`,
    });
  }
  interruption.announce = () => undefined;
  const { connect, name, become, becomePassword } = watchedHost(one, flags, asker(flags));
  const transport = await connect(signal);
  try {
    const options = { name, become, becomePassword, parts: SBOM_PARTS, patterns: [], now: Date.now, signal };
    const look = await lookAt(transport, options);
    if (look.manifest === undefined) {
      throw new InputError("E_NOT_AN_EDGE", `${name} is not an edge yet`, { hint: `edge-setup apply -l ${name}` });
    }
    const text = `${JSON.stringify(sbomOf(name, look, await knowledge()), null, 2)}\n`;
    if (flags.output === undefined) process.stdout.write(text);
    else await writeFile(flags.output, text);
  } finally {
    await transport.close();
  }
  return exitCodes.ok;
}

async function knowledge(): Promise<SbomKnowledge> {
  const root = packageRoot();
  const libraries = await readFile(join(root, "assets", "player", "vendor", "libraries.json"), "utf8");
  return {
    lock: await loadLock(join(root, "nginx-build", "sources.lock.json")),
    version: packageVersion(),
    packages: await playPackages(root),
    libraries: JSON.parse(libraries) as PlayerLibrary[],
  };
}
