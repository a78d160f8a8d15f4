import { join, resolve } from "node:path";
import { defaultCacheDir, fetchSource } from "../build/fetch.js";
import { sourceWords } from "../build/resolver.js";
import { loadLock, neededSources, profileFor } from "../build/sources.js";
import { InputError } from "../util/errors.js";
import { packageRoot } from "../util/package-root.js";
import type { Flags } from "./options.js";

/**
 * The profile whose sources can be had from here: upstream's, else Debian's, which is said aloud. Only `try` chooses;
 * `apply` never changes a profile by itself.
 * @throws InputError when neither can be had
 */
export async function sourcesAtHand(
  flags: Flags,
  release: string,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<"upstream" | "debian"> {
  const lock = await loadLock(join(packageRoot(), "nginx-build", "sources.lock.json"));
  const options = {
    cacheDir: defaultCacheDir(process.env),
    sourceDirs: flags["source-dir"] === undefined ? [] : [resolve(flags["source-dir"])],
    signal,
    onWarning: say,
  };
  const fetchAll = async (profile: "upstream" | "debian"): Promise<void> => {
    for (const entry of neededSources(lock, profileFor(lock, profile, release))) {
      const words = sourceWords(entry, await fetchSource(entry, options));
      if (words.level === "warning") say(words.text);
    }
  };
  try {
    await fetchAll("upstream");
    return "upstream";
  } catch (error) {
    if (!(error instanceof InputError) || error.code !== "E_SOURCE_UNREACHABLE") throw error;
    say(error.message);
  }
  say("Upstream's sources cannot be had from here: this try compiles Debian's instead (without VTS).");
  await fetchAll("debian");
  return "debian";
}
