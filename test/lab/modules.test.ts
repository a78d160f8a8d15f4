import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Inventory, InventoryHost } from "../../src/inventory/types.js";
import type { LabHost } from "../../src/lab/index.js";
import type { Value } from "../../src/playbook/types.js";
import { Connector } from "../../src/transport/connect.js";
import type { Transport } from "../../src/transport/transport.js";
import type { Secret } from "../../src/util/secret.js";
import { localRun, oneHost } from "../unit/engine/local-run.js";
import { CONFORMANCE_LAYER } from "./conformance/support/hosts.js";
import { bootForTest, labImpossible, waitUntil } from "./support/lab.js";

t.setTimeout(240_000);
const skip = labImpossible();

const modules = `- name: Modules
  hosts: edges
  become: true
  tasks:
    - name: supported
      assert: { that: ["ansible_os_family == 'Debian'"] }
    - name: package
      apt: { name: [tree, bc], update_cache: true, cache_valid_time: 3600, install_recommends: false }
    - name: group
      group: { name: lab, system: true }
    - name: user
      user: { name: lab, group: lab, groups: [adm], append: true, system: true, shell: /usr/sbin/nologin, home: /var/lib/lab, create_home: false, comment: Lab }
    - name: directories
      file: { path: "{{ item }}", state: directory, owner: lab, group: lab, mode: "0750" }
      loop: [/opt/lab/a/b, /var/lib/lab]
    - name: unit
      copy:
        dest: /etc/systemd/system/lab.service
        content: |
          [Service]
          ExecStart=/bin/sleep infinity
          [Install]
          WantedBy=multi-user.target
      notify: restarted
    - name: service
      systemd: { name: lab, state: started, enabled: true, daemon_reload: true }
    - name: parameter
      ansible.posix.sysctl: { name: net.core.somaxconn, value: "512", sysctl_file: /etc/sysctl.d/60-lab.conf, reload: false }
    - name: mount
      ansible.posix.mount: { path: /run/lab, src: tmpfs, fstype: tmpfs, opts: "size=1m,mode=0750", state: mounted }
    - name: job
      shell: |
        for i in 1 2 3 4; do echo "@@progress $i 4 step $i"; sleep 1; done
        echo once >>/opt/lab/runs
        touch /opt/lab/done
      args: { creates: /opt/lab/done }
      async: 60
      poll: 1
    - name: listens
      wait_for: { port: 22, timeout: 5 }
    - name: owner
      stat: { path: /opt/lab/a }
      register: owner
    - name: owner is right
      assert: { that: ["owner.stat.pw_name == 'lab'", "owner.stat.mode == '0750'"] }
      when: owner.stat.exists
  handlers:
    - name: restarted
      systemd: { name: lab, state: restarted }
`;

function inventory(vars: Record<string, Value>): Inventory {
  const [host] = oneHost().hosts;
  if (host === undefined) throw new Error("no host");
  const ssh: InventoryHost = { ...host, vars };
  return { ...oneHost(), hosts: [ssh], select: () => [ssh] };
}

function connecting(lab: LabHost, user: string, password?: Secret) {
  const links: Transport[] = [];
  const connect = async () => {
    const link = await new Connector().connect(
      { name: "edge", connection: "ssh", host: lab.address, port: lab.sshPort, user, identityFile: lab.identityFile },
      {
        hostKeyPolicy: "strict",
        connectTimeoutMs: 10_000,
        knownHostsFile: lab.knownHostsFile,
        prompter: { confirmHostKey: async () => false, askSecret: async () => password },
      },
    );
    links.push(link);
    return link;
  };
  return { connect, links, inventory: inventory({ ansible_host: lab.address }) };
}

t.test("modules on a bare host, over SSH with sudo", { skip }, async (t) => {
  const lab = await bootForTest(t, { name: "modules" });
  const file = join(t.testdir(), "play.yml");
  writeFileSync(file, modules);

  const plan = await localRun(file, "plan", connecting(lab, "ops"));
  t.equal(plan.exitCode, 0);
  t.match(plan.recap.edge, { failed: 0, unreachable: 0 });
  t.equal(
    (await lab.exec("test -e /opt/lab || test -e /etc/systemd/system/lab.service")).code,
    1,
    "nothing is touched",
  );

  // The link breaks while the job runs: the run connects again and follows the job to its end.
  const breaking = connecting(lab, "ops");
  let broken = false;
  const applied = await localRun(file, "apply", {
    ...breaking,
    emit: (event) => {
      if (event.type !== "task.progress" || broken) return;
      broken = true;
      void lab.exec("pkill -f 'sshd-session: ops'");
    },
  });
  t.equal(applied.exitCode, 0);
  t.equal(breaking.links.length, 2, "one more connection");
  t.equal(
    (await lab.exec("cat /opt/lab/runs; id -nG lab; systemctl is-active lab; findmnt -no SIZE /run/lab | tr -d ' '"))
      .stdout,
    "once\nlab adm\nactive\n1M\n",
  );

  const again = connecting(lab, "root");
  const second = await localRun(file, "apply", again);
  t.match(second.recap.edge, { changed: 0, failed: 0 });
  t.strictSame(
    second.lines.filter((line) => /^(changed|failed|pending)/.test(line)),
    [],
  );
  t.equal(again.links[0]?.stats.execs, 2, "facts and one program");

  await lab.exec(
    "systemctl stop lab; umount /run/lab; chown root /opt/lab/a; sed -i s/512/1/ /etc/sysctl.d/60-lab.conf",
  );
  const drift = await localRun(file, "plan", connecting(lab, "ops"));
  t.strictSame(
    drift.lines.filter((line) => line.startsWith("changed")),
    [
      "changed service: start (inactive)",
      "changed parameter: /etc/sysctl.d/60-lab.conf: 1 -> 512",
      "changed mount: not mounted",
    ],
  );
  t.match(drift.lines.at(-1), /^failed owner is right/);
});

