import { Text } from "ink";
import { useRef, useState } from "react";
import { useKeys } from "../hooks/use-keys.js";
import { cleanLine } from "../sanitize.js";
import { editText, type TextState } from "../text-edit.js";

export interface TextInputProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onSubmit?: (value: string) => void;
  /** Shows a star for each character. */
  readonly mask?: boolean;
  readonly placeholder?: string;
  readonly isActive: boolean;
}

/** A line to type into. What is typed belongs to the caller. */
export function TextInput({ value, onChange, onSubmit, mask = false, placeholder = "", isActive }: TextInputProps) {
  // Several characters may come before React renders again: the newest state is kept beside it.
  const [, redraw] = useState(0);
  const state = useRef<TextState>({ text: value, cursor: value.length });
  if (state.current.text !== value) state.current = { text: value, cursor: value.length };
  useKeys((input, key) => {
    if (key.return) {
      onSubmit?.(state.current.text);
      return;
    }
    const next = editText(state.current, cleanLine(input), key);
    if (next === undefined) return;
    const moved = next.text === state.current.text;
    state.current = next;
    if (moved) redraw((count) => count + 1);
    else onChange(next.text);
  }, isActive);
  const shown = mask ? "*".repeat(value.length) : value;
  if (!isActive) return <Text wrap="truncate">{shown === "" ? placeholder : shown}</Text>;
  const cursor = Math.min(state.current.cursor, shown.length);
  if (shown === "") {
    return (
      <Text wrap="truncate">
        <Text inverse>{placeholder.slice(0, 1) || " "}</Text>
        {placeholder.slice(1)}
      </Text>
    );
  }
  return (
    <Text wrap="truncate">
      {shown.slice(0, cursor)}
      <Text inverse>{shown.slice(cursor, cursor + 1) || " "}</Text>
      {shown.slice(cursor + 1)}
    </Text>
  );
}
