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
  /** conf, or a place that forgets. */
  readonly #place: { store: Kept };

  private constructor(place: { store: Kept }) {
    this.#place = place;
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
        rootSchema: { additionalProperties: false },
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
        return new Preferences(conf);
      } catch (error) {
        if (attempt === 2 || !isDamage(error) || !setAside(file, error, warn))
          return Preferences.#forgetful(folder, error, warn);
      }
    }
    return new Preferences({ store: NOTHING });
  }

  static #forgetful(folder: string, error: unknown, warn: (text: string) => void): Preferences {
    warn(`Preferences in ${folder} cannot be kept: ${messageOf(error)}`);
    return new Preferences({ store: NOTHING });
  }

  get kept(): Kept {
    return this.#place.store;
  }

  /** Changes what is on the disk now: another run may have written meanwhile. A disk that refuses is told by `warn`. */
  update(change: (kept: Kept) => Kept, warn: (text: string) => void): void {
    try {
      this.#place.store = change(this.#place.store);
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

/** Bad JSON, or a shape that is not ours; a file that merely cannot be read is left where it is. */
function isDamage(error: unknown): boolean {
  return (
    error instanceof SyntaxError || (error instanceof Error && error.message.startsWith("Config schema violation"))
  );
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
