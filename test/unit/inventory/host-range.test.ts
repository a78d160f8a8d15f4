import t from "tap";
import { expandHosts } from "../../../src/inventory/host-range.js";

const good: readonly (readonly [string, string])[] = [
  ["pi", "pi"],
  ["pi[1:3]", "pi1 pi2 pi3"],
  ["pi[08:10].local", "pi08.local pi09.local pi10.local"],
  ["pi[0:6:3]", "pi0 pi3 pi6"],
  ["[a:c]-pi", "a-pi b-pi c-pi"],
  ["r[1:2]-[a:b]", "r1-a r1-b r2-a r2-b"],
];
for (const [pattern, hosts] of good) t.test(pattern, async (t) => t.equal(expandHosts(pattern).join(" "), hosts));

for (const pattern of ["pi[3:1]", "pi[a:3]", "pi[1:z]", "pi[a:Z]", "pi[1:3:0]", "pi[0:9999999]", "[0:999][0:999]"])
  t.test(`${pattern} is refused`, async (t) => t.throws(() => expandHosts(pattern), RangeError));
