/**
 * Makes the pictures of the documentation from real frames: `npm run pictures` (Debian, root). A lab host is set up through
 * the wizard in a real terminal, two streams are published to it, and what the terminal showed on the way is kept.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { publish } from "../src/edge/rtmp-publisher.js";
import { loadTestPattern } from "../src/edge/verify.js";
import { bootBare } from "../test/lab/support/edge.js";
import { openShell } from "../test/lab/support/shell.js";
import { outside } from "../test/lab/support/streams.js";
import { screenSvg } from "./svg.js";

const SIZE = { columns: 110, rows: 30 };
const docs = resolve(import.meta.dirname, "../docs");
/** Long enough for a sparkline. */
const WATCHED_MS = 24_000;

const teardowns: (() => unknown)[] = [];
const scope = {
  teardown: (handler: () => unknown) => teardowns.unshift(handler),
  comment: (text: string) => process.stderr.write(`${text}\n`),
};

try {
  await makePictures();
} finally {
  for (const teardown of teardowns) await teardown();
}

async function makePictures(): Promise<void> {
  const { host } = await bootBare(scope);
  const { terminal, home } = await openShell(scope, host, SIZE);
  const keep = async (name: string, title: string) =>
    writeFile(join(docs, `${name}.svg`), screenSvg(onlyView(await terminal.painted()), SIZE.columns, title));

  await terminal.run("clear; ./edge-setup init --ssh-config ssh_config --nginx-sources debian");
  await terminal.waitFor("church");
  await terminal.press("Enter");
  await terminal.waitFor("Trust and remember it?");
  await terminal.press("y");
  await terminal.waitFor(/✔ church: .*cores?/);
  await keep("wizard", "The wizard has connected to a host and shows what it is");
  for (let presses = 0; presses < 25 && !(await terminal.screen()).includes("What will happen"); presses++) {
    await terminal.press("Enter");
    await sleep(500);
  }
  await terminal.waitFor(/\+ \d+ create/, 60);
  await sleep(2000);
  await keep("review", "The last page: what would change, how long it takes, and the command that does the same");
  await terminal.press("Enter");
  await terminal.waitFor(/NGINX with .* [4-6]\d%/, 180);
  await keep("run", "A run: NGINX is being compiled on the host");
  await terminal.waitFor(/Open the player[\s\S]*ready>/, 300);

  const secrets = parse(await readFile(join(home, "group_vars/all/edge-secrets.yml"), "utf8"));
  const clip = await loadTestPattern();
  for (const stream of ["main", "sermon"]) {
    const token = secrets.edge_secrets.church.rtmp_publish_token;
    const answer = await publish(await outside(host, clip, stream, token));
    if (answer.status !== "live") throw new Error(`${stream} is refused: ${answer.detail}`);
    scope.teardown(() => answer.stop());
  }
  await terminal.run("clear; ./edge-setup watch --ssh-config ssh_config --interval 1");
  await terminal.waitFor(/✔ sermon .*b\/s/);
  await sleep(WATCHED_MS);
  await keep("watch", "The dashboard: a host and its two streams");
  await terminal.press("q");
}

/** Without the shell's line above the view, and without empty lines around it. */
function onlyView(painted: string): string {
  const lines = painted.trimEnd().split("\n");
  return lines.slice(lines.findIndex((line) => !line.includes("./edge-setup") && line.trim() !== "")).join("\n");
}
