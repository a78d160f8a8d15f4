import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import t from "tap";
import { loadFleet } from "../../../src/cli/fleet.js";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../../..");
const installed = spawnSync("ansible-vault", ["--version"]).status === 0;
const SECRETS = "group_vars/all/edge-secrets.yml";

/** What ansible-playbook makes of the same files, as JSON beside them. */
const PLAYBOOK = `
- hosts: edges
  gather_facts: false
  connection: local
  vars_files: ["${root}/playbooks/vars/settings.yml", "${root}/playbooks/vars/derived.yml"]
  tasks:
    - name: Streams and their keys are of the form that NGINX is given
      ansible.builtin.assert:
        that:
          - edge_rtmp_stream_keys | dict2items | rejectattr('value', 'match', '^[A-Za-z0-9._~-]{8,128}$') | list | length == 0
          - edge_rtmp_stream_keys | dict2items | map(attribute='value') | unique | list | length == edge_rtmp_stream_keys | length
    - ansible.builtin.copy:
        content: "{{ {'token': edge_rtmp_publish_token, 'password': edge_http_status_password, 'push': edge_push_keys.tube | string, 'become': ansible_become_password | string,
                      'streams': lookup('template', '${root}/assets/nginx/streams.json.j2')} | to_json }}"
        dest: "{{ inventory_dir }}/out.json"
        mode: "0600"
`;

t.test("ansible-vault and edge-setup read what the other has encrypted", { skip: !installed }, async (t) => {
  const folder = t.testdir({
    group_vars: { all: { "vault.yml": "vault_token: token-of-the-vault\n" } },
    "lab.pw": "password of the lab\n",
    "playbook.yml": PLAYBOOK,
  });
  const vaultId = `lab@${join(folder, "lab.pw")}`;
  const ansible = async (program: string, ...words: string[]) =>
    (await run(program, [...words, "--vault-id", vaultId], { cwd: folder })).stdout;
  const value = async (plain: string) => (await ansible("ansible-vault", "encrypt_string", plain)).trimEnd();
  const [church, become, tube] = await Promise.all([
    value("key-of-the-church"),
    value("become {{ password }}"),
    value("key-of-the-tube"),
    ansible("ansible-vault", "encrypt", join(folder, "group_vars/all/vault.yml")),
  ]);
  const inventory = join(folder, "edges.yml");
  await writeFile(
    inventory,
    [
      "edges:",
      "  hosts:",
      "    pi:",
      "      rtmp_publish_token: '{{ vault_token }}'",
      `      ansible_become_password: ${become}`,
      `      rtmp_stream_keys:\n        church: ${church}`,
      "      push: [{ name: tube, stream: church, url: 'rtmp://tube.example/live' }]",
      `      push_keys:\n        tube: ${tube}`,
      "",
    ].join("\n"),
  );
  const settled = { saveSecrets: true, passwords: {} };
  const flags = { inventory, "vault-id": [vaultId] };
  const [one] = (await loadFleet(flags, settled)).hosts;
  const password = one?.settings.values.http_status_password?.reveal();
  t.equal(one?.settings.values.rtmp_publish_token?.reveal(), "token-of-the-vault");
  t.equal(one?.settings.values.rtmp_stream_keys.church?.reveal(), "key-of-the-church");

  await ansible("ansible-vault", "encrypt", join(folder, SECRETS));
  await writeFile(
    inventory,
    (await readFile(inventory, "utf8")).replace("    pi:", "    other: { push_keys: {} }\n    pi:"),
  );
  t.strictSame((await loadFleet(flags, settled)).secrets.created, ["other"], "a host is added to the encrypted file");
  t.match(await readFile(join(folder, SECRETS), "utf8"), /^\$ANSIBLE_VAULT;1\.2;AES256;lab\n/);
  const viewed = await ansible("ansible-vault", "view", join(folder, SECRETS));
  t.match(viewed, `  pi:\n    http_status_password: "${password}"\n  other:\n    rtmp_publish_token: "`);

  const made = await ansible("ansible-playbook", "-i", inventory, "-l", "pi", join(folder, "playbook.yml"));
  t.match(made, /failed=0/);
  const { streams, ...plain } = JSON.parse(await readFile(join(folder, "out.json"), "utf8"));
  t.strictSame(plain, {
    token: "token-of-the-vault",
    password,
    push: "key-of-the-tube",
    become: "become {{ password }}",
  });
  const digest = createHash("sha256").update("key-of-the-church").digest("hex");
  t.strictSame(streams.publish[0], { stream: "church", sha256: digest });
});
