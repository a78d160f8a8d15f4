import type { Clash } from "./combinations.js";
import type { SettingName } from "./index.js";
import { defaultValue, type SettingValues } from "./parse.js";
import { playerSettings } from "./player.js";

/** What the player's settings cannot do together, or without what they belong to. */
export function playerClashes(values: SettingValues): Clash[] {
  const given = playerSettings
    .filter((setting) => setting.name !== "player" && values[setting.name] !== defaultValue(setting))
    .map(({ name }) => name);
  if (!values.player) return given.map((name) => idle(name, "player", "remove player: false"));
  const clashes: Clash[] = [];
  if (values.player_watermark_source === undefined)
    for (const name of given.filter((one) => /^player_watermark_(position|link)$/.test(one)))
      clashes.push(idle(name, "player_watermark_source", "give the picture's address"));
  if (values.player_stream_list && values.hls_signed)
    clashes.push({
      names: ["player_stream_list", "hls_signed"],
      message:
        "player_stream_list tells everybody what is live, which hls_signed keeps for those with a signed address",
      hint: "remove one of them",
    });
  return clashes;
}

function idle(name: SettingName, needs: SettingName, remedy: string): Clash {
  return {
    names: [name, needs],
    message: `${name} has no effect without ${needs}`,
    hint: `${remedy}, or remove ${name}`,
  };
}
