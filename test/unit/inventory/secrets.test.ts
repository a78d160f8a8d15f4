import { chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { revealed } from "../../../src/inventory/host-value.js";
import { INLINE_FILE } from "../../../src/inventory/inline-inventory.js";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { ensureSecrets, generateSecret, secretsFile, withSecrets } from "../../../src/inventory/secrets.js";
import { validateSettings } from "../../../src/inventory/settings/validate.js";
import { errorsOf, lines } from "./fixtures/helpers.js";

async function fleet(dir: string) {
  const file = join(dir, "edges.yml");
  await writeFile(file, "edges:\n  hosts:\n    pi-1:\n    vps-1: { rtmp_publish_token: given-by-hand }\n");
  return { file, inventory: await loadInventory(file), secrets: join(dir, "group_vars/all/edge-secrets.yml") };
}

t.test("generates what hosts lack, once, in a private file that inventory reads", async (t) => {
  const { file, inventory, secrets } = await fleet(t.testdir());
  const first = await ensureSecrets(file, inventory.hosts);
  t.strictSame(first.created, ["pi-1", "vps-1"]);
  t.equal(first.file, secrets);
  t.equal((await stat(secrets)).mode & 0o777, 0o600);
  const text = await readFile(secrets, "utf8");
  t.match(text, /^# Secrets of the edges/);
  t.match(first.secrets.get("pi-1")?.rtmp_publish_token?.reveal(), /^[A-Za-z0-9]{32}$/);
  t.strictSame(Object.keys(first.secrets.get("vps-1") ?? {}), ["http_status_password"], "a value given wins");
  t.notMatch(JSON.stringify([...first.secrets]), /[A-Za-z0-9]{32}/);

  const second = await ensureSecrets(file, inventory.hosts);
  t.strictSame(second.created, []);
  t.equal(await readFile(secrets, "utf8"), text, "not a byte changes");

  const again = await loadInventory(file);
  const [pi] = again.hosts;
  t.strictSame(revealed(pi?.vars.edge_secrets ?? null), {
    "pi-1": {
      rtmp_publish_token: first.secrets.get("pi-1")?.rtmp_publish_token?.reveal(),
      http_status_password: first.secrets.get("pi-1")?.http_status_password?.reveal(),
    },
    "vps-1": { http_status_password: first.secrets.get("vps-1")?.http_status_password?.reveal() },
  });
  t.strictSame(pi === undefined ? undefined : lines(validateSettings(pi)), []);
  t.strictSame(await readdir(join(secrets, "..")), ["edge-secrets.yml"], "nothing is left behind");
});

t.test("adds a host beside secrets and comments of others", async (t) => {
  const dir = t.testdir({
    group_vars: {
      all: {
        "edge-secrets.yml":
          "# mine\nedge_secrets:\n  old-1: # do not touch\n    rtmp_publish_token: 'old token'\n  pi-1:\n    http_status_password: \"kept-password\"\n",
      },
    },
  });
  const { file, inventory, secrets } = await fleet(dir);
  await chmod(secrets, 0o600);
  const { created, warnings } = await ensureSecrets(file, inventory.hosts);
  t.strictSame([created, warnings], [["pi-1", "vps-1"], []]);
  const text = await readFile(secrets, "utf8");
  t.match(
    text,
    /^# mine\nedge_secrets:\n {2}old-1:\n {4}# do not touch\n {4}rtmp_publish_token: 'old token'\n {2}pi-1:\n {4}http_status_password: "kept-password"\n {4}rtmp_publish_token: "[A-Za-z0-9]{32}"\n {2}vps-1:\n/,
  );
});

t.test("a plan writes nothing", async (t) => {
  const { file, inventory } = await fleet(t.testdir());
  const result = await ensureSecrets(file, inventory.hosts, { save: false });
  t.strictSame(result.created, ["pi-1", "vps-1"]);
  t.ok(result.secrets.get("pi-1")?.rtmp_publish_token);
  t.strictSame(await readdir(join(file, "..")), ["edges.yml"]);
  const [pi] = inventory.hosts;
  const own = pi === undefined ? undefined : revealed(withSecrets(pi, result).vars.edge_secrets ?? null);
  t.match(own, { "pi-1": { rtmp_publish_token: /^.{32}$/ } });
});

t.test("a file that others can read is made private, and said so", async (t) => {
  const { file, inventory, secrets } = await fleet(t.testdir());
  await ensureSecrets(file, inventory.hosts);
  await chmod(secrets, 0o644);
  const planned = await ensureSecrets(file, inventory.hosts, { save: false });
  t.strictSame(planned.warnings, [`${secrets} has mode 0644: others can read the secrets; chmod 600 ${secrets}`]);
  t.equal((await stat(secrets)).mode & 0o777, 0o644);
  const { warnings } = await ensureSecrets(file, inventory.hosts);
  t.strictSame(warnings, [`${secrets} had mode 0644, so others could read the secrets; it has 0600 now`]);
  t.equal((await stat(secrets)).mode & 0o777, 0o600);
});

t.test("two runs at once lose nothing", async (t) => {
  const { file, inventory } = await fleet(t.testdir());
  const results = await Promise.all(inventory.hosts.map((host) => ensureSecrets(file, [host])));
  t.strictSame(
    results.map((r) => r.created),
    [["pi-1"], ["vps-1"]],
  );
  const { secrets, created } = await ensureSecrets(file, inventory.hosts);
  t.strictSame(created, []);
  for (const [index, name] of ["pi-1", "vps-1"].entries())
    t.equal(
      secrets.get(name)?.http_status_password?.reveal(),
      results[index]?.secrets.get(name)?.http_status_password?.reveal(),
    );
});

t.test("what a dead run left behind does not stop the next", async (t) => {
  const { file, inventory, secrets } = await fleet(t.testdir());
  await mkdir(join(secrets, ".."), { recursive: true });
  const left = join(secrets, "../.edge-secrets.yml.new");
  await writeFile(left, "half");
  await utimes(left, 1, 1);
  t.strictSame((await ensureSecrets(file, inventory.hosts)).created, ["pi-1", "vps-1"]);
});

t.test("a link stays a link", async (t) => {
  const { file, inventory, secrets } = await fleet(t.testdir());
  const kept = join(file, "../vault.yml");
  await writeFile(kept, "", { mode: 0o600 });
  await mkdir(join(secrets, ".."), { recursive: true });
  await symlink(kept, secrets);
  await ensureSecrets(file, inventory.hosts);
  t.match(await readFile(kept, "utf8"), /pi-1/);
});

t.test("it does not hide group_vars/all.yml from Ansible", async (t) => {
  const dir = t.testdir({ group_vars: { "all.yml": "hls_fragment: 2s\n" } });
  const { file, inventory } = await fleet(dir);
  const g = join(dir, "group_vars");
  t.strictSame(lines(await errorsOf(() => ensureSecrets(file, inventory.hosts))), [
    `${g}/all/edge-secrets.yml cannot be made: beside the directory, Ansible would ignore ${g}/all.yml (move it into the directory: mkdir -p ${g}/all && mv ${g}/all.yml ${g}/all/main.yml)`,
  ]);
  t.strictSame(await readdir(g), ["all.yml"]);
});

t.test("a file of another form is an error with its place, and stays as it is", async (t) => {
  const hint = "(it looks so: edge_secrets: { HOST: { rtmp_publish_token: ..., http_status_password: ... } })";
  const cases: readonly (readonly [string, string])[] = [
    ["other: 1\n", `1:1: edge_secrets is missing ${hint}`],
    ["edge_secrets: [a]\n", `1:15: edge_secrets is not a mapping of hosts ${hint}`],
    [
      "edge_secrets: { pi-1: { rtmp_publish_token: 12345678 } }\n",
      `1:45: rtmp_publish_token of pi-1 is not a text: put it in quotes ${hint}`,
    ],
    ["edge_secrets: { pi-1: token }\n", `1:23: the secrets of pi-1 are not a mapping ${hint}`],
    ["edge_secrets: {\n", "2:1: a { is not closed before this place (close it with }, or indent what belongs to it)"],
  ];
  for (const [text, message] of cases) {
    const { file, inventory, secrets } = await fleet(t.testdir());
    await mkdir(join(secrets, ".."), { recursive: true });
    await writeFile(secrets, text, { mode: 0o600 });
    t.strictSame(lines(await errorsOf(() => ensureSecrets(file, inventory.hosts))), [`${secrets}:${message}`]);
    t.equal(await readFile(secrets, "utf8"), text);
  }
});

t.test("an inline inventory keeps secrets in the state directory", async (t) => {
  t.equal(secretsFile(INLINE_FILE, { XDG_STATE_HOME: "/s" }), "/s/edge-setup/edge-secrets.yml");
  t.equal(secretsFile(INLINE_FILE, { XDG_STATE_HOME: "s", HOME: "/h" }), "/h/.local/state/edge-setup/edge-secrets.yml");
  t.equal(secretsFile("dir/edges.yml"), "dir/group_vars/all/edge-secrets.yml");
});

t.test("secrets differ and hold no characters that look alike", async (t) => {
  const made = Array.from({ length: 200 }, () => generateSecret().reveal());
  t.equal(new Set(made).size, made.length);
  t.notOk(made.some((secret) => /[0O1lI]/.test(secret)));
});
