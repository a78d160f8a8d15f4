import t from "tap";
import { checkBuilders } from "../../../src/cli/builders.js";
import { type Fleet, loadFleet } from "../../../src/cli/fleet.js";

async function fleetOf(dir: string): Promise<Fleet> {
  return loadFleet({ inventory: `${dir}/edges.yml` }, { saveSecrets: false, passwords: {} });
}

t.test("build_on names a host of the inventory, in a run of it or not", async (t) => {
  const hosts = "  hosts:\n    zero: {}\n    pi-4: {}\n";
  const dir = t.testdir({ "edges.yml": `edges:\n  vars: { build_on: pi-4 }\n${hosts}` });
  checkBuilders(await fleetOf(dir));
  const wrong = t.testdir({ "edges.yml": `edges:\n  vars: { build_on: pi-5 }\n${hosts}` });
  const fleet = await fleetOf(wrong);
  t.throws(() => checkBuilders(fleet), {
    errors: [{ code: "E_BUILD_ON", message: /build_on: pi-5 is no host of/, hint: /pi-4/, position: { line: 2 } }],
  });
  const local = t.testdir({ "edges.yml": `edges:\n  vars: { build_on: local }\n${hosts}` });
  checkBuilders(await fleetOf(local));
});
