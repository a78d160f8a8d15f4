import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { ExecOptions } from "../../../src/transport/transport.js";
import { localRun } from "./local-run.js";

/** How long who has taken the lock takes to write into it: longer than any program does, shorter than one waits. */
const WRITES_MS = 200;

/** Holds the lock and has written nothing yet; it lets go when its stdin ends. */
async function taker(lock: string) {
  const child = spawn("flock", [lock, "sh", "-c", "echo held; read x"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

t.test("a look at a lock that was taken a moment ago waits for what its holder writes", async (t) => {
  const lock = process.env.EDGE_SETUP_LOCK ?? "";
  t.not(lock, "");
  rmSync(lock, { force: true });
  const file = join(t.testdir(), "play.yml");
  writeFileSync(file, JSON.stringify([{ hosts: "all", tasks: [{ name: "One", command: "true" }] }]));
  for (const written of ["", "someone on desk pid 1"]) {
    const child = await taker(lock);
    const transport = new (class extends LocalTransport {
      override exec(command: string, options: ExecOptions = {}) {
        // After the facts the look begins: the holder writes, and has done its work or goes on.
        if (this.stats.execs === 1)
          setTimeout(() => (written === "" ? child.stdin.end() : writeFileSync(lock, written)), WRITES_MS);
        return super.exec(command, options);
      }
    })();
    const run = await localRun(file, "plan", {
      connect: async () => transport,
      connectLocal: async () => transport,
    });
    child.stdin.end();
    if (child.exitCode === null) await once(child, "exit");
    const warned = run.events.filter((event) => event.type === "message").map((event) => event.text);
    if (written === "") t.same(warned, [], "it was free again");
    else t.match(warned, [`another run holds this host (${written})`]);
  }
});
