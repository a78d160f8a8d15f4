import t from "tap";
import { type AddressFallbacks, hostAccess, hostAddress } from "../../../src/inventory/host-address.js";
import type { InventoryHost } from "../../../src/inventory/types.js";
import type { Value } from "../../../src/playbook/types.js";
import { Secret } from "../../../src/util/secret.js";
import { errorsOf, lines } from "./fixtures/helpers.js";

function hostWith(vars: Record<string, Value>): InventoryHost {
  const position = { file: "e.yml", line: 3, column: 5 };
  return { name: "pi-1", groups: ["edges"], vars, origins: {}, position };
}

t.test("a host without variables is left to ssh_config", async (t) => {
  t.strictSame(hostAddress(hostWith({})), {
    name: "pi-1",
    connection: "ssh",
    host: "pi-1",
    port: undefined,
    user: undefined,
    identityFile: undefined,
    password: undefined,
  });
});

t.test("inventory wins over flags, as in Ansible", async (t) => {
  const fallbacks: AddressFallbacks = { user: "flag", port: 22, identityFile: "/flag", password: new Secret("flag") };
  const vars = {
    ansible_host: "192.0.2.7",
    ansible_port: "2222",
    ansible_user: "pi",
    ansible_ssh_private_key_file: "~/.ssh/pi",
    ansible_ssh_pass: "s3cret",
    ansible_become_pass: "b3come",
    ansible_become: "yes",
  };
  const access = hostAccess(hostWith(vars), fallbacks);
  t.match(access.address, { host: "192.0.2.7", port: 2222, user: "pi", identityFile: "~/.ssh/pi" });
  t.equal(access.address.password?.reveal(), "s3cret");
  t.equal(access.becomePassword?.reveal(), "b3come");
  t.equal(access.become, true);
  t.notMatch(JSON.stringify(access), /s3cret|b3come/);
  t.match(hostAddress(hostWith({}), fallbacks), { user: "flag", port: 22, identityFile: "/flag" });
  t.equal(hostAddress(hostWith({ ansible_connection: "local" })).connection, "local");
});

t.test("a template that nobody has rendered is no value", async (t) => {
  const host = hostWith({ ansible_password: "{{ x_pw }}" });
  t.strictSame(lines(await errorsOf(() => hostAddress(host))), [
    "e.yml:3:5: ansible_password holds a template, which cannot be known before the connection (write the value itself)",
  ]);
});

t.test("values that cannot be right", async (t) => {
  const cases: readonly (readonly [Record<string, Value>, string])[] = [
    [{ ansible_port: "ssh" }, "ansible_port is not a port (write a number, 1 to 65535)"],
    [{ ansible_port: 0 }, "ansible_port is not a port (write a number, 1 to 65535)"],
    [{ ansible_connection: "docker" }, 'ansible_connection is "docker" (write ssh or local)'],
    [{ ansible_become_method: "su" }, 'ansible_become_method is "su", and only sudo is used (remove it)'],
    [{ ansible_password: 1234 }, "ansible_password is not a text on one line (put it in quotes)"],
    [{ ansible_user: "a\nb" }, "ansible_user is not a text on one line (put it in quotes)"],
    [{ ansible_become: "perhaps" }, "ansible_become is neither true nor false (write true or false)"],
  ];
  for (const [vars, message] of cases)
    t.strictSame(
      lines(await errorsOf(() => hostAccess(hostWith(vars)))),
      [`e.yml:3:5: ${message}`],
      JSON.stringify(vars),
    );
});
