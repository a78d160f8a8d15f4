import { Document, isMap, parseDocument, YAMLMap } from "yaml";
import { isVaultText } from "../inventory/vault/format.js";
import { InputError } from "../util/errors.js";
import type { Answers, HostChoice } from "./types.js";

const HEAD = ` Edges of edge-setup, and an Ansible inventory: docs/inventory.md, docs/settings.md.`;

/**
 * The text of edges.yml with the answers in it. What an existing file holds besides stays: other hosts, other keys,
 * comments. Secrets are never in it.
 * @param existing undefined where there is no file yet
 * @throws InputError when the existing text is not an inventory that can be added to
 */
export function edgesYml(answers: Answers, existing: string | undefined, file: string): string {
  const empty = existing === undefined || existing.trim() === "";
  const document = empty ? new Document({ edges: { hosts: {} } }) : parseDocument(existing);
  if (empty) document.commentBefore = HEAD;
  const broken = document.errors[0];
  if (broken !== undefined) throw unusable(file, broken.message.split("\n")[0] ?? "");
  if (isVaultText(existing ?? "")) throw unusable(file, "it is encrypted as a whole");
  if (document.contents !== null && !isMap(document.contents)) throw unusable(file, "it is not a map");
  const hosts = mapAt(document, ["edges", "hosts"], file);
  for (const host of answers.hosts) {
    const own: unknown = hosts.get(host.name, true);
    const map = isMap(own) ? own : new YAMLMap();
    if (map !== own) hosts.set(host.name, map);
    for (const [key, value] of Object.entries(hostVars(host, answers))) map.set(key, document.createNode(value));
  }
  return document.toString({ lineWidth: 0 });
}

/** Variables of one host, as Ansible calls them. */
function hostVars(host: HostChoice, answers: Answers): Record<string, unknown> {
  const user = host.user ?? answers.user;
  return {
    ...(host.kind === "local" ? { ansible_connection: "local" } : {}),
    ...(host.address === undefined ? {} : { ansible_host: host.address }),
    ...(host.port === undefined ? {} : { ansible_port: host.port }),
    ...(user === undefined || host.kind === "local" ? {} : { ansible_user: user }),
    ...(answers.privateKey === undefined || host.kind === "local"
      ? {}
      : { ansible_ssh_private_key_file: answers.privateKey }),
    ...answers.settings,
  };
}

/** The map at a path, made where it is missing or empty. */
function mapAt(document: Document, path: readonly string[], file: string): YAMLMap {
  for (let length = 1; length <= path.length; length++) {
    const part = path.slice(0, length);
    const node = document.getIn(part, true);
    if (isMap(node)) continue;
    const isEmpty = node === undefined || node === null || document.getIn(part) === null;
    if (!isEmpty) throw unusable(file, `${part.join(".")} is not a map`);
    document.setIn(part, new YAMLMap());
  }
  const map = document.getIn(path, true);
  if (!isMap(map)) throw unusable(file, `${path.join(".")} is not a map`);
  return map;
}

function unusable(file: string, why: string): InputError {
  return new InputError("E_INVENTORY", `${file} cannot be added to: ${why}`, {
    hint: "Correct it, or name another file with --inventory.",
  });
}