t.test("a handler that a failed run left undone runs in the next one; a held lock is exit 6", { skip }, async (t) => {
  const lab = await bootForTest(t, { name: "handlers" });
  const file = join(t.testdir(), "play.yml");
  const play = (last: string) =>
    writeFileSync(
      file,
      `- name: Handlers
  hosts: edges
  become: true
  tasks:
    - name: write
      copy: { content: x, dest: /etc/lab.conf }
      notify: reload
    - name: last
      command: ${last}
      changed_when: false
  handlers:
    - name: reload
      shell: echo reloaded >>/var/lib/reloads
`,
    );
  play("/bin/false");
  t.equal((await localRun(file, "apply", connecting(lab, "ops"))).exitCode, 1);
  t.equal((await lab.exec("cat /var/lib/reloads")).code, 1, "not reached");
  play("/bin/true");
  const healed = await localRun(file, "apply", connecting(lab, "ops"));
  t.strictSame(healed.lines, ["ok write: sha256 equal", "ok last: ran", "changed reload: ran"]);
  t.equal(
    (await lab.exec("cat /var/lib/reloads; ls /var/lib/edge-setup/pending-handlers | wc -l")).stdout,
    "reloaded\n0\n",
  );

  const held = await lab.exec(
    `echo somebody since noon >/run/edge-setup.lock
     systemd-run -q --unit=holder flock /run/edge-setup.lock sleep 600
     ${waitUntil("! flock -n /run/edge-setup.lock true")}`,
  );
  t.equal(held.code, 0, held.stderr);
  const locked = await localRun(file, "apply", connecting(lab, "ops"));
  t.equal(locked.exitCode, 6);
  t.match(
    locked.events.find((event) => event.type === "message"),
    { text: /somebody since noon/ },
  );
  t.equal((await localRun(file, "plan", connecting(lab, "ops"))).exitCode, 0, "a plan warns only");
});

const elsewhere = `- name: What cannot be compared
  hosts: edges
  become: true
  gather_facts: false
  tasks:
    - name: a server that asks clients for their certificate
      shell: |
        cd /run/tls && exit
        mkdir /run/tls && cd /run/tls || exit
        new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=127.0.0.1" -addext subjectAltName=IP:127.0.0.1 -keyout $1.key -out $1.crt; }
        new server && new client && cat client.crt client.key >both.pem && echo hello >hello.txt
        systemd-run -q --working-directory=/run/tls openssl s_server -accept 127.0.0.1:8443 -cert server.crt -key server.key -Verify 1 -verify_return_error -CAfile client.crt -WWW
      args: { creates: /run/tls/hello.txt }
    - name: listens
      wait_for: { port: 8443, timeout: 5 }
    - name: get
      get_url: { url: "https://127.0.0.1:8443/hello.txt", dest: "/srv/{{ item.d }}", validate_certs: false, client_cert: "{{ item.c | default(omit) }}", client_key: "{{ item.k | default(omit) }}" }
      loop: [{ d: two, c: /run/tls/client.crt, k: /run/tls/client.key }, { d: one, c: /run/tls/both.pem }, { d: none }]
      register: got
      ignore_errors: true
    - name: ask
      uri: { url: "https://127.0.0.1:8443/hello.txt", return_content: true, client_cert: /run/tls/client.crt, client_key: /run/tls/client.key, ca_path: "{{ item }}" }
      loop: [/run/tls/server.crt, /run/tls/client.crt]
      register: asked
      ignore_errors: true
    - name: all as it should be
      assert:
        that:
          - got.results | map(attribute='failed') | list == [false, false, true]
          - asked.results[0].content == "hello\\n"
          - asked.results[1] is failed and asked.results[1].status == -1
    - name: up since
      command: systemctl show -p UserspaceTimestampMonotonic
      register: before
    - name: boot
      reboot: { reboot_timeout: 60, boot_time_command: systemctl show -p UserspaceTimestampMonotonic }
      register: booted
    - name: up again
      command: systemctl show -p UserspaceTimestampMonotonic
      register: after
    - name: it is another boot
      assert: { that: [booted.rebooted, booted.elapsed < 60, after.stdout != before.stdout] }
`;

t.test("certificates of clients, and a reboot in the middle of a play", { skip }, async (t) => {
  const lab = await bootForTest(t, { name: "reboots", layer: CONFORMANCE_LAYER });
  const file = join(t.testdir(), "play.yml");
  writeFileSync(file, elsewhere);
  const links = connecting(lab, "ops");
  const { exitCode, lines } = await localRun(file, "apply", links);
  t.equal(exitCode, 0, lines.join("\n"));
  t.equal(links.links.length, 2, "one more connection");
});
