import type { ReactElement } from "react";
import { CalmStdout, type TerminalOutput } from "./calm-stdout.js";
import { ScreenSizeProvider } from "./hooks/use-terminal-size.js";
import { symbolsFor } from "./symbols.js";
import { leaveTerminal, takeTerminal } from "./terminal-owner.js";
import { ThemeProvider } from "./theme.js";

/** Type-ahead after the last frame must not end up in the shell. */
const DRAIN_MS = 50;
/** React's scheduler yields after 5 ms. */
const SETTLE_MS = 10;

export interface InkOptions {
  readonly unicode: boolean;
  readonly colour: boolean;
  readonly stdin?: NodeJS.ReadStream;
  readonly stdout?: TerminalOutput;
}

/** A mounted display. */
export interface MountedInk {
  /** Paints the last state, restores the terminal, lets go of stdin. */
  unmount(): Promise<void>;
}

/**
 * Mounts a tree on the terminal. Ink and React are loaded here, and only here.
 * @throws Error when another owner has the terminal: a bug
 */
export async function mountInk(element: ReactElement, options: InkOptions): Promise<MountedInk> {
  takeTerminal("ink");
  try {
    return await mount(element, options);
  } catch (error) {
    leaveTerminal();
    throw error;
  }
}

async function mount(element: ReactElement, options: InkOptions): Promise<MountedInk> {
  const { render } = await import("ink");
  const stdin = options.stdin ?? process.stdin;
  const out = new CalmStdout(options.stdout ?? process.stdout);
  // Ink leaves stdin unreferenced, Enquirer leaves it paused: either way nothing would be read.
  stdin.ref?.();
  stdin.resume();
  const theme = { symbols: symbolsFor(options.unicode), colour: options.colour };
  const instance = render(
    <ThemeProvider value={theme}>
      <ScreenSizeProvider out={out}>{element}</ScreenSizeProvider>
    </ThemeProvider>,
    {
      // Ink asks of its stdout only what CalmStdout has.
      stdout: out as unknown as NodeJS.WriteStream,
      stdin,
      exitOnCtrlC: false,
      patchConsole: options.stdout === undefined,
      maxFps: 10,
    },
  );
  return {
    async unmount() {
      // React commits what was set last before Ink paints it for the last time.
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      instance.unmount();
      await instance.waitUntilExit();
      out.release();
      await drain(stdin);
      leaveTerminal();
    },
  };
}

/** Mounts a tree until it gives its value. */
export async function withInk<T>(make: (exit: (value: T) => void) => ReactElement, options: InkOptions): Promise<T> {
  let settle: (value: T) => void = () => undefined;
  const value = new Promise<T>((resolve) => {
    settle = resolve;
  });
  const mounted = await mountInk(
    make((result) => settle(result)),
    options,
  );
  try {
    return await value;
  } finally {
    await mounted.unmount();
  }
}

/** Reads and drops what was typed ahead, then lets the process end. */
async function drain(stdin: NodeJS.ReadStream): Promise<void> {
  const drop = () => {
    while (stdin.read() !== null);
  };
  stdin.on("readable", drop);
  await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
  stdin.off("readable", drop);
  stdin.pause?.();
  stdin.unref?.();
}
