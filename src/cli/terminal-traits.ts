import type { Flags } from "./options.js";

/**
 * Whether questions and progress come as plain lines: for screen readers and for terminals that cannot move a cursor.
 * CI systems that offer a terminal are not watched by anybody.
 */
export function linearWanted(flags: Flags, env: NodeJS.ProcessEnv = process.env): boolean {
  const set = (name: string): boolean => !["", "0", "false"].includes(env[name] ?? "");
  if (flags.accessible === true || env.TERM === "dumb") return true;
  return set("EDGE_SETUP_ACCESSIBLE") || set("INK_SCREEN_READER") || set("CI");
}

/**
 * Whether to colour. https://no-color.org: any non-empty NO_COLOR turns colours off; FORCE_COLOR, as Node reads it,
 * turns them on where a stream is no terminal.
 */
export function colourWanted(
  flags: Flags,
  stream: { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (flags["no-color"] === true || (env.NO_COLOR ?? "") !== "" || env.FORCE_COLOR === "0") return false;
  if ((env.FORCE_COLOR ?? "") !== "") return true;
  return stream.isTTY === true && env.TERM !== "dumb";
}
