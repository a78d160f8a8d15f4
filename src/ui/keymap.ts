import type { KeyBinding, Screen } from "./key-binding.js";
import { runKeys } from "./run/keys.js";
import { watchKeys } from "./watch/keys.js";
import { wizardKeys } from "./wizard/keys.js";

/** Every key there is, by screen. */
export const keyTable: readonly KeyBinding[] = [...wizardKeys, ...runKeys, ...watchKeys];

/** The part of Ink's key that bindings look at. */
export interface PressedKey {
  readonly upArrow?: boolean;
  readonly downArrow?: boolean;
  readonly leftArrow?: boolean;
  readonly rightArrow?: boolean;
  readonly pageUp?: boolean;
  readonly pageDown?: boolean;
  readonly home?: boolean;
  readonly end?: boolean;
  readonly return?: boolean;
  readonly escape?: boolean;
  readonly tab?: boolean;
  readonly shift?: boolean;
  readonly ctrl?: boolean;
}

const named = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "pageUp"],
  ["pageDown", "pageDown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "esc"],
] as const;

/** The name of a key as the table writes it. */
export function keyName(input: string, key: PressedKey): string {
  if (key.tab === true) return key.shift === true ? "shift-tab" : "tab";
  for (const [property, name] of named) if (key[property] === true) return name;
  if (key.ctrl === true) return `ctrl-${input}`;
  return input === " " ? "space" : input;
}

/** What a key means on a screen, or undefined. */
export function commandFor(screen: Screen, input: string, key: PressedKey): string | undefined {
  const name = keyName(input, key);
  return keyTable.find((binding) => binding.screen === screen && binding.keys.includes(name))?.command;
}

export function keysOf(screen: Screen): readonly KeyBinding[] {
  return keyTable.filter((binding) => binding.screen === screen);
}

const titles: Record<Screen, string> = {
  wizard: "The wizard (`edge-setup`)",
  run: "The run view (`edge-setup apply`, `try`)",
  watch: "The dashboard (`edge-setup watch`)",
};

/** docs/keys.md. */
export function keysPage(): string {
  const sections = (Object.keys(titles) as Screen[]).flatMap((screen) => [
    `## ${titles[screen]}`,
    "",
    "| keys | what they do |",
    "|---|---|",
    ...keysOf(screen).map(({ keys, help }) => `| ${keys.map((key) => `\`${key}\``).join(" ")} | ${help} |`),
    "",
  ]);
  return ["# Keys", "", "Made by `npm run docs` from the tables in `src/ui`; edit those.", "", ...sections].join("\n");
}
