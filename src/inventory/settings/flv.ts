import type { Clash } from "./combinations.js";
import type { SettingValues } from "./parse.js";
import type { Setting } from "./types.js";

export const flvSettings = [
  {
    name: "http_flv",
    type: { kind: "bool" },
    default: false,
    directive: "flv_live, gop_cache",
    doc: "Streams also as HTTP-FLV, `http://HOST/live/STREAM.flv`: about a second behind, for players such as mpegts.js, VLC and ffmpeg. Each viewer is fed by the RTMP unit's one process, and nothing of it can be cached, so HLS stays the way for many. After a reload of that unit who comes anew sees a stream once its publisher has connected again.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];

export function flvClashes(values: SettingValues): Clash[] {
  const { http_flv, rtmp_module, nginx_sources, hls_signed, rtmp_play, rtmp_idle_streams } = values;
  const clashes: Clash[] = [];
  if (rtmp_module === "http-flv" && nginx_sources !== "upstream")
    clashes.push({
      names: ["rtmp_module", "nginx_sources"],
      message: `rtmp_module http-flv needs nginx_sources upstream: ${nginx_sources} has no source of that module`,
      hint: "write nginx_sources: upstream, or remove rtmp_module",
    });
  if (http_flv && rtmp_module !== "http-flv")
    clashes.push({
      names: ["http_flv", "rtmp_module"],
      message: `http_flv needs rtmp_module http-flv: module ${rtmp_module} has no HTTP-FLV`,
      hint: "write rtmp_module: http-flv, or remove http_flv",
    });
  if (http_flv && hls_signed)
    clashes.push({
      names: ["http_flv", "hls_signed"],
      message: "http_flv lets everybody watch over HTTP-FLV what hls_signed keeps for those with a signed address",
      hint: "remove one of them",
    });
  if (http_flv && rtmp_play && rtmp_idle_streams)
    clashes.push({
      names: ["http_flv", "rtmp_idle_streams"],
      message: "rtmp_idle_streams keeps viewers of streams that nobody publishes, and a browser's would never be told",
      hint: "remove one of them",
    });
  return clashes;
}
