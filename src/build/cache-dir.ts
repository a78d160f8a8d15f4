import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * `$XDG_CACHE_HOME/edge-setup/NAME`, by default under ~/.cache. A relative XDG_CACHE_HOME is ignored, as its specification says.
 */
export function cacheDir(env: NodeJS.ProcessEnv, name: "sources" | "artifacts" | "code"): string {
  const base = env.XDG_CACHE_HOME;
  const root = base !== undefined && isAbsolute(base) ? base : join(env.HOME ?? homedir(), ".cache");
  return join(root, "edge-setup", name);
}
