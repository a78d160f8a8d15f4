import type { HostChoice } from "./types.js";

/** What stands for this very machine and for a throw-away host among the hosts of a flag. */
export const LOCAL = "local";
export const THROW_AWAY = "throw-away";

const HOST = /^(?:([A-Za-z_][A-Za-z0-9_.-]*)@)?([A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/;

/** `[user@]host[:port]`, `local`, or `throw-away`; undefined for anything else. */
export function parseHostWord(word: string): HostChoice | undefined {
  if (word === LOCAL) return { kind: "local", name: LOCAL };
  if (word === THROW_AWAY) return { kind: "throw-away", name: THROW_AWAY };
  const [, user, address = "", portText] = HOST.exec(word) ?? [];
  if (address === "") return undefined;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return {
    kind: "ssh",
    name: address.replace(/^\[|\]$/g, ""),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  };
}

/** The word that parseHostWord reads back. A name with another address is an alias that ssh_config or edges.yml knows. */
export function hostWord(host: HostChoice): string {
  if (host.kind === "local") return LOCAL;
  if (host.kind === "throw-away") return THROW_AWAY;
  const address = host.address ?? host.name;
  const user = host.user === undefined ? "" : `${host.user}@`;
  const port = host.port === undefined ? "" : `:${host.port}`;
  return `${user}${address.includes(":") ? `[${address}]` : address}${port}`;
}

/** Comma-separated words. Problems are in words, for the field or the flag. */
export function parseHostWords(text: string): { readonly hosts: readonly HostChoice[] } | { readonly problem: string } {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const hosts: HostChoice[] = [];
  for (const word of words) {
    const host = parseHostWord(word);
    if (host === undefined) return { problem: `"${word}" is not a host: write [user@]host[:port]` };
    if (!hosts.some((one) => one.name === host.name)) hosts.push(host);
  }
  if (hosts.length === 0) return { problem: "at least one host is needed" };
  if (hosts.length > 1 && hosts.some((host) => host.kind === "throw-away")) {
    return { problem: "a throw-away host comes alone" };
  }
  return { hosts };
}
