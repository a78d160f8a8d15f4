import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { Script } from "node:vm";
import { cacheDir } from "../build/cache-dir.js";

/** Compiles itself: a script of a cache cannot `import()` (scripts/common-js.mjs). */
const IMPORTER = "import.js";
const HASH_BYTES = 32;

/** A chunk as it was when its code was kept; names of chunks are hashes of what is in them. */
interface Kept {
  readonly size: number;
  readonly modified: number;
  readonly from: number;
  readonly to: number;
}

interface Loader {
  require(id: string): unknown;
  exports: unknown;
}

interface Loading {
  _extensions: Record<string, (module: Loader, file: string) => void>;
  readonly wrapper: readonly [string, string];
}

/**
 * Keeps what V8 makes of the program's chunks from one run to the next: to compile them anew is a fifth of a run that changes
 * nothing. One file for each command, in the user's cache; whatever is wrong with it, chunks are compiled as they would be.
 * @param chunks the folder of the built program's chunks; sources have none
 * @param command a word that is part of the file's name
 */
export function keepCompiledCode(chunks: string, command: string, env: NodeJS.ProcessEnv): void {
  const loading = Module as unknown as Loading;
  const compile = loading._extensions[".js"];
  const folder = folderOf(env);
  if (compile === undefined || folder === undefined) return;
  const file = join(folder, `${command}-${process.version}-${process.arch}`);
  const kept = readKept(folder, file);
  const scripts = new Map<string, { readonly script: Script; readonly size: number; readonly modified: number }>();
  let isNew = false;
  loading._extensions[".js"] = (module, path) => {
    if (dirname(path) !== chunks || path.endsWith(IMPORTER)) return compile(module, path);
    const { size, mtimeMs: modified } = statSync(path);
    const name = path.slice(chunks.length + 1);
    const one = kept?.index[name];
    const isSame = one !== undefined && one.size === size && one.modified === modified;
    const [before, after] = loading.wrapper;
    const script = new Script(before + readFileSync(path, "utf8") + after, {
      ...{ filename: path, columnOffset: -before.length },
      ...(isSame ? { cachedData: kept?.code.subarray(one.from, one.to) } : {}),
    });
    if (!isSame || script.cachedDataRejected) isNew = true;
    scripts.set(name, { script, size, modified });
    const require = (id: string) => module.require(id);
    script.runInThisContext().call(module.exports, module.exports, require, module, path, chunks);
  };
  process.once("exit", (code) => {
    if (!isNew || code !== 0) return;
    const index: Record<string, Kept> = {};
    const parts: Buffer[] = [];
    let from = 0;
    for (const [name, { script, size, modified }] of scripts) {
      // Functions that this run has called are in it, too.
      const data = script.createCachedData();
      index[name] = { size, modified, from, to: from + data.length };
      parts.push(data);
      from += data.length;
    }
    write(folder, file, index, Buffer.concat(parts));
  });
}

/** Undefined for a user without a home. */
function folderOf(env: NodeJS.ProcessEnv): string | undefined {
  try {
    const folder = cacheDir(env, "code");
    return isAbsolute(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where nothing is kept, where others could have written it, or where it is not what was written. */
function readKept(folder: string, file: string): { index: Record<string, Kept>; code: Buffer } | undefined {
  try {
    const { uid, mode } = statSync(folder);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const all = readFileSync(file);
    const rest = all.subarray(HASH_BYTES);
    if (!digest(rest).equals(all.subarray(0, HASH_BYTES))) return undefined;
    const end = rest.indexOf("\n");
    return { index: JSON.parse(rest.toString("utf8", 0, end)), code: rest.subarray(end + 1) };
  } catch {
    return undefined;
  }
}

function write(folder: string, file: string, index: Record<string, Kept>, code: Buffer): void {
  const rest = Buffer.concat([Buffer.from(`${JSON.stringify(index)}\n`), code]);
  const scratch = `${file}.${process.pid}`;
  try {
    // Each by itself: a recursive one never ends where the kernel makes no directories (/proc).
    for (const one of [dirname(dirname(folder)), dirname(folder), folder]) {
      if (!existsSync(one)) mkdirSync(one, { mode: 0o700 });
    }
  } catch {
    // A home that is not there, or not to be written to: the next run compiles, too.
    return;
  }
  try {
    writeFileSync(scratch, Buffer.concat([digest(rest), rest]), { mode: 0o600 });
    renameSync(scratch, file);
  } catch {
    // A full disk keeps nothing, and no half of it.
    rmSync(scratch, { force: true });
  }
}

const digest = (data: Buffer) => createHash("sha256").update(data).digest();
