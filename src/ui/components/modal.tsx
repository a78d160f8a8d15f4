import { Box, Text } from "ink";
import { useState } from "react";
import { useKeys } from "../hooks/use-keys.js";
import type { Modal } from "../modal-queue.js";
import { useTheme } from "../theme.js";
import { TextInput } from "./text-input.js";

interface ModalProps {
  readonly modal: Modal;
  /** Ctrl-C: the question is answered with no, and this is called. */
  readonly onInterrupt: () => void;
}

/** The question that a view shows instead of all else. */
export function ModalView({ modal, onInterrupt }: ModalProps) {
  if (modal.kind === "confirm") {
    return <ConfirmModal key={modal.text} text={modal.text} onAnswer={modal.answer} onInterrupt={onInterrupt} />;
  }
  const { kind, text, answer } = modal;
  return <TextModal key={text} text={text} mask={kind === "secret"} onAnswer={answer} onInterrupt={onInterrupt} />;
}

/** A yes or no that has no default: only y says yes. */
export function ConfirmModal({
  text,
  onAnswer,
  onInterrupt,
}: {
  readonly text: string;
  readonly onAnswer: (yes: boolean) => void;
  readonly onInterrupt: () => void;
}) {
  const { symbols } = useTheme();
  useKeys((input, key) => {
    const interrupted = key.ctrl && input === "c";
    if (input === "y" || input === "Y") onAnswer(true);
    else if (input === "n" || input === "N" || key.escape || interrupted) onAnswer(false);
    if (interrupted) onInterrupt();
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

/** A line to type, as stars where it is a password: Enter takes it, Esc gives none. */
export function TextModal({
  text,
  mask,
  onAnswer,
  onInterrupt,
}: {
  readonly text: string;
  readonly mask: boolean;
  readonly onAnswer: (text: string | undefined) => void;
  readonly onInterrupt: () => void;
}) {
  const { symbols } = useTheme();
  const [value, setValue] = useState("");
  useKeys((input, key) => {
    const interrupted = key.ctrl && input === "c";
    if (key.escape || interrupted) onAnswer(undefined);
    if (interrupted) onInterrupt();
  });
  return (
    <Box flexDirection="column">
      <Text wrap="wrap">
        <Text bold>{symbols.pointer} </Text>
        {text}
      </Text>
      <TextInput value={value} onChange={setValue} onSubmit={onAnswer} mask={mask} isActive />
      <Text wrap="truncate">
        <Text bold>enter</Text> take <Text bold>esc</Text> none
      </Text>
    </Box>
  );
}
