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
  if (flags["no-color"] === true || (env.NO_COLOR ?? "") !== "" || ["0", "false"].includes(env.FORCE_COLOR ?? ""))
    return false;
  if ((env.FORCE_COLOR ?? "") !== "") return true;
  return stream.isTTY === true && env.TERM !== "dumb";
}

/**
 * Whether the terminal is likely to draw more than ASCII: by the locale, as POSIX orders its variables, and on Windows
 * by the terminals that are known to.
 */
export function wantsUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  if ((env.EDGE_SETUP_ASCII ?? "") !== "") return false;
  if (platform === "win32") return env.WT_SESSION !== undefined || env.TERM_PROGRAM === "vscode";
  if (env.TERM === "linux") return false;
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== "");
  return locale !== undefined && /utf-?8/i.test(locale);
}
