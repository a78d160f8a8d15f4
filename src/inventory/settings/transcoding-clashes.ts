import type { Clash } from "./combinations.js";
import type { SettingValues } from "./parse.js";
import { builtInProfiles } from "./transcoding.js";

/** Settings of live transcoding that are each right and cannot work together. */
export function transcodingClashes(values: SettingValues): Clash[] {
  if (!values.transcoding) return [];
  return [...profileClashes(values), ...otherClashes(values)];
}

function profileClashes({ transcoding_profiles: names, transcoding_custom_profiles: custom }: SettingValues): Clash[] {
  const clashes: Clash[] = [];
  if (names.length === 0)
    clashes.push({
      names: ["transcoding_profiles"],
      message: "transcoding_profiles is empty: there is no rendition to make",
      hint: "name some, or write transcoding: false",
    });
  const unknown = names.find(
    (name) => name !== "native" && builtInProfiles[name] === undefined && custom[name] === undefined,
  );
  if (unknown !== undefined)
    clashes.push({
      names: ["transcoding_profiles", "transcoding_custom_profiles"],
      message: `transcoding_profiles names ${unknown}, which is none of ${[...Object.keys(builtInProfiles), "native"].join(", ")}`,
      hint: `define it: transcoding_custom_profiles: {${unknown}: {height: 576, video_bitrate: 1200}}`,
    });
  const idle = Object.keys(custom).find((name) => !names.includes(name));
  if (idle !== undefined)
    clashes.push({
      names: ["transcoding_custom_profiles", "transcoding_profiles"],
      message: `transcoding_custom_profiles defines ${idle}, which transcoding_profiles does not name`,
      hint: `write transcoding_profiles: [${[...names, idle].join(", ")}], or remove it`,
    });
  return clashes;
}

function otherClashes(values: SettingValues): Clash[] {
  const clashes: Clash[] = [];
  if (values.hls_keys)
    clashes.push({
      names: ["transcoding", "hls_keys"],
      message: "the renditions of transcoding are not encrypted, so hls_keys would protect nothing",
      hint: "remove one of them",
    });
  if (values.hls_type === "event")
    clashes.push({
      names: ["transcoding", "hls_type"],
      message:
        "the renditions of transcoding have the window of hls_playlist_length, so an event would not begin at its beginning",
      hint: "remove one of them",
    });
  if (!values.rtmp_wait_key)
    clashes.push({
      names: ["rtmp_wait_key", "transcoding"],
      message:
        "with rtmp_wait_key off the encoder begins between two key frames, and renditions would not be cut alike",
      hint: "remove rtmp_wait_key",
    });
  if (values.transcoding_preset !== "auto" && !["auto", "libx264"].includes(values.transcoding_encoder))
    clashes.push({
      names: ["transcoding_preset", "transcoding_encoder"],
      message: `transcoding_preset is libx264's, and has no effect with ${values.transcoding_encoder}`,
      hint: "remove one of them",
    });
  if (values.transcoding_streams > values.hls_streams)
    clashes.push({
      names: ["transcoding_streams", "hls_streams"],
      message: `transcoding_streams ${values.transcoding_streams} is more than hls_streams ${values.hls_streams}`,
      hint: `write hls_streams: ${values.transcoding_streams}, or fewer transcoding_streams`,
    });
  return clashes;
}
