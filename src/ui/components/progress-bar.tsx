import { Text } from "ink";
import { useTheme } from "../theme.js";

/** @param fraction 0 to 1 */
export function ProgressBar({ fraction, width }: { readonly fraction: number; readonly width: number }) {
  const { symbols } = useTheme();
  const full = Math.round(Math.max(0, Math.min(1, fraction)) * width);
  return (
    <Text>
      <Text color="cyan">{symbols.bar.full.repeat(full)}</Text>
      {symbols.bar.empty.repeat(width - full)}
    </Text>
  );
}
