import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

export interface DirectoryEntry {
  readonly name: string;
  readonly directory: boolean;
}

/** How inventory reads files. Tests give their own. */
export interface Readers {
  /** @throws an error with Node's `code` (ENOENT, EACCES, EISDIR) */
  readText(path: string): Promise<string>;
  /** Undefined when there is no such directory. */
  list(path: string): Promise<readonly DirectoryEntry[] | undefined>;
}

export const fileReaders: Readers = {
  readText: (path) => readFile(path, "utf8"),
  async list(path) {
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return await Promise.all(
        entries.map(async (entry) => ({
          name: entry.name,
          directory: entry.isSymbolicLink() ? await isDirectory(join(path, entry.name)) : entry.isDirectory(),
        })),
      );
    } catch (error) {
      if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
      throw error;
    }
  },
};

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // A link to nowhere: reading it will say so.
    return false;
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Why a file cannot be read, in words. */
export function readProblem(error: unknown): string {
  if (hasCode(error, "ENOENT")) return "there is no such file";
  if (hasCode(error, "EACCES")) return "permission is denied";
  if (hasCode(error, "EISDIR")) return "it is a directory";
  return error instanceof Error ? error.message : String(error);
}
