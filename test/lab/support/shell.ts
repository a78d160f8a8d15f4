import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { LabHost } from "../../../src/lab/index.js";
import { cacheWithoutBuilds, sharedCache } from "./cli.js";
import { type ScreenSize, TmuxTerminal } from "./tmux.js";

const program = resolve(import.meta.dirname, "../../../dist/cli/main.js");

interface Scope {
  teardown(handler: () => unknown): void;
}

/**
 * A shell of an operator whose ssh_config knows the host as `church`, with `./edge-setup` as a command.
 * @param builds false where something has to be compiled
 */
export async function openShell(
  t: Scope,
  host: LabHost,
  size: ScreenSize,
  { builds = true } = {},
): Promise<{ terminal: TmuxTerminal; home: string }> {
  const home = await mkdtemp(join(tmpdir(), "edge-home-"));
  await writeFile(
    join(home, "ssh_config"),
    [
      "Host church",
      `  HostName ${host.address}`,
      `  Port ${host.sshPort}`,
      `  User ${host.user}`,
      `  IdentityFile ${host.identityFile}`,
      "  IdentitiesOnly yes",
      `  UserKnownHostsFile ${home}/known_hosts`,
      "  GlobalKnownHostsFile /dev/null",
      "",
    ].join("\n"),
  );
  await writeFile(join(home, "edge-setup"), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, { mode: 0o755 });
  const env = {
    PATH: `${home}:${process.env.PATH ?? ""}`,
    HOME: home,
    // A CI system sets it, and nobody watches there; here somebody does.
    CI: "",
    XDG_CACHE_HOME: builds ? sharedCache() : cacheWithoutBuilds(home),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CONFIG_HOME: join(home, "config"),
  };
  const terminal = await TmuxTerminal.open(home, env, size);
  t.teardown(async () => {
    await terminal.close();
    await rm(home, { recursive: true, force: true });
  });
  return { terminal, home };
}
