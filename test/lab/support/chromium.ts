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
  /** The value of an expression in a frame of another site. @throws Error when there is none */
  evaluateInFrame(url: string, expression: string): Promise<unknown>;
  /** Presses a key as a hand does: `Tab`, `Enter`, `ArrowDown`, ... */
  press(key: string): Promise<void>;
  /** Clicks into the middle of the first element that the selector finds. */
  click(selector: string): Promise<void>;
  /** The size of the window in CSS pixels, as on a computer or a phone. */
  resize(width: number, height: number, phone?: boolean): Promise<void>;
  /** A PNG of what is seen. */
  screenshot(): Promise<Buffer>;
  /** What the console, the network and the page's security policy complained about. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** What the browser is given for an address, instead of asking the network. */
export interface Answer {
  /** With `*` for anything. */
  readonly url: string;
  readonly type: string;
  readonly body: string;
}

interface Message {
  readonly sessionId?: string;
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Keys that are more than their text to a page. */
const KEY_CODES: Readonly<Record<string, number>> = {
  Tab: 9,
  Enter: 13,
  Escape: 27,
  " ": 32,
  End: 35,
  Home: 36,
  ArrowUp: 38,
  ArrowDown: 40,
};
const KEY_TEXTS: Readonly<Record<string, string>> = { Enter: "\r", " ": " " };

export async function openPage(program: string, url: string, answers: readonly Answer[] = []): Promise<Page> {
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
    else if (message.method === "Fetch.requestPaused") answerFor(message);
  }
  function answerFor({ params, sessionId }: Message): void {
    const { requestId, request } = params as { requestId: string; request: { url: string } };
    const answer = answers.find(({ url }) => matches(url, request.url));
    const responseHeaders = [{ name: "Content-Type", value: answer?.type ?? "" }];
    const body = Buffer.from(answer?.body ?? "").toString("base64");
    const reply =
      answer === undefined
        ? ask("Fetch.continueRequest", { requestId }, sessionId)
        : ask("Fetch.fulfillRequest", { requestId, responseCode: 200, responseHeaders, body }, sessionId);
    // The page may have gone since.
    reply.catch(() => {});
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
  if (answers.length > 0) {
    await inPage("Fetch.enable", { patterns: answers.map((answer) => ({ urlPattern: answer.url })) });
  }
  await inPage("Page.navigate", { url });
  async function evaluate(expression: string, session = String(sessionId)): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await ask("Runtime.evaluate", options, session);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value?: unknown }).value;
  }
  return {
    complaints,
    evaluate: (expression) => evaluate(expression),
    async evaluateInFrame(url, expression) {
      // A frame of another site is a process, so a target, of its own.
      const { targetInfos } = await ask("Target.getTargets", {});
      const frames = targetInfos as { type: string; url: string; targetId: string }[];
      const frame = frames.find((target) => target.type === "iframe" && target.url.startsWith(url));
      if (frame === undefined) throw new Error(`there is no frame of ${url}`);
      const attached = await ask("Target.attachToTarget", { targetId: frame.targetId, flatten: true });
      return evaluate(expression, String(attached.sessionId));
    },
    async press(key) {
      const code = KEY_CODES[key] ?? 0;
      const text = KEY_TEXTS[key];
      const event = { key, code: key === " " ? "Space" : key, windowsVirtualKeyCode: code };
      await inPage("Input.dispatchKeyEvent", { type: "keyDown", ...event, ...(text === undefined ? {} : { text }) });
      await inPage("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    },
    async click(selector) {
      const place = await evaluate(`(() => {
        const { x, y, width, height } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
        return [x + width / 2, y + height / 2];
      })()`);
      const [x, y] = place as [number, number];
      for (const type of ["mouseMoved", "mousePressed", "mouseReleased"])
        await inPage("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    },
    async resize(width, height, phone = false) {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: phone };
      await inPage("Emulation.setDeviceMetricsOverride", metrics);
      await inPage("Emulation.setTouchEmulationEnabled", { enabled: phone });
    },
    async screenshot() {
      const { data } = await inPage("Page.captureScreenshot", { format: "png" });
      return Buffer.from(String(data), "base64");
    },
    async close() {
      // Its own process group, for it has children.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Whether an address is one of a pattern, in which `*` is anything. */
function matches(pattern: string, url: string): boolean {
  const [first = "", ...others] = pattern.split("*");
  if (!url.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = url.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return others.at(-1) === "" || at === url.length;
}
