import { createContext, type ReactNode, useContext } from "react";
import { type Symbols, symbolsFor } from "./symbols.js";

export interface Theme {
  readonly symbols: Symbols;
  readonly colour: boolean;
}

const ThemeContext = createContext<Theme>({ symbols: symbolsFor(true), colour: true });

export function ThemeProvider({ value, children }: { readonly value: Theme; readonly children: ReactNode }) {
  return <ThemeContext.Provider value={value}>{children}</ThemeContext.Provider>;
}

export function useTheme(): Theme {
  return useContext(ThemeContext);
}

export type Status =
  | "ok"
  | "changed"
  | "skipped"
  | "failed"
  | "unreachable"
  | "queued"
  | "running"
  | "warning"
  | "info"
  | "pending";

/** How a status looks: a sign, a word, and a colour that only repeats them. */
export interface StatusLook {
  readonly symbol: string;
  readonly word: string;
  readonly color?: string;
  readonly bold?: boolean;
}

/**
 * Cyan, yellow and red are told apart by most eyes and readable on light and dark grounds; what failed is bold as well.
 * Nothing is blue (dark on dark in Windows consoles) or merely dim.
 */
export function statusLook(status: Status, symbols: Symbols): StatusLook {
  switch (status) {
    case "ok":
      return { symbol: symbols.ok, word: "ok", color: "green" };
    case "changed":
      return { symbol: symbols.changed, word: "changed", color: "yellow" };
    case "pending":
      return { symbol: symbols.changed, word: "would run", color: "yellow" };
    case "skipped":
      return { symbol: symbols.skipped, word: "skipped" };
    case "failed":
      return { symbol: symbols.failed, word: "FAILED", color: "red", bold: true };
    case "unreachable":
      return { symbol: symbols.unreachable, word: "UNREACHABLE", color: "red", bold: true };
    case "queued":
      return { symbol: symbols.queued, word: "waiting" };
    case "running":
      return { symbol: symbols.pointer, word: "running", color: "cyan" };
    case "warning":
      return { symbol: symbols.warning, word: "warning", color: "yellow", bold: true };
    case "info":
      return { symbol: symbols.bullet, word: "note" };
  }
}
