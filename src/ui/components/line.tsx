import { Text } from "ink";
import type { ReactNode } from "react";

/** One row: whatever is too long is cut, so that heights can be counted. */
export function Line({ children, color }: { readonly children: ReactNode; readonly color?: string }) {
  return (
    <Text wrap="truncate" {...(color === undefined ? {} : { color })}>
      {children}
    </Text>
  );
}
