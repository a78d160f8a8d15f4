import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { bootBare } from "./support/edge.js";
import { labImpossible } from "./support/lab.js";
import { openShell } from "./support/shell.js";
import type { TmuxTerminal } from "./support/tmux.js";

t.setTimeout(900_000);

const SIZE = { columns: 130, rows: 36 };

t.test(
  "the wizard on a terminal: from a host that was found to a playing stream",
  { skip: labImpossible() },
  async (t) => {
    const { host } = await bootBare(t);
    const { terminal, home } = await openShell(t, host, SIZE);
    await terminal.run("./edge-setup init --ssh-config ssh_config --nginx-sources debian; echo exit=$?");
    t.match(await terminal.waitFor("church"), /church +\(~\/\.ssh\/config\)/);
    await terminal.press("Enter");
    await terminal.waitFor("Trust and remember it?");
    t.match(await terminal.screen(), /SHA256:[A-Za-z0-9+/]{43}/, "the host key is shown and asked");
    await terminal.press("y");
    t.match(await terminal.waitFor(/✔ church: .*cores?/), /Debian 13.*(sudo without a password|as root)/);
    await terminal.resize({ columns: 60, rows: 14 });
    await terminal.waitFor("How are they reached?");
    await terminal.resize(SIZE);
    await pressUntil(terminal, "What is streamed?");
    await terminal.press("Escape");
    await terminal.waitFor("How are they reached?");
    const review = await pressUntil(terminal, /\+ \d+ create/, 60);
    t.match(review, /church: \+ \d+ create {2}~ \d+ change {2}= \d+ keep/);
    t.match(review, /--nginx-sources debian/);
    t.notOk(existsSync(join(home, "edges.yml")), "nothing is written before");
    // A plan is applied only once it could be seen.
    for (let presses = 0; presses < 20; presses++) {
      await terminal.press("Enter");
      await sleep(300);
      if (!(await terminal.waitFor(/What will happen|apply · 1 host|log · /)).includes("What will happen")) break;
    }
    if (!(await terminal.screen()).includes("log · ")) await terminal.press("Enter");
    await terminal.waitFor("log · follows");
    await terminal.press("Escape");
    await terminal.waitFor(/apply · 1 host/);
    await terminal.waitFor("exit=0", 300);
    const all = await terminal.everything();
    t.match(all, /church: ok=\d+ changed=\d+ failed=0/);
    t.match(all, /playlist is valid/);
    t.match(all, new RegExp(`rtmp://${host.address.replaceAll(".", "\\.")}/hls`));
    t.ok(await terminal.cursorVisible());
    await terminal.run("stty -a | grep -o .icanon; cat edges.yml");
    t.match(await terminal.waitFor("nginx_sources: debian"), / icanon/, "the terminal is as it was");
    t.notMatch(
      all,
      /apply · 1 host[\s\S]*apply · 1 host/,
      "one live region at most is left, and none of it in the scrollback",
    );

    await terminal.run("clear; ./edge-setup apply --ssh-config ssh_config --yes --no-verify; echo again=$?");
    t.match(
      await terminal.waitFor("again=0", 60),
      /church: ok=\d+ changed=0 failed=0/,
      "the saved file needs no question",
    );
  },
);

t.test("ctrl-c stops a run in the open, and leaves the terminal as it was", { skip: labImpossible() }, async (t) => {
  const { host } = await bootBare(t);
  const { terminal } = await openShell(t, host, SIZE, { builds: false });
  await terminal.run(
    "./edge-setup init --host church --ssh-config ssh_config --nginx-sources debian --apply --yes --accept-new; echo exit=$?",
  );
  await terminal.waitFor(/NGINX with .*%/, 120);
  await terminal.resize({ columns: 40, rows: 10 });
  await terminal.waitFor(/apply/);
  await terminal.resize(SIZE);
  // The narrow frame cuts its keys: one that ends with them is of the new size.
  const screen = await terminal.waitFor(/NGINX with[\s\S]*ctrl-c stop\s*$/);
  for (const once of [/apply · 1 host/g, /NGINX with/g, /── edge ─|── church ─/g, /ctrl-c stop/g]) {
    t.ok(
      (screen.match(once)?.length ?? 0) <= 1,
      `one live region and nothing of the others is left (${once}):\n${screen}`,
    );
  }
  await terminal.press("C-c");
  await terminal.waitFor(/Press Ctrl-C again to stop at once|exit=130/);
  await terminal.waitFor("exit=130", 60);
  t.ok(await terminal.cursorVisible());
  await terminal.run("stty -a | grep -o .icanon");
  await terminal.waitFor(/^ icanon/m);
});

/** A screen that is the same whatever time has passed. */
function withoutTimes(screen: string): string {
  return screen.replace(/\d+ s\b/g, "");
}

/** Enter until the screen shows it, as somebody who is content with every default. */
async function pressUntil(terminal: TmuxTerminal, wanted: string | RegExp, seconds = 60): Promise<string> {
  for (let presses = 0; presses < 25; presses++) {
    const screen = await terminal.screen();
    if (typeof wanted === "string" ? screen.includes(wanted) : wanted.test(screen)) return screen;
    if (/looking, changing nothing/.test(screen)) return terminal.waitFor(wanted, seconds);
    await terminal.press("Enter");
    // Until it is heeded: a second one would be the answer to the question behind it.
    const before = withoutTimes(screen);
    for (let looks = 0; looks < 300 && withoutTimes(await terminal.screen()) === before; looks++) await sleep(100);
  }
  return terminal.waitFor(wanted, seconds);
}
