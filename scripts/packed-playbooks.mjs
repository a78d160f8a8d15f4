import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * The product's own playbooks as src/playbook/yaml-pack.ts packs them, by the hash of their text.
 * @param scratch a folder of the package, from which its dependencies are found
 */
export async function packedPlaybooks(root, scratch) {
  const program = join(scratch, "pack.mjs");
  await build({
    entryPoints: [join(root, "src/playbook/yaml-pack.ts")],
    outfile: program,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    logLevel: "warning",
  });
  const { packYaml } = await import(pathToFileURL(program));
  await rm(program);
  const folder = join(root, "playbooks");
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".yml"));
  const packed = {};
  for (const name of names.sort()) {
    const text = await readFile(join(folder, name), "utf8");
    const yaml = packYaml(text);
    if (yaml !== undefined) packed[createHash("sha256").update(text).digest("hex")] = yaml;
  }
  return JSON.stringify(packed);
}
