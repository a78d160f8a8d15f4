import { mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { DurationTable } from "./durations.js";

/** A host that was set up from here; how to reach it, and nothing secret. */
export interface RecentHost {
  readonly name: string;
  readonly address?: string;
  readonly port?: number;
  readonly user?: string;
}

/** All that is kept between runs. */
export interface Kept {
  readonly recentHosts: readonly RecentHost[];
  readonly recentInventories: readonly string[];
  readonly durations: DurationTable;
}

const MAX_HOSTS = 20;
const MAX_INVENTORIES = 10;
const NOTHING: Kept = { recentHosts: [], recentInventories: [], durations: {} };

const text = { type: "string", maxLength: 300 } as const;

/** What may be in the file: a password has no place in it. */
const schema = {
  recentHosts: {
    type: "array",
    maxItems: MAX_HOSTS,
    items: {
      type: "object",
      additionalProperties: false,
      required: ["name"],
      properties: { name: text, address: text, port: { type: "integer" }, user: text },
    },
  },
  recentInventories: { type: "array", maxItems: MAX_INVENTORIES, items: text },
  durations: {
    type: "object",
    additionalProperties: { type: "object", additionalProperties: { type: "number", minimum: 0 } },
  },
} as const;

/** `$XDG_CONFIG_HOME/edge-setup`. https://specifications.freedesktop.org/basedir-spec: a relative path counts as unset. */
export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base?.startsWith("/") ? base : join(homedir(), ".config"), "edge-setup");
}

/** Preferences on the disk. Whatever is wrong with them costs memories, never a run. */
export class Preferences {
  #kept: Kept;
  readonly #write: (kept: Kept) => void;

  private constructor(kept: Kept, write: (kept: Kept) => void) {
    this.#kept = kept;
    this.#write = write;
  }

  /**
   * Reads them. A damaged file is named, set aside and survived; a folder that cannot be written to is said once.
   * @param folder made with mode 0700 where it is missing
   */
  static async open(folder: string, warn: (text: string) => void): Promise<Preferences> {
    const file = join(folder, "config.json");
    const { default: Conf } = await import("conf");
    const make = () =>
      new Conf<Kept>({
        cwd: folder,
        configName: "config",
        // Whose durations these are may be nobody's business.
        configFileMode: 0o600,
        clearInvalidConfig: false,
        schema: schema as never,
        defaults: NOTHING,
      });
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      return Preferences.#forgetful(folder, error, warn);
    }
    for (const attempt of [1, 2]) {
      try {
        const conf = make();
        return new Preferences(conf.store, (kept) => {
          conf.store = kept;
        });
      } catch (error) {
        if (attempt === 2 || !setAside(file, error, warn)) return Preferences.#forgetful(folder, error, warn);
      }
    }
    return new Preferences(NOTHING, () => undefined);
  }

  static #forgetful(folder: string, error: unknown, warn: (text: string) => void): Preferences {
    warn(`Preferences in ${folder} cannot be kept: ${messageOf(error)}`);
    return new Preferences(NOTHING, () => undefined);
  }

  get kept(): Kept {
    return this.#kept;
  }

  /** Changes what is kept; a disk that refuses is told by `warn`. */
  update(change: (kept: Kept) => Kept, warn: (text: string) => void): void {
    this.#kept = change(this.#kept);
    try {
      this.#write(this.#kept);
    } catch (error) {
      warn(`Preferences cannot be kept: ${messageOf(error)}`);
    }
  }
}

/** The hosts and the inventory of a run, newest first. */
export function withRecent(kept: Kept, hosts: readonly RecentHost[], inventory: string): Kept {
  const names = new Set(hosts.map((host) => host.name));
  return {
    ...kept,
    recentHosts: [...hosts, ...kept.recentHosts.filter((host) => !names.has(host.name))].slice(0, MAX_HOSTS),
    recentInventories: [inventory, ...kept.recentInventories.filter((file) => file !== inventory)].slice(
      0,
      MAX_INVENTORIES,
    ),
  };
}

function setAside(file: string, error: unknown, warn: (text: string) => void): boolean {
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
  try {
    renameSync(file, aside);
  } catch {
    return false;
  }
  warn(`${file} is damaged (${messageOf(error)}). It is kept as ${aside}; preferences begin anew.`);
  return true;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}
