import { chmod } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { controllerFindings, programVersion } from "../../../src/supply/controller.js";

const installed: Readonly<Record<string, string>> = {
  ssh: "OpenSSH_9.2p1",
  "ansible-playbook": "ansible-playbook [core 2.14]",
};

function controller(dir: string) {
  return {
    node: "v20.19.0",
    oldestNode: "20.3",
    cacheDir: join(dir, "cache"),
    knownHosts: join(dir, "known_hosts"),
    listDate: "2026-11-26",
    now: Date.parse("2026-12-01"),
    versionOf: async (program: string) => installed[program],
  };
}

t.test("a machine where all is well", async (t) => {
  const dir = t.testdir({ cache: {}, known_hosts: "" });
  const findings = await controllerFindings(controller(dir));
  t.same(
    findings.map(({ level, check }) => `${check} ${level}`),
    ["node ok", "ssh ok", "known-hosts ok", "cache ok", "ansible ok", "list ok"],
  );
});

t.test("what can be wrong", async (t) => {
  const dir = t.testdir({ cache: {} });
  await chmod(join(dir, "cache"), 0o777);
  const old = { ...controller(dir), now: Date.parse("2027-06-01"), versionOf: async () => undefined };
  t.match(await controllerFindings(old), [
    { check: "node" },
    { check: "ssh", level: "problem", hint: /Install/ },
    { check: "known-hosts", level: "note", text: /not there yet/ },
    { check: "cache", level: "problem", text: /other users .* may write/, hint: /^chmod go-w / },
    { check: "ansible", level: "note", text: /is not needed/ },
    { check: "list", level: "note", text: /187 days ago/ },
  ]);
});

t.test("a program's version, by its first line", async (t) => {
  t.match(await programVersion(process.execPath, "--version"), /^v\d+/);
  t.equal(await programVersion("no-such-program-anywhere", "-V"), undefined);
});
