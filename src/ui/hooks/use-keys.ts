import { type Key, useInput } from "ink";
import { useCallback, useRef } from "react";

/**
 * Hears keys with what the newest render knows. Ink's own hook subscribes anew after every render, a moment after it is
 * painted: a key in that moment would meet what the screen showed before.
 * @param active false: keys pass by
 */
export function useKeys(handler: (input: string, key: Key) => void, active = true): void {
  const latest = useRef(handler);
  const listening = useRef(active);
  latest.current = handler;
  listening.current = active;
  useInput(
    useCallback((input: string, key: Key) => {
      if (listening.current) latest.current(input, key);
    }, []),
  );
}
