import { Text } from "ink";
import { statusLook, useTheme } from "../theme.js";
import type { FinishedLine } from "./state.js";

const WORD = 11;

/** A line of the scrollback: when, which host, what came out, of what. */
export function FinishedRow({ line, hostWidth }: { readonly line: FinishedLine; readonly hostWidth: number }) {
  const { symbols } = useTheme();
  if (line.status === "text") return <Text>{line.text === "" ? " " : line.text}</Text>;
  const { symbol, word, color, bold } = statusLook(line.status, symbols);
  return (
    <Text>
      <Text {...(color === undefined ? {} : { color })} bold={bold === true}>
        {symbol} {word.padEnd(WORD)}
      </Text>{" "}
      {line.time} {line.host.padEnd(hostWidth)} {line.text}
      {line.duration === "" ? "" : `  ${line.duration}`}
    </Text>
  );
}
