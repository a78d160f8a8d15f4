import { hostAccess } from "../inventory/host-address.js";
import { INLINE_FILE } from "../inventory/inline-inventory.js";
import { generateSecret, withSecrets } from "../inventory/secrets.js";
import { resolveSettings } from "../inventory/settings/resolve.js";
import type { InventoryHost } from "../inventory/types.js";
import type { LabHost } from "../lab/types.js";
import type { Value } from "../playbook/types.js";
import { EDGES, type Fleet } from "./fleet.js";

/** A fleet of one host that lives for this run only; so do its secrets, which are never written down. */
export function throwAwayFleet(lab: LabHost, vars: Readonly<Record<string, Value>>): Fleet {
  const position = { file: INLINE_FILE, line: 1, column: 1 };
  const secrets = {
    secrets: new Map([[lab.name, { rtmp_publish_token: generateSecret(), http_status_password: generateSecret() }]]),
    fresh: [lab.name],
    created: [lab.name],
    file: undefined,
    warnings: [],
  };
  const host: InventoryHost = {
    name: lab.name,
    groups: ["all", EDGES],
    vars: {
      ...vars,
      ansible_host: lab.address,
      ansible_port: lab.sshPort,
      ansible_user: lab.user,
      ansible_ssh_private_key_file: lab.identityFile,
    },
    origins: {},
    position,
  };
  const one = {
    host: withSecrets(host, { ...secrets, file: INLINE_FILE }),
    settings: resolveSettings(host, secrets.secrets.get(lab.name)),
    access: hostAccess(host),
  };
  return {
    inventory: {
      file: INLINE_FILE,
      hosts: [host],
      groups: { all: [lab.name], [EDGES]: [lab.name] },
      select: () => [host],
    },
    hosts: [one],
    secrets,
    extraVars: { vars: {}, origins: {} },
    reach: async () => one,
  };
}
