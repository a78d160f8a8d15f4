import t from "tap";
import { chooseRange, prefix6Of } from "../../../src/lab/address-range.js";

t.test("takes the first range that nothing touches", async (t) => {
  t.equal(chooseRange([]), "10.213.77");
  t.equal(chooseRange(["10.213.77.4"]), "10.214.77", "an address inside");
  t.equal(chooseRange(["10.213.0.0/16"]), "10.214.77", "a network around it");
  t.equal(chooseRange(["10.213.77.128/25", "10.214.77.0/24"]), "10.215.77", "a network inside, and the same one");
  t.equal(chooseRange(["192.168.1.0/24", "172.17.0.0/16", "10.0.0.0/24"]), "10.213.77", "neighbours");
});

t.test("gives nothing where every private address is routed", async (t) => {
  t.equal(chooseRange(["10.0.0.0/8"]), undefined);
  t.equal(chooseRange(["0.0.0.0/0"]), undefined);
});

t.test("the IPv6 prefix follows the range", async (t) => {
  t.equal(prefix6Of("10.213.77"), "fded:6e:d5:4d");
});
