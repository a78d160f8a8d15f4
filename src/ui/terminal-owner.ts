/** Ink and Enquirer both own stdin while they run; together they end the process without a word. */
let owner: "ink" | "enquirer" | undefined;

/** @throws Error when another owner has the terminal: a bug */
export function takeTerminal(next: "ink" | "enquirer"): void {
  if (owner !== undefined) throw new Error(`${next} cannot have the terminal, ${owner} has it`);
  owner = next;
}

export function leaveTerminal(): void {
  owner = undefined;
}

/**
 * Runs a prompt of Enquirer's. It needs stdin referenced, which Ink leaves unreferenced: the process would end at once.
 * @throws Error when another owner has the terminal: a bug
 */
export async function withEnquirer<T>(prompt: () => Promise<T>): Promise<T> {
  takeTerminal("enquirer");
  process.stdin.ref?.();
  try {
    return await prompt();
  } finally {
    leaveTerminal();
  }
}
