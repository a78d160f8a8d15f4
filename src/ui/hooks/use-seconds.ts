import { useEffect, useState } from "react";

/** Whole seconds since something began to run; 0 while nothing does, without a timer. */
export function useSeconds(running: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!running) return;
    setSeconds(0);
    const timer = setInterval(() => setSeconds((old) => old + 1), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return running ? seconds : 0;
}
