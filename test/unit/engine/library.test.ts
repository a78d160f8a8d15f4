import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import t from "tap";
import { LIBRARY_DIRECTORY } from "../../../src/engine/library.js";
import { contentDigest } from "../../../src/modules/digest.js";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { ExecOptions, ExecResult } from "../../../src/transport/transport.js";
import { localRun, oneHost } from "./local-run.js";

/** This machine as a host whose libraries and lock are in a folder of the test's. */
class KeepingHost extends LocalTransport {
  readonly sent: number[] = [];

  constructor(
    readonly folder: string,
    readonly onFacts: () => void = () => {},
  ) {
    super();
  }

  override async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    const { stdin } = options;
    this.sent.push(stdin instanceof Uint8Array ? stdin.length : Number.NaN);
    const shelf = join(this.folder, "library");
    const places = { [LIBRARY_DIRECTORY]: shelf, "/run/edge-setup.lock": join(this.folder, "lock") };
    if (command.includes("tar xzf -") || !(stdin instanceof Uint8Array)) {
      const moves = Object.entries(places).map(([from, to]) => `-e "s|${from}|${to}|g"`);
      const own = `tar xzf - && sed -i ${moves.join(" ")} program`;
      return await super.exec(command.replace("tar xzf -", own), options);
    }
    const moved = (all: string) => Object.entries(places).reduce((one, [from, to]) => one.replaceAll(from, to), all);
    const text = gunzipSync(stdin).toString("latin1");
    const isFacts = !text.includes("NONCE=");
    // Root's work is this user's here.
    const told = (chunk: Buffer) =>
      Buffer.from(
        chunk
          .toString()
          .replaceAll(shelf, LIBRARY_DIRECTORY)
          .replace(/uid=\d+/, "uid=0"),
      );
    const result = await super.exec(command, {
      ...options,
      stdin: gzipSync(Buffer.from(moved(text), "latin1")),
      onStdout: (chunk) => options.onStdout?.(isFacts ? told(chunk) : chunk),
    });
    if (isFacts) this.onFacts();
    return result;
  }
}

const { ansible_connection: _, ...remote } = oneHost().hosts[0]?.vars ?? {};
const inventory = () => {
  const { hosts, ...rest } = oneHost();
  const [host] = hosts;
  if (host === undefined) throw new Error("one host");
  const far = { ...host, vars: remote };
  return { ...rest, hosts: [far], select: () => [far] };
};

function playIn(folder: string): string {
  const file = join(folder, "site.yml");
  const tasks = [
    { name: "Text", copy: { content: "text\n", dest: join(folder, "text"), mode: "0644" } },
    { name: "Folder", file: { path: join(folder, "made"), state: "directory" } },
    { name: "Line", lineinfile: { path: join(folder, "text"), line: "more" }, when: "false" },
    { name: "Word", command: "echo word", changed_when: false, check_mode: false },
    { name: "Unit", systemd_service: { name: "none.service" }, when: "word is defined" },
    { name: "Package", apt: { name: "none" }, when: "word is defined" },
  ];
  writeFileSync(file, JSON.stringify([{ name: "One", hosts: "all", gather_facts: false, tasks }]));
  return file;
}

t.test("an apply leaves what it looked with, and the next program that looks does not bring it", async (t) => {
  const folder = t.testdir();
  const file = playIn(folder);
  const run = async (command: "plan" | "apply", onFacts?: () => void) => {
    const host = new KeepingHost(folder, onFacts);
    const { lines, exitCode } = await localRun(file, command, { connect: async () => host, inventory: inventory() });
    t.equal(exitCode, 0, lines.join("\n"));
    return { lines, sent: host.sent };
  };
  const shelf = join(folder, "library");
  const planned = await run("plan");
  t.throws(() => readdirSync(shelf), "a plan leaves nothing");
  mkdirSync(shelf);
  for (let day = 1; day <= 9; day++) {
    const old = join(shelf, `${day}`.repeat(32));
    writeFileSync(old, "");
    utimesSync(old, day * 86_400, day * 86_400);
  }
  await run("apply");
  const kept = readdirSync(shelf).sort();
  t.equal(kept.length, 4, "the newest stay");
  const name = kept.find((one) => !/^(.)\1+$/.test(one)) ?? "";
  const text = readFileSync(join(shelf, name), "utf8");
  t.equal(contentDigest(text), name);
  t.notOk(text.includes(folder), "it holds no values");
  const again = await run("apply");
  t.ok((again.sent[1] ?? 0) < (planned.sent[1] ?? 0) - 2000, `${again.sent[1]} bytes instead of ${planned.sent[1]}`);
  t.strictSame(readdirSync(shelf).sort(), kept, "an apply that changes nothing leaves nothing new");
  const looked = await run("plan");
  t.equal(looked.sent.length, 2);
  t.strictSame(again.lines, looked.lines);
  const gone = await run("plan", () => rmSync(join(shelf, name)));
  t.strictSame(gone.lines, looked.lines, "one that goes meanwhile is brought after all");
  t.equal(gone.sent.length, 3);
  writeFileSync(join(shelf, name), text.slice(0, -20));
  const damaged = await run("plan");
  t.strictSame(damaged.lines, looked.lines, "nor is one read that is not what it was");
  t.equal(damaged.sent.length, 3);
});
