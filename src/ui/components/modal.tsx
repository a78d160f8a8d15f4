import { Box, Text } from "ink";
import { useState } from "react";
import { useKeys } from "../hooks/use-keys.js";
import { useTheme } from "../theme.js";
import { TextInput } from "./text-input.js";

/** A yes or no that has no default: only y says yes. */
export function ConfirmModal({ text, onAnswer }: { readonly text: string; readonly onAnswer: (yes: boolean) => void }) {
  const { symbols } = useTheme();
  useKeys((input, key) => {
    if (input === "y" || input === "Y") onAnswer(true);
    else if (input === "n" || input === "N" || key.escape || (key.ctrl && input === "c")) onAnswer(false);
  });
  return (
    <Box flexDirection="column">
      <Text wrap="wrap">
        <Text bold>{symbols.pointer} </Text>
        {text}
      </Text>
      <Text wrap="truncate">
        <Text bold>y</Text> yes <Text bold>n</Text> no
      </Text>
    </Box>
  );
}

/** A password: stars, Enter takes it, Esc gives none. */
export function SecretModal({
  text,
  onAnswer,
}: {
  readonly text: string;
  readonly onAnswer: (text: string | undefined) => void;
}) {
  const { symbols } = useTheme();
  const [value, setValue] = useState("");
  useKeys((input, key) => {
    if (key.escape || (key.ctrl && input === "c")) onAnswer(undefined);
  });
  return (
    <Box flexDirection="column">
      <Text wrap="wrap">
        <Text bold>{symbols.pointer} </Text>
        {text}
      </Text>
      <TextInput value={value} onChange={setValue} onSubmit={onAnswer} mask isActive />
      <Text wrap="truncate">
        <Text bold>enter</Text> take <Text bold>esc</Text> none
      </Text>
    </Box>
  );
}
