import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { root } from "../generated-files.js";

// NJS counts what a network tries, and NGINX looks for the file of the same name.

const NETWORKS: Readonly<Record<string, string>> = {
  "192.0.2.7": "192.0.2.7",
  "2001:db8:1:2:3:4:5:6": "2001:db8:1:2",
  "2001:db8:1:2::": "2001:db8:1:2",
  "2001:db8:1:2::9": "2001:db8:1:2",
  "2001:db8:1::1": "2001:db8:1:0",
  "2001:db8::1": "2001:db8:0:0",
  "2001:db8::5:6:7:8": "2001:db8:0:0",
  "2001::4:5:6:7:8": "2001:0:0:4",
  "2001::1": "2001:0:0:0",
  "fe80::1": "fe80:0:0:0",
};

t.test("an address of IPv6 stands for its /64, in NJS and in NGINX alike", async (t) => {
  const { default: bans } = await import(join(root, "assets/nginx/njs/bans.js"));
  const text = readFileSync(join(root, "assets/nginx/limits.conf.j2"), "utf8");
  const rules = [...text.matchAll(/^ {4}"~(\^\(\?<.*)" "(.*)";$/gm)].map(([, pattern = "", value = ""]) => ({
    pattern: new RegExp(pattern),
    value: value.replace(/\$\{?([a-z]+)\}?/g, "$<$1>"),
  }));
  t.equal(rules.length, 5);
  for (const [address, network] of Object.entries(NETWORKS)) {
    t.equal(bans.networkOf(address), network, address);
    const rule = rules.find(({ pattern }) => pattern.test(address));
    const match = rule?.pattern.exec(address);
    const value =
      rule === undefined ? address : rule.value.replace(/\$<(\w+)>/g, (_, name) => match?.groups?.[name] ?? "");
    t.equal(value, network, `${address} in limits.conf`);
  }
});
