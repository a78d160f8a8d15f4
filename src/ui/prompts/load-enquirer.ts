/**
 * Enquirer, without colours where NO_COLOR says so: what it paints with reads FORCE_COLOR alone, when it is loaded.
 * Only for that long, as Node warns on stderr where both are set.
 */
export async function loadEnquirer(env: NodeJS.ProcessEnv = process.env) {
  const before = env.FORCE_COLOR;
  if ((env.NO_COLOR ?? "") !== "") env.FORCE_COLOR = "0";
  try {
    return (await import("enquirer")).default;
  } finally {
    if (before === undefined) delete env.FORCE_COLOR;
    else env.FORCE_COLOR = before;
  }
}
