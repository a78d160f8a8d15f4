import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { LoadOptions } from "../playbook/load-context.js";
import type { PackedYaml } from "../playbook/yaml-pack.js";

/** The product's playbooks as the build has packed them; a file that was changed since is read as any other. */
export function packedPlaybooks(root: string): NonNullable<LoadOptions["packed"]> {
  let packed: Readonly<Record<string, PackedYaml>> | undefined;
  return (text) => {
    packed ??= readPacked(join(root, "dist/playbooks.json.gz"));
    return packed[createHash("sha256").update(text).digest("hex")];
  };
}

function readPacked(file: string): Readonly<Record<string, PackedYaml>> {
  try {
    return JSON.parse(gunzipSync(readFileSync(file)).toString("utf8"));
  } catch {
    // It is there only where the program was built.
    return {};
  }
}
