import { Text } from "ink";
import type { Screen } from "../key-binding.js";
import { keysOf } from "../keymap.js";
import { useTheme } from "../theme.js";

const names: Readonly<Record<string, string>> = { up: "↑", down: "↓", enter: "⏎", left: "←", right: "→" };

/** A key as people read it. */
export function keyLabel(key: string, unicode: boolean): string {
  return unicode ? (names[key] ?? key) : key;
}

export interface FooterItem {
  readonly key: string;
  readonly help: string;
}

/** The few keys that matter now, in one row; of a screen's table unless given. */
export function KeyFooter({ screen, items }: { readonly screen: Screen; readonly items?: readonly FooterItem[] }) {
  const { symbols } = useTheme();
  const unicode = symbols.ellipsis === "…";
  const shown =
    items ??
    keysOf(screen)
      .filter(({ footer }) => footer !== undefined && footer !== false)
      .map(({ keys, command, footer }) => ({
        key: keys[0] ?? "",
        help: typeof footer === "string" ? footer : command,
      }));
  return (
    <Text wrap="truncate">
      {shown.map(({ key, help }, index) => (
        <Text key={key}>
          {index === 0 ? "" : "  "}
          <Text bold>{keyLabel(key, unicode)}</Text> {help}
        </Text>
      ))}
    </Text>
  );
}
