import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { programText } from "../../../src/engine/program.js";
import { lockText, runtimeText } from "../../../src/engine/runtime.js";
import { coerceArgs } from "../../../src/modules/args.js";
import { modulesPage } from "../../../src/modules/docs-page.js";
import { commandWord, splitWords } from "../../../src/modules/fragments.js";
import { packages, services } from "../../../src/modules/host-facts.js";
import { findModule, libTexts, moduleCatalog } from "../../../src/modules/registry.js";
import { unitProperties } from "../../../src/modules/system.js";
import type { ModuleContext } from "../../../src/modules/types.js";
import { answer } from "../../../src/modules/uri.js";
import type { Value } from "../../../src/playbook/types.js";

interface Case {
  readonly module: string;
  readonly args: Record<string, Value>;
  readonly shell?: string;
  readonly error?: string;
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("./cases.json", import.meta.url), "utf8"));

const info = { digest: "5".repeat(32), size: 12, firstLine: "#!/bin/bash -e", mode: 0o755 };
const context: ModuleContext = {
  resolve: (path, folder) => `/play/${folder}/${path}`,
  describe: (path) => (/missing|brought/.test(path) ? undefined : info),
  bytes: () => Buffer.from("x\n"),
  tree: (path) =>
    path.includes("tree")
      ? [
          { path: "d", kind: "directory", mode: 0o755 },
          { path: "d/f", kind: "file", mode: 0o644 },
        ]
      : undefined,
  content: () => info,
  renderTemplate: () => "text",
  canFetch: (path) => path.includes("fetchable"),
  comesFrom: (path) => (path.includes("brought") ? { kind: "host", host: "b" } : undefined),
  controllerPath: (path) => (path.startsWith("/") ? path : `/play/${path}`),
  hashes: (path) => (path.includes("here") ? { sha1: "1".repeat(40), md5: null } : undefined),
  hostName: "a",
  wantsResult: false,
  wants: () => false,
  wantDiff: false,
  environment: { LANG: "C.UTF-8" },
};

function build(module: string, args: Record<string, Value>, where: ModuleContext = context) {
  const found = findModule(module);
  if (found === undefined) throw new Error(`no module ${module}`);
  return found.build(coerceArgs(found.spec, args), where);
}

t.test("a detached job has its stdin and its conditions with it, and the time that Ansible gives", async (t) => {
  const detached: ModuleContext = { ...context, async: { seconds: 60, poll: 1 } };
  for (const module of ["command", "shell"]) {
    t.match(build(module, { cmd: "cat", stdin: "fed" }, detached).shell, /fed'*\\?'* >"\$0\.in"; exec <"\$0\.in"; rm/);
    t.match(build(module, { cmd: "cat" }, detached).shell, /m_job \w+ 60 1 /);
    const alone: ModuleContext = { ...context, async: { seconds: 60, poll: 0 } };
    t.match(build(module, { cmd: "cat" }, alone), { shell: "m_start", returns: { ansible_job_id: "str" } });
    t.match(build(module, { cmd: "cat", creates: "/x" }, alone).shell, /m_start \w{16} 65 .* \/x\n$/s);
  }
});

for (const { module, args, shell, error } of cases) {
  t.test(`${module} ${JSON.stringify(args)}`.slice(0, 110), async (t) => {
    if (error !== undefined) t.throws(() => build(module, args), { message: new RegExp(error) });
    else t.equal(build(module, args).shell.trimEnd(), shell);
  });
}

t.test("every module has a catalog entry, every library a text", async (t) => {
  for (const name of ["apt", "copy", "systemd", "systemd_service", "set_fact", "assert", "meta"])
    t.ok(moduleCatalog.has(name), name);
  t.equal(moduleCatalog.get("systemd")?.name, "systemd");
});

