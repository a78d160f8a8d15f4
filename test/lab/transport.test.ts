import { get } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import t from "tap";
import { becomeCommand, diagnoseSudo, stdinWithPassword } from "../../src/transport/become.js";
import { Connector } from "../../src/transport/connect.js";
import type { Transport } from "../../src/transport/transport.js";
import { Secret } from "../../src/util/secret.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { bootForTest, labImpossible } from "./support/lab.js";

t.setTimeout(240_000);

// A real sshd, on a host of the test's own.
const USER = "edge-transport-test";
const PASSWORD = "correct horse";

const impossible = labImpossible();
if (impossible !== false) {
  t.plan(0, impossible);
} else {
  const lab = await bootForTest(t, { name: "transport" });
  const { address: host, identityFile } = lab;
  const knownHostsFile = join(scratchFolder(), "known_hosts");
  const login = (user: string, credentials: { identityFile?: string; password?: Secret }): Promise<Transport> =>
    new Connector().connect(
      { name: "lab", connection: "ssh", host, user, ...credentials },
      {
        hostKeyPolicy: "accept-new",
        connectTimeoutMs: 10_000,
        knownHostsFile,
        prompter: { confirmHostKey: async () => false, askSecret: async () => undefined },
      },
    );
  const root = await login("root", { identityFile });
  const sh = async (command: string) => String((await root.exec(command)).stdout);
  const sudoers = (rule: string) => sh(`printf '%s\\n' '${rule}' > /etc/sudoers.d/${USER}`);
  await sh(`useradd -m ${USER}; printf '%s' '${USER}:${PASSWORD}' | chpasswd`);
  t.teardown(() => root.close());

  t.test("key, payload of 20 MB, stderr, exit code", async (t) => {
    const stdin = Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(100_000, 65)));
    t.match(await root.exec("wc -c; echo e >&2; exit 4", { stdin }), {
      code: 4,
      stdout: Buffer.from("20000000\n"),
      stderr: Buffer.from("e\n"),
    });
  });

  t.test("openTcp carries HTTP", async (t) => {
    const socket = await root.openTcp("127.0.0.1", 22);
    const error = await new Promise<Error>((resolve) =>
      get({ createConnection: () => socket, path: "/" }, () => {}).on("error", resolve),
    );
    t.match(error, { code: "HPE_INVALID_CONSTANT" }, "an sshd answered node:http through the channel");
    await t.rejects(root.openTcp("127.0.0.1", 1), { code: "E_FORWARD" });
  });

  t.test("a link that breaks", async (t) => {
    const other = await login("root", { identityFile });
    await t.rejects(other.exec("kill -9 $PPID; sleep 5"), { code: "E_CONNECTION_LOST" });
  });

  t.test("password, and sudo with it", async (t) => {
    const user = await login(USER, { password: new Secret(PASSWORD) });
    t.teardown(() => user.close());
    const program = Buffer.from("id -u\necho done\n");
    const run = (needsPassword: boolean, password?: string) =>
      user.exec(becomeCommand({ method: "sudo", user: "root", needsPassword }, "sh -s"), {
        stdin: password === undefined ? program : stdinWithPassword(new Secret(password), program),
      });
    const code = async (result: ReturnType<typeof run>) => {
      const { code, stderr } = await result;
      return diagnoseSudo(code, String(stderr))?.code;
    };
    t.equal(await code(run(true, PASSWORD)), "E_SUDO_NOT_ALLOWED");
    await sudoers(`${USER} ALL=(ALL) ALL`);
    t.equal(await code(run(false)), "E_SUDO_PASSWORD_REQUIRED");
    t.equal(String((await run(true, PASSWORD)).stdout), "0\ndone\n");
    t.equal(await code(run(true, "wrong")), "E_SUDO_WRONG_PASSWORD");
    await sudoers(`${USER} ALL=(ALL) NOPASSWD: ALL`);
    t.equal(String((await run(true, PASSWORD)).stdout), "0\ndone\n", "the password is not taken for a program line");
    t.equal(String((await run(false)).stdout), "0\ndone\n");
    await t.rejects(login(USER, { password: new Secret("wrong") }), { code: "E_AUTH", hint: /password/ });
  });
}
