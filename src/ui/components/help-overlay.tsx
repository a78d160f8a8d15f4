import { Box, Text } from "ink";
import type { Screen } from "../key-binding.js";
import { keysOf } from "../keymap.js";

/** All keys of a screen, within so many rows. */
export function HelpOverlay({ screen, rows }: { readonly screen: Screen; readonly rows: number }) {
  const bindings = keysOf(screen);
  const room = Math.max(1, rows - 1);
  const shown = bindings.length <= room ? bindings : bindings.slice(0, room - 1);
  const width = Math.max(...bindings.map(({ keys }) => keys.join(" ").length));
  return (
    <Box flexDirection="column">
      {shown.map(({ command, keys, help }) => (
        <Text key={command} wrap="truncate">
          <Text bold>{keys.join(" ").padEnd(width)}</Text>
          {"  "}
          {help}
        </Text>
      ))}
      {shown.length < bindings.length && <Text wrap="truncate">more: docs/keys.md</Text>}
      <Text wrap="truncate">any key: back</Text>
    </Box>
  );
}