t.test("a program with every library passes sh, dash and shellcheck", async (t) => {
  const body = cases
    .filter((one) => one.shell !== undefined)
    .map((one, index) => `if B ${index + 1}; then\n${one.shell}\nE ''\nfi\n`);
  const text = programText(
    {
      target: { local: false, user: undefined },
      body: body.join(""),
      libs: new Set(libTexts.keys()),
      realLibs: new Set(),
      calls: [],
      probes: new Map([
        ["/a b", true],
        ["/c", false],
        ["/d'e", true],
      ]),
      units: new Set(["a.service"]),
      acts: true,
      meeting: undefined,
      once: undefined,
      awaits: undefined,
      ends: undefined,
      next: undefined,
      known: [],
      bails: new Set(),
      stops: [],
    },
    {
      nonce: "n",
      run: "r",
      check: true,
      diff: true,
      later: false,
      start: 1,
      alone: true,
      own: true,
      who: "it's me",
      host: "edge",
      lockFile: undefined,
      handlerNames: ["a", "b"],
      notified: new Set([2]),
      ended: new Map(),
    },
  );
  const file = join(t.testdir(), "program");
  writeFileSync(file, text);
  for (const shell of ["sh", "dash", "busybox"]) {
    const words = shell === "busybox" ? ["sh", "-n", file] : ["-n", file];
    const run = spawnSync(shell, words, { encoding: "utf8" });
    if (run.error !== undefined) t.comment(`${shell} is not here`);
    else t.equal(run.stderr, "", `${shell} -n`);
  }
  // SC1003: a backslash at the end of a value; SC2317: reached by name; SC2034: read by eval, or by another part; SC2154: set by eval, or by the program's head;
  // SC2016: JOB and scripts are shell text in quotes on purpose.
  const excluded = "SC1003,SC2317,SC2034,SC2154,SC2016,SC2329";
  // The library with its comments, which hold shellcheck's own directives.
  writeFileSync(file, `NONCE=n\n${runtimeText}${lockText}${[...libTexts.values()].join("")}${body.join("")}`);
  const check = spawnSync("shellcheck", ["-s", "sh", "-f", "gcc", "-e", excluded, file], { encoding: "utf8" });
  if (check.error === undefined) t.equal(check.stdout, "", "shellcheck");
  else t.comment("shellcheck is not here");
});

t.test("docs/modules.md is current", async (t) => {
  t.equal(readFileSync(new URL("../../../docs/modules.md", import.meta.url), "utf8"), modulesPage(), "npm run docs");
});

t.test("what systemctl shows of a unit", async (t) => {
  const shown = "Id=a.service\nDescription={ odd\nExecStart={ path=/bin/a ;\n argv[]=a }\nUser=\nnoise";
  t.strictSame(unitProperties(shown), {
    Id: "a.service",
    Description: "{ odd",
    ExecStart: "{ path=/bin/a ;\n argv[]=a }",
    User: "",
  });
});

t.test("what uri makes of an answer", async (t) => {
  const told =
    "200 http://h/b\nHTTP/1.1 302 Found\nLocation: /b\n\nHTTP/1.1 200 OK\nContent-Type: application/json\nSet-Cookie: a=1; Path=/\n" +
    'Set-Cookie: b=2\nContent-Length: 9\nX-One: 1\n\n\f\n{"a": 1}\n';
  t.match(answer(told, "http://h/a"), {
    url: "http://h/b",
    redirected: true,
    msg: "OK (9 bytes)",
    json: { a: 1 },
    cookies: { a: "1", b: "2" },
    cookies_string: "a=1; b=2",
    set_cookie: "a=1; Path=/, b=2",
    x_one: "1",
  });
  const away = answer("302 http://h/a\nHTTP/1.1 302 Found\nLocation: /b\n\n\f\nno json", "http://h/a");
  t.match(away, { location: "http://h/b", redirected: false });
  t.notOk("json" in away);
  t.strictSame(answer("-1 http://h/\n\f\n", "http://h/").msg, undefined);
  t.equal(answer("404 http://h/\nHTTP/1.0 404 Not here\n\n\f\n", "http://h/", [404]).msg, "HTTP Error 404: Not here");
});

t.test("services as Ansible puts them together", async (t) => {
  const told = [
    " [ + ]  ssh\n [ - ]  x11-common\n [ ? ]  odd\n",
    "  UNIT LOAD ACTIVE SUB DESCRIPTION\n  ssh.service loaded active running OpenSSH\n* gone.service not-found inactive dead gone\n",
    "UNIT FILE STATE PRESET\nssh.service enabled enabled\ngone.service disabled enabled\nnew@.service static -\nold.service disabled enabled\n",
    "old.service inactive\n",
  ].join("\f\n");
  const of = (name: string, state: string, status: string) => ({ name, state, status, source: "systemd" });
  t.strictSame(services(told), {
    ssh: { name: "ssh", state: "running", source: "sysv" },
    "x11-common": { name: "x11-common", state: "stopped", source: "sysv" },
    "ssh.service": of("ssh.service", "running", "enabled"),
    "gone.service": of("gone.service", "stopped", "not-found"),
    "new@.service": of("new@.service", "unknown", "static"),
    "old.service": of("old.service", "inactive", "disabled"),
  });
  t.strictSame(packages("installed\tbash\t5.2\tamd64\tshells\n"), {
    bash: [{ name: "bash", version: "5.2", arch: "amd64", category: "shells", source: "apt" }],
  });
});

t.test("words and expressions", async (t) => {
  t.strictSame(splitWords(`a 'b c' "d \\"e\\" $x" f\\ g ''`), ["a", "b c", 'd "e" $x', "f g", ""]);
  t.throws(() => splitWords("a 'b"), { message: /open quote/ });
  const value = (word: string) =>
    execFileSync("sh", ["-c", `printf %s ${commandWord(word)}`], { env: { HOME: "/h", V: "a b" } }).toString();
  t.equal(value("~/x$V'${NOSUCH}$(id)"), "/h/xa b'${NOSUCH}$(id)");
});
