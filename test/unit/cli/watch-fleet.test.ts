import t from "tap";
import { loadFleet } from "../../../src/cli/fleet.js";
import { watchedHost } from "../../../src/cli/watch-fleet.js";
import { noPrompter } from "../../../src/ui/prompts/prompter.js";

async function becomeOf(inventory: string, extra?: string): Promise<string | undefined> {
  const flags = { inventory, ...(extra === undefined ? {} : { "extra-vars": [extra] }) };
  const { hosts } = await loadFleet(flags, { saveSecrets: false, passwords: {} });
  return hosts[0] === undefined ? undefined : watchedHost(hosts[0], flags, noPrompter).become.method;
}

t.test("who looks at a host uses sudo, but for root", async (t) => {
  t.equal(await becomeOf("pi@192.0.2.7,"), "sudo");
  t.equal(await becomeOf("root@192.0.2.7,"), "none");
  for (const [uid, method] of [
    [0, "none"],
    [1000, "sudo"],
  ] as const) {
    const getuid = t.intercept(process, "getuid", { value: () => uid });
    t.equal(await becomeOf("here,", "ansible_connection=local"), method, `user ${uid} of this machine`);
    getuid.restore();
  }
});
