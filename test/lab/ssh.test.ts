import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Connector } from "../../src/transport/connect.js";
import type { ConnectOptions, HostAddress, HostKeyQuestion, Transport } from "../../src/transport/transport.js";
import { Secret } from "../../src/util/secret.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { bootForTest, labImpossible, ssh, waitUntil } from "./support/lab.js";

t.setTimeout(240_000);

const CERTIFIED = 2200;
const HOPS = [2201, 2202, 2203] as const;
const CLOSED = 2204;
const PASSWORD = "correct horse";

/** A user for each sshd, with a key of its own; the last hop wants a password. */
const userOf = (port: number) => `hop${port}`;

const impossible = labImpossible();
if (impossible !== false) {
  t.plan(0, impossible);
} else {
  const lab = await bootForTest(t, { name: "ssh" });
  const folder = scratchFolder();
  const file = (name: string) => join(folder, name);
  const keygen = (...args: string[]) => execFileSync("ssh-keygen", ["-q", ...args], { cwd: folder, stdio: "pipe" });
  const sh = async (command: string) => {
    const { code, stdout, stderr } = await ssh(lab, command, "root");
    if (code !== 0) throw new Error(`${command}: ${stderr}`);
    return stdout;
  };

  // Five sshds on the one host: one with certificates, a chain of three, and one that forwards nothing.
  for (const name of ["ca", "host-ca", "user", ...HOPS.map(userOf)]) keygen("-t", "ed25519", "-N", "", "-f", name);
  const text = (name: string) => readFileSync(file(name), "utf8").trim();
  keygen("-s", "ca", "-I", "operator", "-n", "root", "-V", "-1h:+1h", "user.pub");
  const ports = [CERTIFIED, ...HOPS, CLOSED];
  const setUp = [
    "set -e; mkdir -p /run/sshd /root/t; cd /root/t",
    `echo '${text("ca.pub")}' >ca.pub`,
    ...ports.map((port) => `ssh-keygen -q -t ed25519 -N '' -f key${port}`),
    ...HOPS.map((port) => `useradd -m ${userOf(port)}; echo '${userOf(port)}:${PASSWORD}' | chpasswd`),
    ...HOPS.slice(0, 2).map((port) => {
      const home = `/home/${userOf(port)}/.ssh`;
      return `mkdir -m 700 ${home}; echo '${text(`${userOf(port)}.pub`)}' >${home}/authorized_keys; chown -R ${userOf(port)}: ${home}`;
    }),
    ...ports.map((port) => {
      const own =
        port === CERTIFIED
          ? "TrustedUserCAKeys /root/t/ca.pub\\nAuthorizedKeysFile none\\nHostCertificate /root/t/key2200-cert.pub\\n"
          : `AllowTcpForwarding ${port === CLOSED ? "no" : "yes"}\\n`;
      return `printf 'Port ${port}\\nHostKey /root/t/key${port}\\nPidFile none\\nUsePAM yes\\nPasswordAuthentication yes\\n${own}' >sshd${port}`;
    }),
  ];
  await sh(setUp.join("\n"));
  writeFileSync(file("host.pub"), await sh("cat /root/t/key2200.pub"));
  keygen("-s", "host-ca", "-h", "-I", "edge", "-n", lab.address, "-V", "-1h:+1h", "host.pub");
  await sh(`echo '${text("host-cert.pub")}' >/root/t/key2200-cert.pub
for p in ${ports.join(" ")}; do /usr/sbin/sshd -f /root/t/sshd$p; done
${ports.map((port) => waitUntil(`ss -Hltn 'sport = :${port}' | grep -q .`)).join("\n")}`);

  const identity = (port: number) => (port === HOPS[2] ? "none" : file(userOf(port)));
  let configs = 0;
  const config = (lines: readonly string[]) => {
    const path = file(`config${configs++}`);
    writeFileSync(path, `${lines.join("\n")}\nHost *\n  IdentityAgent none\n  IdentitiesOnly yes\n`);
    return path;
  };
  const hopLines = (before: (port: number) => string | undefined) =>
    HOPS.flatMap((port) => {
      const jump = before(port);
      return [
        `Host hop${port}`,
        `  HostName ${port === HOPS[0] ? lab.address : "127.0.0.1"}`,
        `  HostKeyAlias hop${port}`,
        `  Port ${port}`,
        `  User ${userOf(port)}`,
        `  IdentityFile ${identity(port)}`,
        ...(jump === undefined ? [] : [`  ProxyJump ${jump}`]),
      ];
    });
  const chain = hopLines((port) => (port === HOPS[0] ? undefined : `hop${port - 1}`));

  let known = 0;
  const connect = async (
    address: Partial<HostAddress>,
    more: Partial<ConnectOptions> & { secrets?: readonly string[]; trust?: boolean } = {},
  ): Promise<{ transport: Transport; asked: HostKeyQuestion[]; secrets: string[] }> => {
    const asked: HostKeyQuestion[] = [];
    const secrets: string[] = [];
    const answers = [...(more.secrets ?? [])];
    const transport = await new Connector().connect(
      { name: "lab", connection: "ssh", host: lab.address, ...address },
      {
        hostKeyPolicy: "accept-new",
        connectTimeoutMs: 10_000,
        knownHostsFile: file(`known${known++}`),
        sshConfigFile: config(chain),
        prompter: {
          confirmHostKey: async (question) => {
            asked.push(question);
            return more.trust ?? false;
          },
          askSecret: async (question) => {
            secrets.push(question);
            const answer = answers.shift();
            return answer === undefined ? undefined : new Secret(answer);
          },
        },
        ...more,
      },
    );
    return { transport, asked, secrets };
  };
  const who = async (transport: Transport) => {
    const { stdout } = await transport.exec("id -un; cat");
    return String(stdout).trim();
  };

  t.test("a user certificate and a host certificate, by OpenSSH without being told", async (t) => {
    const knownHostsFile = file("known-ca");
    writeFileSync(knownHostsFile, `@cert-authority [${lab.address}]:* ${text("host-ca.pub")}\n`);
    const certified = { port: CERTIFIED, user: "root", identityFile: file("user") };
    const { transport, asked } = await connect(certified, { hostKeyPolicy: "strict", knownHostsFile });
    t.match(transport.description, /by OpenSSH \(the certificate .*user-cert\.pub\)/);
    t.equal(await who(transport), "root");
    t.same(asked, [], "the authority vouches for the host");
    await transport.close();

    await t.rejects(connect({ ...certified, connection: "ssh2" }), { code: "E_AUTH" }, "the key alone is not let in");
    keygen("-s", "ca", "-I", "late", "-n", "root", "-V", "-2h:-1h", "user.pub");
    await t.rejects(
      connect(certified, { knownHostsFile }),
      { code: "E_AUTH", exitCode: 3 },
      "a certificate of the past",
    );
    keygen("-s", "ca", "-I", "operator", "-n", "root", "-V", "-1h:+1h", "user.pub");
    const wrong = file("known-wrong-ca");
    writeFileSync(wrong, `@cert-authority * ${text("ca.pub")}\n`);
    await t.rejects(
      connect(certified, { hostKeyPolicy: "strict", knownHostsFile: wrong }),
      { code: "E_HOST_KEY_UNKNOWN", exitCode: 5 },
      "another authority",
    );
  });

  t.test("ProxyCommand, ports of the host, and twenty megabytes", async (t) => {
    const sshConfigFile = config([
      `Host *\n  ProxyCommand ssh -F none -i ${lab.identityFile} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -W 127.0.0.1:22 root@${lab.address}`,
    ]);
    const { transport } = await connect({ user: "root", identityFile: lab.identityFile }, { sshConfigFile });
    t.match(transport.description, /by OpenSSH \(ProxyCommand ssh/);
    const stdin = Buffer.alloc(20_000_000, 65);
    t.match(await transport.exec("wc -c; echo e >&2; exit 4", { stdin }), {
      code: 4,
      stdout: Buffer.from("20000000\n"),
      stderr: Buffer.from("e\n"),
    });
    const socket = await transport.openTcp("127.0.0.1", 22);
    const [greeting] = await new Promise<[Buffer]>((resolve) => socket.once("data", (one: Buffer) => resolve([one])));
    t.match(String(greeting), /^SSH-2\.0-/);
    socket.destroy();
    await t.rejects(transport.openTcp("127.0.0.1", 1), { code: "E_FORWARD" });
    await t.rejects(transport.exec("kill -9 $PPID; sleep 5"), { code: "E_CONNECTION_LOST" });
    await transport.close();
  });

  for (const connection of ["ssh2", "openssh"] as const) {
    t.test(`three jumps deep by ${connection}: users, ports, keys and a password of their own`, async (t) => {
      const knownHostsFile = file(`known-chain-${connection}`);
      const options = { knownHostsFile, hostKeyPolicy: "ask", trust: true } as const;
      // The last of them is a jump host as well, for the host behind it.
      const sshConfigFile = config([
        ...chain,
        "Host edge",
        "  HostName 127.0.0.1",
        "  HostKeyAlias edge",
        "  User root",
        `  IdentityFile ${lab.identityFile}`,
        "  ProxyJump hop2203",
      ]);
      const { transport, asked, secrets } = await connect(
        { connection, host: "edge" },
        { ...options, sshConfigFile, secrets: [PASSWORD] },
      );
      t.equal(await who(transport), "root");
      t.equal(asked.length, 4, "each host's key is asked about");
      t.match(
        asked.map(({ host }) => host),
        [/hop2201/, /hop2202/, /hop2203/, /edge/],
        "by its name, on the way there",
      );
      t.equal(secrets.length, 1);
      t.match(secrets[0], /hop2203/);
      await transport.close();
      const again = await connect(
        { connection, host: "edge" },
        { ...options, hostKeyPolicy: "strict", sshConfigFile, secrets: [PASSWORD] },
      );
      t.same(again.asked, [], "and remembered");
      await again.transport.close();

      const stranger = { hostKeyPolicy: "ask", trust: false, secrets: [PASSWORD] } as const;
      const lines = readFileSync(knownHostsFile, "utf8").split("\n");
      const without = (name: string, instead?: string) => {
        const path = file(`known-${name}-${connection}-${instead === undefined ? "unknown" : "changed"}`);
        const kept = lines.flatMap((line) =>
          !line.includes(name) ? [line] : instead === undefined ? [] : [`${line.split(" ")[0]} ${instead}`],
        );
        writeFileSync(path, kept.join("\n"));
        return path;
      };
      await t.rejects(
        connect(
          { connection, host: "edge" },
          {
            ...stranger,
            sshConfigFile,
            knownHostsFile: without("hop2202", text("ca.pub").split(" ").slice(0, 2).join(" ")),
          },
        ),
        { code: "E_HOST_KEY_CHANGED", exitCode: 5, message: /hop2202/ },
        "a key that changed on the way",
      );
      await t.rejects(
        connect({ connection, host: "edge" }, { ...stranger, sshConfigFile, knownHostsFile: without("hop2203") }),
        { code: "E_HOST_KEY_UNKNOWN", exitCode: 5, message: /hop2203/ },
        "a key that nobody confirms",
      );
    });

    t.test(`jump hosts that are of no use, by ${connection}`, async (t) => {
      const behind = (jump: string, more: string[] = []) =>
        config([
          ...more,
          `Host edge\n  HostName 127.0.0.1\n  User root\n  IdentityFile ${lab.identityFile}\n  ProxyJump ${jump}`,
          ...chain,
        ]);
      const reach = (sshConfigFile: string) => connect({ connection, host: "edge" }, { sshConfigFile });
      const closed = `Host closed\n  HostName ${lab.address}\n  Port ${CLOSED}\n  User root\n  IdentityFile ${lab.identityFile}`;
      await t.rejects(reach(behind("closed", [closed])), {
        code: "E_FORWARD_DENIED",
        exitCode: 3,
        hint: /AllowTcpForwarding/,
      });
      const nothing = `Host nothing\n  HostName ${lab.address}\n  Port 2299`;
      await t.rejects(reach(behind("nothing", [nothing])), { code: "E_REFUSED", exitCode: 3, message: /2299/ });
      const stranger = `Host stranger\n  HostName ${lab.address}\n  Port ${HOPS[0]}\n  User nobody-here`;
      await t.rejects(reach(behind("stranger", [stranger])), { code: "E_AUTH", exitCode: 3, message: /nobody-here/ });
    });
  }

  t.test("the same work by both connectors: the same answers in as many turns", async (t) => {
    const reach = { user: "root", identityFile: lab.identityFile };
    const answers = [];
    for (const connection of ["ssh2", "openssh"] as const) {
      const { transport } = await connect({ ...reach, connection });
      const results = [
        await transport.exec("cat; printf '\\377\\000'", { stdin: Buffer.from("in") }),
        await transport.exec("echo x >&2; exit 7"),
      ].map(({ code, stdout, stderr }) => ({ code, stdout: stdout.toString("hex"), stderr: String(stderr) }));
      answers.push({ results, execs: transport.stats.execs });
      await transport.close();
    }
    t.same(answers[0], answers[1]);
  });
}
