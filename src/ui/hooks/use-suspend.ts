import { useStdin, useStdout } from "ink";
import { useCallback } from "react";

const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";

/**
 * Ctrl-Z: raw mode swallows it, so the terminal is given back by hand and taken again on SIGCONT. Windows has no such
 * signal.
 */
export function useSuspend(): () => void {
  const { setRawMode, isRawModeSupported } = useStdin();
  const { stdout } = useStdout();
  return useCallback(() => {
    if (process.platform === "win32" || !isRawModeSupported) return;
    stdout.write(SHOW_CURSOR);
    setRawMode(false);
    process.once("SIGCONT", () => {
      setRawMode(true);
      stdout.write(HIDE_CURSOR);
      process.stdout.emit("resize");
    });
    process.kill(0, "SIGTSTP");
  }, [setRawMode, isRawModeSupported, stdout]);
}
