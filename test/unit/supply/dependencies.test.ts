import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}

const root = packageRoot();
const textOf = (name: string) => readFile(join(root, name), "utf8");
const { packages } = JSON.parse(await textOf("package-lock.json")) as { packages: Record<string, Locked> };
const nameOf = (path: string) => path.replace(/^.*node_modules\//, "");
const runtime = Object.entries(packages).filter(([path, one]) => path !== "" && !one.dev && !one.devOptional);

t.test("install scripts: those two whose work is not needed, and no other", async (t) => {
  // Both compile code that only makes ciphers faster; the lab and test/pack run without it.
  const scripted = runtime.filter(([, one]) => one.hasInstallScript === true).map(([path]) => nameOf(path));
  t.same(scripted.sort(), ["cpu-features", "ssh2"]);
  t.match(await textOf("test/run.sh"), "npm ci --ignore-scripts");
});

t.test("every package is from the registry, by hash", async (t) => {
  for (const [path, { resolved, integrity }] of Object.entries(packages)) {
    if (path === "") continue;
    // Without an address it is whatever registry npm is told to use; the hash decides.
    t.match(resolved ?? "https://registry.npmjs.org/", /^https:\/\/registry\.npmjs\.org\//, path);
    t.match(integrity, /^sha512-/, path);
  }
});

t.test("what users get is under licences that ask for a notice, and no more", async (t) => {
  for (const [path] of runtime) {
    const manifest = JSON.parse(await textOf(join(path, "package.json"))) as {
      license?: string;
      licenses?: readonly { type: string }[];
    };
    const license = manifest.license ?? manifest.licenses?.[0]?.type ?? "none";
    t.match(license, /^\(?(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|Unlicense|CC0-1\.0)( OR |\)|$)/, path);
  }
});

t.test("the documentation names each dependency", async (t) => {
  const { dependencies } = JSON.parse(await textOf("package.json")) as { dependencies: Record<string, string> };
  const table = (await textOf("docs/supply-chain.md")).split("## npm packages")[1] ?? "";
  const named = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = ""]) => cell.match(/[a-z0-9-]+/g) ?? []);
  t.same(named.sort(), Object.keys(dependencies).sort());
});
