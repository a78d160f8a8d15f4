import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { TaskError } from "../util/errors.js";
import { readArchive } from "./archive.js";
import { boundCache } from "./bounded.js";
import { partName, removeStaleParts } from "./download.js";
import { withFileLock } from "./file-lock.js";

/** What is written beside the archive of a build: its manifest, and the archive's hash and size. */
type Description = { readonly [key: string]: unknown };

export interface ArtifactCacheOptions {
  readonly directory: string;
  /** A damaged archive that was set aside. */
  readonly onWarning: (text: string) => void;
}

const ARCHIVE = ".tar.gz";
const DESCRIPTION = ".json";
const ID = /^[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}$/;
const MAX_ARCHIVE = 32 * 1024 * 1024;
const MAX_DESCRIPTION = 64 * 1024;
/** Of one line, and of what a host is. */
const SYSTEM = /^[a-z]{1,20} [a-z]{1,20}$/;
const USERLAND = /^[a-z0-9]{1,20}\/[a-z0-9-]{1,20}$/;
const NEEDED = ["./.complete", "./manifest.json", "./sbin/nginx"];

/**
 * Builds that hosts compiled, by their name, which is a hash of all that goes into them: NAME.tar.gz, and NAME.json beside it. What
 * is there is whole: a description appears after its archive, and goes before it. Several runs may use one directory at once.
 */
export class ArtifactCache {
  readonly #directory: string;
  readonly #warn: (text: string) => void;
  /** Archives that were verified, by what they looked like then. */
  readonly #verified = new Map<string, string>();
  /** Builds whose description has come, and waits for its archive. */
  readonly #announced = new Map<string, Description>();

  #grown = false;

  constructor({ directory, onWarning }: ArtifactCacheOptions) {
    this.#directory = resolve(directory);
    this.#warn = onWarning;
  }

  /** Whether a path is one of the cache's builds. */
  owns(path: string): boolean {
    return dirname(resolve(path)) === this.#directory && setOf(basename(path)) !== undefined;
  }

