import { type RefObject, useCallback, useRef, useState } from "react";

/**
 * State whose newest value can be read between two renders: two keys may come before React has rendered the first, and
 * the second must not undo it.
 */
export function useLatest<T>(initial: T): [T, (next: T) => void, RefObject<T>] {
  const [value, setValue] = useState(initial);
  const latest = useRef(initial);
  const set = useCallback((next: T) => {
    latest.current = next;
    setValue(() => next);
  }, []);
  return [value, set, latest];
}
