import { useStdin, useStdout } from "ink";
import { useCallback } from "react";
import { CalmStdout } from "../calm-stdout.js";

const ALIVE_MS = 1000;

/**
 * Ctrl-Z: raw mode swallows it, so the terminal is given back by hand and taken again on SIGCONT. Windows has no such
 * signal.
 */
export function useSuspend(): () => void {
  const { setRawMode, isRawModeSupported } = useStdin();
  const { stdout } = useStdout();
  return useCallback(() => {
    if (process.platform === "win32" || !isRawModeSupported || !(stdout instanceof CalmStdout)) return;
    stdout.suspend();
    setRawMode(false);
    // Without raw mode nothing else may keep the process alive until it hears of SIGCONT.
    const alive = setInterval(() => undefined, ALIVE_MS);
    process.once("SIGCONT", () => {
      clearInterval(alive);
      setRawMode(true);
      stdout.resume();
    });
    process.kill(0, "SIGTSTP");
  }, [setRawMode, isRawModeSupported, stdout]);
}