  /** Whether the build of one of its files is there: the archive is compared with its hash. A damaged one is set aside. */
  has(path: string): boolean {
    const id = this.#idOf(path);
    const archive = this.#path(id, ARCHIVE);
    const described = this.#path(id, DESCRIPTION);
    const stamp = stampOf(archive);
    const before = textOf(described);
    if (stamp === undefined || before === undefined) return false;
    if (this.#verified.get(archive) === stamp) return true;
    const bytes = bytesOf(archive);
    if (bytes === undefined) return false;
    const expected = descriptionOf(before)?.sha256;
    const actual = createHash("sha256").update(bytes).digest("hex");
    if (actual === expected) {
      this.#verified.set(archive, stamp);
      touch(described);
      return true;
    }
    // Another run may be putting another pair in its place.
    const aside = withFileLock(this.#path(id, ".lock"), () =>
      textOf(described) === before ? setAside(archive, described) : undefined,
    );
    if (aside !== undefined) {
      const sums = `SHA-256 ${actual}, expected ${String(expected)}`;
      this.#warn(`${archive} is damaged (${sums}); moved to ${aside}, and the build is made anew`);
    }
    return false;
  }

  /**
   * Takes a file that a host sent, the description first and then the archive: both are checked for what they are. What another
   * run has put there meanwhile stays.
   * @param part where it is now; it is gone afterwards
   * @param path the name that it is to have
   * @throws TaskError E_ARTIFACT for a file that is not what its name says
   */
  accept(part: string, path: string): void {
    const id = this.#idOf(path);
    try {
      if (path.endsWith(DESCRIPTION)) this.#announce(part, id);
      else this.#take(part, id);
    } finally {
      rmSync(part, { force: true });
    }
  }

  #announce(part: string, id: string): void {
    const description = announcement(part, id);
    this.#announced.set(id, description);
    if (this.has(this.#path(id, DESCRIPTION))) return;
    mkdirSync(this.#directory, { recursive: true });
    withFileLock(this.#path(id, ".lock"), () => {
      // Beside an archive it would be another one's description: that of a run that is just done with it stays.
      const archive = this.#path(id, ARCHIVE);
      if (existsSync(archive) && existsSync(this.#path(id, DESCRIPTION))) return;
      rmSync(archive, { force: true });
      this.#write(id, description);
    });
  }

  #write(id: string, description: Description): void {
    const text = partName(this.#path(id, DESCRIPTION));
    writeFileSync(text, `${JSON.stringify(description, undefined, 2)}\n`);
    renameSync(text, this.#path(id, DESCRIPTION));
  }

  #take(part: string, id: string): void {
    try {
      this.#place(part, id);
    } catch (error) {
      if (stampOf(this.#path(id, ARCHIVE)) === undefined) rmSync(this.#path(id, DESCRIPTION), { force: true });
      throw error;
    }
  }

  #place(part: string, id: string): void {
    const description = this.#announced.get(id);
    if (description === undefined) throw wrong(id, "has come without its description");
    if (statSync(part).size > MAX_ARCHIVE) throw wrong(id, `is larger than ${MAX_ARCHIVE} bytes`);
    const content = readArchive(readFileSync(part));
    if (content.sha256 !== description.sha256 || content.size !== description.size) {
      throw wrong(id, `is another archive than its description says: SHA-256 is ${content.sha256}`);
    }
    const missing = NEEDED.filter((name) => !content.names.has(name));
    if (missing.length > 0) throw wrong(id, `lacks ${missing.join(", ")}`);
    const { sha256: _, size: __, ...manifest } = description;
    if (JSON.stringify(descriptionOf(content.manifest)) !== JSON.stringify(manifest)) {
      throw wrong(id, "holds another manifest than its description");
    }
    if (this.has(this.#path(id, ARCHIVE))) return;
    withFileLock(this.#path(id, ".lock"), () => {
      rmSync(this.#path(id, DESCRIPTION), { force: true });
      renameSync(part, this.#path(id, ARCHIVE));
      this.#write(id, description);
    });
    this.#grown = true;
  }

  /** Takes the builds of another directory of the same kind, such as a bundle's. @throws TaskError E_ARTIFACT as `accept` does */
  takeOver(directory: string): void {
    if (!existsSync(directory)) return;
    mkdirSync(this.#directory, { recursive: true });
    for (const name of readdirSync(directory).filter((one) => one.endsWith(ARCHIVE))) {
      const id = name.slice(0, -ARCHIVE.length);
      if (this.has(this.#path(id, ARCHIVE))) continue;
      for (const suffix of [DESCRIPTION, ARCHIVE]) {
        const part = partName(this.#path(id, suffix));
        copyFileSync(join(directory, id + suffix), part);
        this.accept(part, this.#path(id, suffix));
      }
    }
  }

  /** Keeps the directory within bounds, after builds have come. */
  async tidy(): Promise<void> {
    if (!this.#grown) return;
    await removeStaleParts(this.#directory);
    await boundCache(this.#directory, { setOf });
  }

  #idOf(path: string): string {
    const id = setOf(basename(path));
    if (!this.owns(path) || id === undefined) throw new TaskError("E_ARTIFACT", `${path} is no name of a build`);
    return id;
  }

  #path(id: string, suffix: string): string {
    return join(this.#directory, id + suffix);
  }
}

/** The build that a file of the cache belongs to. */
function setOf(name: string): string | undefined {
  const id = name.replace(/\.rejected$/, "").replace(/\.(tar\.gz|json)$/, "");
  return id !== name && ID.test(id) ? id : undefined;
}

function announcement(part: string, id: string): Description {
  const size = statSync(part).size;
  const description = size > MAX_DESCRIPTION ? undefined : descriptionOf(readFileSync(part, "utf8"));
  if (description === undefined) throw wrong(id, "has a description that is none");
  const { build, system, userland, sha256 } = description;
  const sound =
    typeof system === "string" &&
    SYSTEM.test(system) &&
    typeof userland === "string" &&
    USERLAND.test(userland) &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256);
  if (!sound) throw wrong(id, "has a description that does not say what it is for");
  // The name is a hash of all that goes into a build.
  if (build !== id) {
    throw wrong(id, "is described as another build");
  }
  return description;
}

function descriptionOf(text: string): Description | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Description) : undefined;
  } catch {
    return undefined;
  }
}

function wrong(id: string, problem: string): TaskError {
  return new TaskError("E_ARTIFACT", `the build ${id} ${problem}`, {
    hint: "The host that sent it cannot be trusted to compile for others: look at it, or name another one with build_on.",
  });
}

function setAside(archive: string, described: string): string {
  const aside = `${archive}.rejected`;
  rmSync(described, { force: true });
  renameSync(archive, aside);
  return aside;
}

function stampOf(path: string): string | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined ? undefined : `${info.size} ${info.mtimeMs} ${info.ino}`;
}

/** undefined when there is no such file, or none that could be a description. */
function textOf(path: string): string | undefined {
  const text = bytesOf(path)?.toString("utf8");
  return text === undefined || text.length > MAX_DESCRIPTION ? undefined : text;
}

/** undefined when there is no such file; another run may take it away at any time. */
function bytesOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** What was used last goes last. A cache that cannot be written to is read all the same. */
function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // read-only
  }
}
