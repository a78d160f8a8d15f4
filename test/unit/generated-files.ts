import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { revealed } from "../../src/inventory/host-value.js";
import { parseSource } from "../../src/inventory/yaml-source.js";
import { renderTemplate } from "../../src/playbook/render.js";
import { Scope } from "../../src/playbook/scope.js";
import { parseTemplate } from "../../src/playbook/template-parser.js";
import type { Value } from "../../src/playbook/types.js";

export const root = join(import.meta.dirname, "../..");

const variablesOf = (path: string): Record<string, Value> => {
  const file = join(root, path);
  const { root: source } = parseSource(readFileSync(file, "utf8"), file);
  return Object.fromEntries([...(source?.entries ?? [])].map(([name, { node }]) => [name, revealed(node.value)]));
};
const variables = {
  ...variablesOf("playbooks/vars/settings.yml"),
  ...variablesOf("nginx-build/sources.lock.json"),
  ...variablesOf("playbooks/vars/derived.yml"),
};
const facts = {
  // Of units that a task writes in a loop.
  item: "edge-record@.service",
  ...{ inventory_hostname: "pi", playbook_dir: join(root, "playbooks"), ansible_distribution: "Debian" },
  ...{ ansible_distribution_release: "bookworm", ansible_distribution_major_version: "12", ansible_memtotal_mb: 4000 },
  ...{
    ansible_edge_userland: "arm64/armv8-a",
    ansible_edge_libraries: "libc6 2.36",
    ansible_edge_nginx_abi: "",
    ansible_all_ipv6_addresses: ["fe80::1"],
  },
  ...{ ansible_processor_vcpus: 4, ansible_service_mgr: "systemd", ansible_kernel: "6.1.0" },
};
const secrets = {
  rtmp_publish_token: "a-token-of-pi",
  http_status_password: "a-password-of-pi",
  hls_signing_key: "a-signing-key-of-pi",
};
const reader = {
  readFile: (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
  env: () => undefined,
  kindOf: () => undefined,
  list: () => undefined,
  realPath: (path: string) => path,
  templateVars: () => ({}),
};

const templates = ["assets", "systemd"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    // Those of pull are made for each source in turn.
    .filter((name) => name.endsWith(".j2") && !name.startsWith("pull/"))
    .map((name) => join(folder, name)),
);

/** All generated files of a host with these settings, by their templates' paths. */
export function generate(vars: Readonly<Record<string, Value>>): Map<string, string> {
  const scope = new Scope({ searchPath: [root], reader })
    .withValues(facts)
    .withTemplates({ edge_secrets: { pi: secrets }, ...vars })
    .withTemplates(variables);
  return new Map(
    templates.map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return [path, renderTemplate(parseTemplate(text, { file: path, line: 1, column: 1 }), scope)];
    }),
  );
}
