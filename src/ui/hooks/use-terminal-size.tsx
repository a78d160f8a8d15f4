import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import type { CalmStdout } from "../calm-stdout.js";

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const SizeContext = createContext<ScreenSize>({ columns: 80, rows: 24 });

/** Follows the terminal's size; Ink 6.8 has no hook for it. */
export function ScreenSizeProvider({ out, children }: { readonly out: CalmStdout; readonly children: ReactNode }) {
  const [size, setSize] = useState<ScreenSize>(out.size);
  useEffect(() => {
    // Always a new object, so that every resize is followed by a commit, and the effect below by that.
    const onResize = () => setSize({ ...out.size });
    out.on("size", onResize);
    onResize();
    return () => {
      out.off("size", onResize);
    };
  }, [out]);
  useEffect(() => out.settled(size), [out, size]);
  return <SizeContext.Provider value={size}>{children}</SizeContext.Provider>;
}

export function useTerminalSize(): ScreenSize {
  return useContext(SizeContext);
}
