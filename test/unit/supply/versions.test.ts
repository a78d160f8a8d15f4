import t from "tap";
import { compareVersions } from "../../../src/supply/versions.js";

t.test("the order of dpkg", async (t) => {
  // Each is older than the next, as `dpkg --compare-versions` has it.
  const ordered = [
    "1.26.3-3+deb13u7",
    "1.26.3-3+deb13u10",
    "1.26.3-3+deb13u11",
    "1.26.3-4",
    "1.30.4",
    "1.30.4-1",
    "1.30.10",
    "1.31.0~beta1",
    "1.31.0",
    "1.31.0+dfsg",
    "3.5.7-1~deb13u3",
    "3.5.7-1",
    "3.5.9-1~deb13u1",
    "7:5.1.9-0+deb12u1",
    "7:7.1.4-0+deb13u1",
    "7:7.1.5-0+deb13u1",
    "8:5.1.4-0+rpt1+deb12u1",
  ];
  for (const [at, version] of ordered.entries()) {
    t.equal(compareVersions(version, version), 0);
    for (const newer of ordered.slice(at + 1)) {
      t.ok(compareVersions(version, newer) < 0, `${version} < ${newer}`);
      t.ok(compareVersions(newer, version) > 0);
    }
  }
  t.equal(compareVersions("1.0", "1.00"), 0);
  t.ok(compareVersions("1.0a", "1.0+") < 0, "letters before the rest");
});
