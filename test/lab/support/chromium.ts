import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";

/** The browser that this machine has, if any. */
export function findChromium(): string | undefined {
  return ["chromium", "chromium-browser", "google-chrome"].find(
    (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
  );
}

/** A page in a headless browser, driven by the DevTools protocol over a pair of pipes. */
export interface Page {
  /** The value of an expression; promises are awaited. @throws Error when it throws */
  evaluate(expression: string): Promise<unknown>;
  /** What the console, the network and the page's security policy complained about. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export async function openPage(program: string, url: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), "edge-page-"));
  const flags = [
    ...["--headless=new", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "--no-proxy-server"],
    // Tests run as root, mostly in containers, where its sandbox and a large /dev/shm are not to be had.
    ...["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio", "--no-first-run"],
  ];
  const child = spawn(program, [...flags, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    detached: true,
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const [, , , write, read] = child.stdio;
  if (!(write instanceof Writable) || !(read instanceof Readable)) throw new Error("there are no pipes");
  write.on("error", () => {});

  const waiting = new Map<number, (message: Message) => void>();
  const complaints: string[] = [];
  let rest = "";
  read.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\0");
    rest = parts.pop() ?? "";
    for (const part of parts) onMessage(JSON.parse(part));
  });
  function onMessage(message: Message): void {
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else if (message.method === "Log.entryAdded" || message.method === "Runtime.exceptionThrown")
      complaints.push(JSON.stringify(message.params));
  }
  let last = 0;
  async function ask(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++last;
    const answer = new Promise<Message>((resolve, reject) => {
      waiting.set(id, resolve);
      exited.then(() => reject(new Error("the browser has ended")));
    });
    (write as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    waiting.delete(id);
    if (result === undefined) throw new Error(`${method}: ${error?.message}`);
    return result;
  }
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const inPage = (method: string, params: object = {}) => ask(method, params, String(sessionId));
  await inPage("Runtime.enable");
  await inPage("Log.enable");
  await inPage("Page.navigate", { url });
  return {
    complaints,
    async evaluate(expression) {
      const { result, exceptionDetails } = await inPage("Runtime.evaluate", {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value?: unknown }).value;
    },
    async close() {
      // Its own process group, for it has children.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
