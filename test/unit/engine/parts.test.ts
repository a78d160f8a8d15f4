import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { isText, unifiedDiff } from "../../../src/engine/diff.js";
import { parseFacts } from "../../../src/engine/facts.js";
import { ALL_GROUPS } from "../../../src/engine/facts-script.js";
import { JobLog } from "../../../src/engine/job-log.js";
import { type ProgramMessage, ProtocolParser } from "../../../src/engine/protocol.js";
import { RecapCounter } from "../../../src/engine/recap.js";
import { runtimeText } from "../../../src/engine/runtime.js";
import { type RegisterShape, shellCondition } from "../../../src/engine/shell-condition.js";
import { selected } from "../../../src/engine/steps.js";
import { tarGzip, tarHeader } from "../../../src/engine/tar.js";
import { inEnvironment, isOwn } from "../../../src/engine/task-environment.js";
import { parseExpression } from "../../../src/playbook/parser.js";
import { masker } from "../../../src/util/mask.js";

t.test("archives are read by tar, in memory and streamed", async (t) => {
  const dir = t.testdir({ big: "x".repeat(3 << 20) });
  const text = Buffer.from("echo hi\n");
  const small = tarGzip([
    { name: "program", size: text.length, source: text },
    { name: "p/empty", size: 0, source: Buffer.alloc(0) },
  ]);
  t.ok(Buffer.isBuffer(small));
  mkdirSync(join(dir, "small"));
  execFileSync("tar", ["xzf", "-", "-C", join(dir, "small")], { input: small as Buffer });
  t.equal(readFileSync(join(dir, "small/program"), "utf8"), "echo hi\n");
  t.equal(readFileSync(join(dir, "small/p/empty"), "utf8"), "");
  const stream = tarGzip([
    { name: "p/big", size: 3 << 20, source: { path: join(dir, "big") } },
    { name: "program", size: text.length, source: text },
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  mkdirSync(join(dir, "streamed"));
  execFileSync("tar", ["xzf", "-", "-C", join(dir, "streamed")], { input: Buffer.concat(chunks) });
  t.equal(readFileSync(join(dir, "streamed/p/big"), "utf8").length, 3 << 20);
  t.equal(readFileSync(join(dir, "streamed/program"), "utf8"), "echo hi\n");
  t.throws(() => tarHeader("x".repeat(101), 0), RangeError);
});

t.test("protocol: pieces, strangers, hostile lines", async (t) => {
  const seen: ProgramMessage[] = [];
  const parser = new ProtocolParser("abc", (message) => seen.push(message));
  const stream = Buffer.from(
    [
      "motd of the host",
      "\x1eabc\ts\t1",
      "\x1eabc\tv\t1\tstdout\t~aGkKeW91",
      "\x1eabc\tr\t1\tchanged\t=missing",
      "\x1exyz\tr\t2\tok\t=forged",
      "\x1eabc\tr\tx\tok\t=no number",
      "\x1eabc\tr\t2\tnonsense\t=no status",
      "\x1eabc\tr\t3\tok\t~G1szMW1yZWQ=",
      "\x1eabc\tn\t4\t=../../etc/passwd",
      `\x1eabc\to\t5\t=${"y".repeat(300 * 1024)}`,
      "\x1eabc\th\t1\t2\tz",
      "\x1eabc\tz\tdone",
      "",
    ].join("\n"),
  );
  for (let i = 0; i < stream.length; i += 7) parser.push(stream.subarray(i, i + 7));
  t.strictSame(seen, [
    { kind: "start", call: 1 },
    { kind: "field", call: 1, field: "stdout", value: "hi\nyou" },
    { kind: "result", call: 1, status: "changed", reason: "missing" },
    { kind: "result", call: 3, status: "ok", reason: "[31mred" },
    { kind: "handlers", notified: [1, 2] },
    { kind: "end", reason: "done" },
  ]);
});

t.test("unified diffs are those of diff -u", async (t) => {
  const cases: [string, string][] = [
    ["", "a\n"],
    ["a\n", ""],
    ["a\nb\nc\n", "a\nx\nc\n"],
    ["1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n", "1\n2\nthree\n4\n5\n6\n7\n8\n9\n10\n11\n12\n14\n15\n"],
    ["a\nb", "a\nb\n"],
    ["b\n", "a\nb\nc\n"],
    ["x\n".repeat(40), `${"x\n".repeat(10)}y\n${"x\n".repeat(29)}`],
  ];
  const dir = t.testdir();
  for (const [before, after] of cases) {
    writeFileSync(join(dir, "a"), before);
    writeFileSync(join(dir, "b"), after);
    let wanted = "";
    try {
      execFileSync("diff", ["-u", join(dir, "a"), join(dir, "b")]);
    } catch (error) {
      wanted = (error as { stdout: Buffer }).stdout.toString().split("\n").slice(2).join("\n");
    }
    t.equal(
      unifiedDiff("f", before, after).split("\n").slice(2).join("\n"),
      wanted,
      JSON.stringify([before, after]).slice(0, 60),
    );
  }
  t.equal(unifiedDiff("f", "same\n", "same\n"), "");
  t.ok(isText(Buffer.from("grün\n")));
  t.notOk(isText(Buffer.from([0x80, 0x81])));
  t.notOk(isText(Buffer.from([65, 0])));
});

t.test("conditions on results as shell", async (t) => {
  const shape: RegisterShape = {
    loop: false,
    returns: { rc: "int", stdout: "str", "stat.exists": "bool", "stat.mode": "str" },
  };
  const shapes = new Map<string, RegisterShape>([
    ["x", shape],
    ["l", { loop: true, returns: {} }],
  ]);
  const shell = (source: string) => shellCondition(parseExpression(source, { file: "f", line: 1, column: 1 }), shapes);
  const run = (condition: string, env: Record<string, string>) => {
    const helpers = 'toint() { I_=$1; case ${1#-} in "" | *[!0-9]*) I_=0 ;; esac; }\n';
    const lets = Object.entries(env).map(([name, value]) => `${name}='${value}'\n`);
    const script = `set -u\n${helpers}${lets.join("")}if ${condition}; then echo yes; else echo no; fi`;
    return execFileSync("sh", ["-c", script]).toString().trim() === "yes";
  };
  const cases: [string, Record<string, string>, boolean][] = [
    ["x is changed", { V_x_changed: "true" }, true],
    ["x is not changed", { V_x_changed: "true" }, false],
    ["x is succeeded", { V_x_failed: "false" }, true],
    ["l is changed or x.rc == 0", { V_l_changed: "false", V_x_rc: "0" }, true],
    ["x.rc != 0", { V_x_rc: "2" }, true],
    ["x.rc > 1 and not x.stat.exists", { V_x_rc: "2", V_x_stat_exists: "true" }, false],
    ["x['rc'] in [0, 2]", { V_x_rc: "2" }, true],
    ["x.rc not in [0, 2]", { V_x_rc: "2" }, false],
    ["'it''s' in x.stdout", { V_x_stdout: "itssome" }, true],
    ["'*' in x.stdout", { V_x_stdout: "no star" }, false],
    ["x.stdout == 'a b'", { V_x_stdout: "a b" }, true],
    ["x.stdout == 3", { V_x_stdout: "3" }, false],
    ["x.stdout | int == 3", { V_x_stdout: "3" }, true],
    ["x.stdout | length > 0", { V_x_stdout: "" }, false],
    ["x.stdout", { V_x_stdout: "t" }, true],
    ["x.stat.mode is defined", {}, false],
    ["x.stat.mode | default('0600') == '0600'", {}, true],
    ["x.stat.exists | bool", { V_x_stat_exists: "true" }, true],
  ];
  for (const [source, env, wanted] of cases) {
    const condition = shell(source);
    t.type(condition, "string", source);
    t.equal(run(condition ?? "", env), wanted, source);
  }
  for (const source of [
    "x.stdout is search('a')",
    "l.results | length > 1",
    "x.nosuch == 1",
    "x.stdout_lines == []",
    "x.stdout < 'b'",
  ]) {
    t.equal(shell(source), undefined, source);
  }
});

t.test("job logs: lines across pieces, progress, limits", async (t) => {
  const said: string[] = [];
  const log = new JobLog({ line: (line) => said.push(line), progress: (...parts) => said.push(parts.join("|")) });
  const bytes = Buffer.from("über\n@@progress 3 10 cc a.c\n\x1b[1mbold\nrest");
  for (const byte of bytes) log.push(Buffer.of(byte));
  log.end();
  t.strictSame(said, ["über", "3|10|cc a.c", "[1mbold", "rest"]);
});

t.test("masks, recap, tags", async (t) => {
  t.equal(masker(["topsecret", "abc", "two\nlines"])("x topsecret dG9wc2VjcmV0 abc lines"), "x *** *** abc ***");
  const counter = new RecapCounter();
  const add = (status: "ok" | "changed" | "failed" | "skipped", over = {}) =>
    counter.add(status, { pending: false, ignored: false, rescued: false, changed: false, last: true, ...over });
  add("ok", { last: false });
  add("changed");
  add("skipped", { pending: true });
  add("failed", { ignored: true });
  add("skipped");
  t.strictSame(counter.recap, {
    ok: 2,
    changed: 1,
    failed: 0,
    skipped: 1,
    ignored: 1,
    unreachable: 0,
    rescued: 0,
    pending: 1,
  });
  t.ok(selected(["a"], { tags: ["tagged"], skipTags: [] }));
  t.notOk(selected(["never"], { tags: [], skipTags: [] }));
  t.ok(selected(["always"], { tags: ["x"], skipTags: [] }));
});

t.test("facts of a Raspberry Pi", async (t) => {
  const line = (key: string, value: string) => `\x1e${key}\t${value}\n`;
  const { facts, uid, summary } = parseFacts(
    "Welcome!\n" +
      line("uname", "Linux pi 6.6.20+rpt-rpi-v6 #1 Raspbian 1:6.6.20-1 (2024-03-07) armv6l") +
      line("id", "uid=1000(pi) gid=1000(pi) groups=1000(pi),27(sudo)") +
      line("date", "") +
      "1700000000 2023-11-14 22:13:20 UTC +0000 Tuesday 2 46 000000000\n" +
      "1672531200 2023-01-01 00:00:00 UTC +0000 Sunday 0 00 000000000\n" +
      "1688169600 2023-07-01 00:00:00 UTC +0000 Saturday 6 26 000000000\n" +
      line("files", "") +
      '/etc/os-release:PRETTY_NAME="Raspbian GNU/Linux 12 (bookworm)"\n' +
      "/etc/os-release:ID=raspbian\n" +
      '/etc/os-release:VERSION_ID="12"\n' +
      "/etc/os-release:VERSION_CODENAME=bookworm\n" +
      "/etc/os-release:ID_LIKE=debian\n" +
      "/etc/debian_version:12.5\n" +
      "/proc/device-tree/model:Raspberry Pi Zero W Rev 1.1\0\n" +
      "/proc/cpuinfo:processor\t: 0\n" +
      "/proc/meminfo:MemTotal:         437000 kB\n" +
      "/etc/passwd:never\n" +
      line("has", "apt") +
      line("systemd", "yes") +
      line("route4", "8.8.8.8 via 10.0.0.1 dev wlan0 src 10.0.0.7 uid 1000") +
      line("addr", "") +
      "2: wlan0    inet 10.0.0.7/24 brd 10.0.0.255 scope global wlan0\n" +
      "1: lo    inet 127.0.0.1/8 scope host lo\n" +
      line("mtab", "") +
      "/dev/root / ext4 rw,noatime 0 0\n" +
      line("statfs", "") +
      "1024 1024 1000000 600000 5000 4000 /\n" +
      line("passwd", "pi:x:1000:1000:,,,:/home/pi:/bin/bash") +
      line("df", "") +
      "Filesystem Type 1024-blocks Used Available Capacity Mounted on\n" +
      "/dev/root ext4 1000000 400000 600000 40% /\n" +
      line("end", "ok"),
    ALL_GROUPS,
  );
  t.equal(uid, 1000);
  t.match(facts, {
    distribution: "Debian",
    distribution_version: "12",
    distribution_minor_version: "5",
    distribution_major_version: "12",
    distribution_release: "bookworm",
    os_family: "Debian",
    machine: "armv6l",
    service_mgr: "systemd",
    pkg_mgr: "apt",
    memtotal_mb: 426,
    processor_vcpus: 1,
    default_ipv4: { address: "10.0.0.7", interface: "wlan0", gateway: "10.0.0.1" },
    all_ipv4_addresses: ["10.0.0.7"],
    nodename: "pi",
    kernel: "6.6.20+rpt-rpi-v6",
    user_id: "pi",
    user_gid: 1000,
    edge_board_model: "Raspberry Pi Zero W Rev 1.1",
    date_time: { epoch: "1700000000", iso8601: "2023-11-14T22:13:20Z" },
    mounts: [{ mount: "/", size_available: 614400000, inode_used: 1000, uuid: "N/A" }],
    user_dir: "/home/pi",
  });
  t.equal(summary, "Raspberry Pi Zero W Rev 1.1, Debian 12.5 armv6l, 1 core, 426 MB, 0.6 GB free");
  t.throws(() => parseFacts("sh: not found", []), { code: "E_FACTS" });
});

t.test("a task's environment ends with it, and touches nothing that programs have for themselves", async (t) => {
  const inside = inEnvironment({ PATH: "/other", NEW_ONE: "a b" })('printf "%s %s," "$PATH" "$NEW_ONE"\n');
  const text = `PATH=/bin:/usr/bin\n${runtimeText.slice(runtimeText.indexOf("envkeep()"))}\n${inside}printf '%s %s' "$PATH" "\${NEW_ONE-none}"`;
  t.equal(execFileSync("dash", ["-c", text]).toString(), "/other a b,/bin:/usr/bin none");
  t.throws(() => inEnvironment({ K: "1" }), { message: /K is a name that only command/ });

  const folders = ["src/modules", "src/modules/lib"].map((name) => join(import.meta.dirname, "../../..", name));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const sources = [
    ...files.filter((file) => file.endsWith(".ts")),
    ...["runtime.ts", "program.ts"].map((name) => join(import.meta.dirname, "../../../src/engine", name)),
  ];
  const assigned = sources.flatMap((file) => {
    const source = readFileSync(file, "utf8");
    const names = [...source.matchAll(/(?<![\w$.])([A-Z][A-Z0-9_]*|[a-z])=(?![=>])/g)].map(([, name = ""]) => name);
    const read = [...source.matchAll(/read -r((?: \w+)+)/g)].flatMap(([, list = ""]) => list.trim().split(" "));
    return [...names, ...read, ...[...source.matchAll(/\bfor (\w+) in\b/g)].map(([, name = ""]) => name)];
  });
  // Those that are meant for other programs.
  const meant = [
    "PATH",
    "LC_ALL",
    "DEBIAN_FRONTEND",
    "APT_LISTCHANGES_FRONTEND",
    "NEEDRESTART_MODE",
    "XDG_RUNTIME_DIR",
    "GIT_SSH_COMMAND",
  ];
  t.strictSame(
    [...new Set(assigned)].filter((name) => !isOwn(name) && !meant.includes(name)),
    [],
  );
});
