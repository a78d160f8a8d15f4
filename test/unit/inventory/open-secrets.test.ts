import { join } from "node:path";
import t from "tap";
import { revealed } from "../../../src/inventory/host-value.js";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { maskedTexts } from "../../../src/inventory/masked-texts.js";
import { openSecrets } from "../../../src/inventory/open-secrets.js";
import { noVault } from "../../../src/inventory/vault/vault.js";
import type { LookupReader } from "../../../src/playbook/scope.js";
import { lines, memoryReaders } from "./fixtures/helpers.js";

const reader: LookupReader = {
  kindOf: () => undefined,
  list: () => undefined,
  realPath: (path) => path,
  templateVars: () => ({}),
  readFile: (path) =>
    ({
      "/run/token": "token-of-a-file\n",
      "/run/empty": "\n",
      "/run/set": '{"se-cret"}\n',
      "/run/list": "[se-cret\n",
      "/home/ops/pw": "password-at-home",
      "/i/keys.json": '{"church": "key-of-the-church"}',
    })[path],
  env: (name) => ({ HOME: "/home/ops", TOKEN: "token-of-env {{ 1 + 1 }}", NOTHING: "" })[name],
};

/** The variables of a host `pi` of the group `edges`, opened. */
async function opened(...vars: string[]) {
  const text = `edges:\n  hosts:\n    pi:\n${vars.map((line) => `      ${line}\n`).join("")}`;
  const inventory = await loadInventory("/i/edges.yml", { readers: memoryReaders({ "/i/edges.yml": text }) });
  const { hosts, errors } = await openSecrets(inventory, inventory.hosts, { vault: noVault, reader });
  const [host] = hosts;
  if (host === undefined) throw new Error("no host");
  return { host, problems: lines(errors) };
}

t.test("secrets by reference", async (t) => {
  const cases: readonly (readonly [line: string, name: string, value: unknown])[] = [
    [`rtmp_publish_token: "{{ lookup('file', '/run/token') }}"`, "rtmp_publish_token", "token-of-a-file"],
    [`ansible_password: "{{ lookup('env', 'TOKEN') }}"`, "ansible_password", "token-of-env {{ 1 + 1 }}"],
    [`ansible_become_pass: "{{ lookup('ansible.builtin.file', '~/pw') }}"`, "ansible_become_pass", "password-at-home"],
    [
      `rtmp_stream_keys: "{{ lookup('file', inventory_dir ~ '/keys.json') | from_json }}"`,
      "rtmp_stream_keys",
      { church: "key-of-the-church" },
    ],
    [
      `rtmp_stream_keys: { church: "{{ inventory_hostname }}-key-{{ lookup('env', 'HOME') | basename }}" }`,
      "rtmp_stream_keys",
      { church: "pi-key-ops" },
    ],
    [
      `pull: [{ name: cam, url: "rtsp://{{ lookup('env', 'UNSET', default='u') }}:pw@cam.example/" }]`,
      "pull",
      [{ name: "cam", url: "rtsp://u:pw@cam.example/" }],
    ],
    [`ansible_password: "{{ lookup('file', '/run/list') }}"`, "ansible_password", "[se-cret"],
    ["rtmp_publish_token: plain-token-of-pi", "rtmp_publish_token", "plain-token-of-pi"],
    [`http_status_password: "{{ lookup('env', 'UNSET', default='fallback') }}"`, "http_status_password", "fallback"],
  ];
  for (const [line, name, value] of cases) {
    const { host, problems } = await opened(line);
    t.strictSame(problems, [], line);
    t.strictSame(revealed(host.vars[name] ?? null), value, line);
    t.notOk(/token-of|password-at|key-of|plain-token|se-cret|:pw@/.test(JSON.stringify(host.vars)), "it is hidden");
    t.not(maskedTexts(host).length, 0, "and masked");
  }
});

t.test("other variables may hold them too", async (t) => {
  const { host, problems } = await opened(
    `x_address: "10.0.0.{{ 3 + 4 }}"`,
    `ansible_host: "{{ x_address }}"`,
    `hls_fragment: "{{ x_later }}"`,
  );
  t.strictSame(problems, []);
  t.equal(host.vars.ansible_host, "10.0.0.7", "connection variables are no secrets, but needed early");
  t.equal(host.vars.hls_fragment, "{{ x_later }}", "all else is computed on the host's turn");
});

t.test("what is not there is said, and not an empty secret", async (t) => {
  const early =
    "(before a host is connected to, variables of the inventory and lookup('file'), lookup('env') are known, and no facts)";
  const cases: readonly (readonly [line: string, problem: string])[] = [
    [
      `rtmp_publish_token: "{{ lookup('env', 'UNSET') }}"`,
      "4:27: rtmp_publish_token is empty: the environment variable UNSET is not set, or empty (set UNSET where edge-setup runs)",
    ],
    [
      `ansible_become_password: "{{ lookup('env', 'NOTHING') }}"`,
      "4:32: ansible_become_password is empty: the environment variable NOTHING is not set, or empty (set NOTHING where edge-setup runs)",
    ],
    [
      `rtmp_stream_keys: { church: "{{ lookup('env', 'UNSET') }}" }`,
      "4:25: rtmp_stream_keys is empty: the environment variable UNSET is not set, or empty (set UNSET where edge-setup runs)",
    ],
    [
      `rtmp_publish_token: "{{ lookup('file', '/run/empty') }}"`,
      "4:27: rtmp_publish_token is empty: its template gives nothing (see that the file it names holds the secret)",
    ],
    [
      `rtmp_publish_token: "{{ lookup('file', '/run/none') }}"`,
      `4:36: rtmp_publish_token cannot be computed: the file "/run/none" is not found (Looked for /run/none.)`,
    ],
    [
      `rtmp_publish_token: "{{ lookup('file', 'token') }}"`,
      `4:36: rtmp_publish_token cannot be computed: the file "token" is not found (Write its whole path, or one from the inventory on: {{ inventory_dir }}/FILE.)`,
    ],
    [
      `ansible_password: "{{ lookup('file', '/run/set') }}"`,
      '4:25: ansible_password cannot be computed: the text "***" is a Python set, which the subset does not have',
    ],
    [
      `rtmp_publish_token: "{{ lookup('env', 'TOKEN') | human_to_bytes }}"`,
      `4:55: rtmp_publish_token cannot be computed: human_to_bytes cannot read "***"`,
    ],
    [
      `rtmp_publish_token: "{{ x_none }}"`,
      `4:30: rtmp_publish_token cannot be computed: 'x_none' is undefined ${early}`,
    ],
    [
      `rtmp_publish_token: "{{ ansible_facts.hostname }}-token"`,
      `4:30: rtmp_publish_token cannot be computed: 'ansible_facts' is undefined ${early}`,
    ],
    [
      `ansible_host: "{{ lookup('pipe', 'id') }}"`,
      `4:24: ansible_host cannot be computed: the lookup "pipe" is not supported (Programs do not run while a template is computed: use a task with delegate_to: localhost and register.)`,
    ],
  ];
  for (const [line, problem] of cases) {
    const { host, problems } = await opened(line);
    t.strictSame(problems, [`${join("/i", "edges.yml")}:${problem}`], line);
    t.notOk((line.split(":")[0] ?? "") in host.vars, "and it has no value");
  }
});
