import { join } from "node:path";
import t from "tap";
import { loadFleet } from "../../../src/cli/fleet.js";
import { inspectRotation } from "../../../src/cli/rotate-token.js";

t.test(
  "a token is renewed only where it was made: not one of the operator's, not one that is kept elsewhere",
  async (t) => {
    const folder = t.testdir({
      "edges.yml": [
        "edges:",
        "  hosts:",
        "    own: { rtmp_publish_token: a-token-of-the-operators-own }",
        "    made: {}",
        "    elsewhere: {}",
        "",
      ].join("\n"),
      group_vars: {
        all: {
          "edge-secrets.yml": [
            "edge_secrets:",
            '  made: { rtmp_publish_token: "abcdefghijklmnop", http_status_password: "abcdefghijklmnop" }',
            '  own: { http_status_password: "abcdefghijklmnop" }',
            "",
          ].join("\n"),
        },
      },
    });
    const flags = { inventory: join(folder, "edges.yml") };
    const fleet = await loadFleet(flags, { saveSecrets: false, passwords: {} });
    t.equal(inspectRotation(fleet, "made").host.name, "made");
    t.throws(() => inspectRotation(fleet, "own"), { message: /own: rtmp_publish_token is set at .*edges\.yml:3:\d+/ });
    t.throws(() => inspectRotation(fleet, "elsewhere"), {
      message: /the secrets of elsewhere are not in .*edge-secrets/,
    });
  },
);
