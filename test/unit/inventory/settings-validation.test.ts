import t from "tap";
import { loadInventory } from "../../../src/inventory/load-inventory.js";
import { resolveSettings } from "../../../src/inventory/settings/resolve.js";
import { validateAllSettings, validateSettings } from "../../../src/inventory/settings/validate.js";
import { Secret } from "../../../src/util/secret.js";
import { lines, memoryReaders } from "./fixtures/helpers.js";

/** An inventory of one host whose variables are these lines, the first in line 4 and column 5. */
async function hostWith(variables: string) {
  const text = `edges:\n  hosts: { pi: }\n  vars:\n${variables.replaceAll(/^/gm, "    ")}\n`;
  const inventory = await loadInventory("e.yml", { readers: memoryReaders({ "e.yml": text }) });
  const [host] = inventory.hosts;
  if (host === undefined) throw new Error("no host");
  return host;
}

/** Variables, and what is said about them: `line:column: message (hint)`. */
const bad: readonly (readonly [string, ...string[]])[] = [
  [
    "hls_fragment: 2x",
    '4:19: hls_fragment is "2x", not a time from 500ms to 1m (write a time such as 2s, 500ms, 3m, 1h or 60 (seconds))',
  ],
  [
    "hls_fragment: 2S",
    '4:19: hls_fragment is "2S", not a time from 500ms to 1m (write a time such as 2s, 500ms, 3m, 1h or 60 (seconds))',
  ],
  [
    "hls_fragment: 1.5s",
    '4:19: hls_fragment is "1.5s", not a time from 500ms to 1m (nginx reads whole numbers only: write 1500ms for 1.5s, 1536k for 1.5M)',
  ],
  [
    "hls_fragment:",
    "4:18: hls_fragment is empty, not a time from 500ms to 1m (write a time such as 2s, 500ms, 3m, 1h or 60 (seconds))",
  ],
  [
    "hls_fragment: 2h",
    "4:19: hls_fragment is 2h, outside 500ms to 1m (Length of a segment. It is cut at the first key frame after this time, so set the publisher's key-frame interval to the same value; a shorter one than that changes nothing. Viewers are two segments and a little more behind (docs/performance.md).)",
  ],
  [
    "rtmp_max_message: 1T",
    '4:23: rtmp_max_message is "1T", not a size from 64k to 64M (write a size such as 512k, 1M or 4096 (bytes))',
  ],
  [
    "rtmp_max_message: 1k",
    "4:23: rtmp_max_message is 1k, outside 64k to 64M (Largest RTMP message, which bounds one key frame. A larger one ends the session (`too big message`).)",
  ],
  [
    "http_server_port: 70000",
    "4:23: http_server_port is 70000, outside 1 to 65535 (TCP port of player, playlists and /status, IPv4 and IPv6.)",
  ],
  [
    "http_server_port: http",
    '4:23: http_server_port is "http", not a port from 1 to 65535 (TCP port of player, playlists and /status, IPv4 and IPv6.)',
  ],
  [
    "rtmp_max_streams: -1",
    "4:23: rtmp_max_streams is -1, not a number from 1 to 1024 (RTMP message streams within one connection. Not the number of publishers: see hls_streams.)",
  ],
  [
    "worker_processes: many",
    '4:23: worker_processes is "many", not auto, or a number from 1 to 64 (Worker processes of the web server; `auto` is one a core. The RTMP unit always runs one.)',
  ],
  ["http_sendfile: maybe", '4:20: http_sendfile is "maybe", not true or false (write true or false)'],
  [
    "http_access_log: /dev/stdout",
    '4:22: http_access_log is "/dev/stdout", not one of off, journal, file (Where each request is logged, without its arguments: nowhere, in the journal, or in `/var/log/edge/access.log`, which is rotated (docs/monitoring.md).)',
  ],
  [
    "{http_metrics: false, http_metrics_allow: [192.0.2.7]}",
    "4:47: http_metrics_allow has no effect without http_metrics (write http_metrics: true, or remove http_metrics_allow)",
  ],
  [
    "hls_fragment_naming: random",
    '4:26: hls_fragment_naming is "random", not one of system, sequential, timestamp (How segments are named. Only `system` (the clock, in ms) never uses a name twice, so only then may caches keep segments.)',
  ],
  [
    "http_access_control_allow_origin: https://x.org/p",
    '4:39: http_access_control_allow_origin is "https://x.org/p", not * or an origin (an origin is scheme://host[:port], without a path)',
  ],
  [
    "http_status_username: a:b",
    '4:27: http_status_username is "a:b", not letters, digits, ., _, -; at most 64 (Login name for /status.)',
  ],
  // Secrets
  [
    "rtmp_publish_token: datarhei",
    "4:25: rtmp_publish_token is a well-known one that anybody can guess (remove the line to have one generated)",
  ],
  [
    "http_status_password: Password",
    "4:27: http_status_password is a well-known one that anybody can guess (remove the line to have one generated)",
  ],
  [
    "rtmp_publish_token: 12345678901",
    "4:25: rtmp_publish_token is a number or a truth value to YAML, which changes it (put it in quotes)",
  ],
  [
    "rtmp_publish_token: abc",
    "4:25: rtmp_publish_token has 3 characters, not 8 to 128 (Token of the publish URL, `rtmp://HOST/hls/STREAM?token=TOKEN`, for every stream without a key of its own. Generated for each host unless given.)",
  ],
  [
    "rtmp_publish_token: 'top&secret|x'",
    "4:25: rtmp_publish_token holds a character that URLs or configuration files change (use letters, digits, . _ ~ -)",
  ],
  ["rtmp_publish_token: [a]", "4:25: rtmp_publish_token is not a text (remove the line to have one generated)"],
  [
    "{rtmp_publish_token: abcdefgh1, http_status_password: abcdefgh1}",
    "4:26: rtmp_publish_token and http_status_password are the same: who may publish could read the statistics, and the reverse (remove one of them to have it generated)",
  ],
  // Never worked
  [
    "hls_max_connections: 1000",
    "4:26: hls_max_connections is refused: it never had an effect in restreamer-edge; worker_connections bounds connections (remove hls_max_connections)",
  ],
  [
    "rtmp_buflen: 5s",
    "4:18: rtmp_buflen is refused: nginx reads buflen only when it plays recorded files over RTMP, which an edge never does (remove rtmp_buflen)",
  ],
  [
    "hls_cleanup: 'no'",
    "4:18: hls_cleanup false cannot work: segments would fill the memory they are kept in, and every stream would stop (remove hls_cleanup)",
  ],
  // Not yet
  [
    "hls_fragments_per_key: 3",
    "4:28: hls_fragments_per_key has no effect without hls_keys (write hls_keys: true, or remove hls_fragments_per_key)",
  ],
  ["hls_dvr_size: 2g", "4:19: hls_dvr_size has no effect without hls_dvr (give hls_dvr, or remove hls_dvr_size)"],
  [
    "hls_dvr: 10s",
    "4:14: hls_dvr 10s is not more than hls_playlist_length 12s, which is in memory already (write a longer time, such as 30m or 5h, or 0 for no window on the disk)",
  ],
  [
    "{hls_dvr: 90s, hls_dvr_fragment: 10s}",
    "4:15: hls_dvr 90s is less than 10 fragments of 10s (write a longer time, such as 30m or 5h, or 0 for no window on the disk)",
  ],
  [
    "rtmp_stream_keys: { edge-verify-x: some-key-of-it }",
    "4:23: rtmp_stream_keys has a stream edge-verify-x (such names are those of `edge-setup verify`)",
  ],
  [
    "{rtmp_play: true, hls_signed: true}",
    "4:17: rtmp_play lets everybody watch over RTMP what hls_signed keeps for those with a signed address (remove one of them)",
  ],
  [
    "http_allow: [192.0.2.0/24, 192.0.2.0/33]",
    '4:17: http_allow has an item "192.0.2.0/33" that is not an IP address or network (Addresses and networks that may watch. Empty: all. The host itself always may, by 127.0.0.1.)',
  ],
  [
    "snapshot_interval: 1",
    "4:24: snapshot_interval 1s is shorter than any segment: the picture would be the same (write at least 2s, or 0 for none)",
  ],
  [
    "{snapshot_interval: 0, snapshot_width: 320}",
    "4:44: snapshot_width has no effect without pictures (snapshot_interval is 0) (remove one of them)",
  ],
  [
    "transcoding_profiles: [240p]",
    "4:27: transcoding_profiles has no effect without transcoding (write transcoding: true, or remove transcoding_profiles)",
  ],
  [
    "transcoding_profiles: [240p, 9/9]",
    '4:27: transcoding_profiles has an item "9/9" that is not the name of a profile (Renditions of a ladder, in any order; `native` is the stream as published, copied. Those that are not smaller than the source are left out.)',
  ],
  [
    "{transcoding: true, transcoding_profiles: [999p]}",
    "4:47: transcoding_profiles names 999p, which is none of 240p, 360p, 480p, 720p, native (define it: transcoding_custom_profiles: {999p: {height: 576, video_bitrate: 1200}})",
  ],
  [
    "{transcoding: true, transcoding_profiles: []}",
    "4:47: transcoding_profiles is empty: there is no rendition to make (name some, or write transcoding: false)",
  ],
  [
    "{transcoding: true, transcoding_custom_profiles: {576p: {height: 576, video_bitrate: 1200}}}",
    "4:54: transcoding_custom_profiles defines 576p, which transcoding_profiles does not name (write transcoding_profiles: [240p, 360p, 480p, 720p, native, 576p], or remove it)",
  ],
  [
    "{transcoding: true, transcoding_custom_profiles: {native: {height: 576, video_bitrate: 1200}}}",
    '4:54: transcoding_custom_profiles has a profile "native" (names have 1 to 16 lower-case letters and digits, and are not native, index, live, master)',
  ],
  [
    "{transcoding: true, transcoding_custom_profiles: {576p: {height: 9999, video_bitrate: 1200}}}",
    "4:54: transcoding_custom_profiles has a height of 576p that is 9999, outside 64 to 2160 (write {height: 576, video_bitrate: 1200}, in pixels and kbit/s)",
  ],
  [
    "{transcoding: true, transcoding_custom_profiles: {576p: {height: 576, audio: 64}}}",
    '4:54: transcoding_custom_profiles gives 576p a "audio" (write {height: 576, video_bitrate: 1200}, in pixels and kbit/s)',
  ],
  [
    "{transcoding: true, hls_keys: true}",
    "4:19: the renditions of transcoding are not encrypted, so hls_keys would protect nothing (remove one of them)",
  ],
  [
    "{transcoding: true, hls_type: event}",
    "4:19: the renditions of transcoding have the window of hls_playlist_length, so an event would not begin at its beginning (remove one of them)",
  ],
  [
    "{transcoding: true, rtmp_wait_key: false}",
    "4:40: with rtmp_wait_key off the encoder begins between two key frames, and renditions would not be cut alike (remove rtmp_wait_key)",
  ],
  [
    "{transcoding: true, transcoding_encoder: vaapi, transcoding_preset: fast}",
    "4:73: transcoding_preset is libx264's, and has no effect with vaapi (remove one of them)",
  ],
  [
    "{transcoding: true, transcoding_streams: 5}",
    "4:46: transcoding_streams 5 is more than hls_streams 4 (write hls_streams: 5, or fewer transcoding_streams)",
  ],
  // The player
  [
    "player_watermark_source: javascript:alert(1)",
    '4:30: player_watermark_source is "javascript:alert(1)", not an http:// or https:// address, or a path such as /logo.png (it has no spaces, no quotes and no user name)',
  ],
  ["player_color_buttons: 123456", "4:27: player_color_buttons is the number 123456 to YAML (quote it)"],
  [
    "player_color_buttons: #3daa48",
    '4:27: player_color_buttons is empty, not a colour of six hexadecimal digits, such as "3daa48" (quote it: YAML takes # for a comment)',
  ],
  [
    "player_ga_account: UA-12345-1",
    '4:24: player_ga_account is "UA-12345-1", of Universal Analytics, which Google switched off in July 2024 (make a web data stream of Google Analytics 4: its measurement id begins with G-)',
  ],
  [
    "player_ga_trackername: edge",
    "4:28: player_ga_trackername is refused: trackers had names in analytics.js, which Google switched off; gtag.js has none, and no report ever showed it (remove player_ga_trackername)",
  ],
  [
    "player_watermark_link: https://example.org/",
    "4:28: player_watermark_link has no effect without player_watermark_source (give the picture's address, or remove player_watermark_link)",
  ],
  [
    "{player_stream_list: true, player: false}",
    "4:26: player_stream_list has no effect without player (remove player: false, or remove player_stream_list)",
  ],
  [
    "{player_stream_list: true, hls_signed: true}",
    "4:26: player_stream_list tells everybody what is live, which hls_signed keeps for those with a signed address (remove one of them)",
  ],
  ["nginx_version: 1.31", "4:20: nginx_version is the number 1.31 to YAML (quote it)"],
  [
    "{nginx_version: 1.30.4, nginx_sources: debian}",
    "4:21: nginx_version has no effect with nginx_sources debian, whose versions are Debian's (remove nginx_version, or write nginx_sources: upstream)",
  ],
  // Combinations
  [
    "{hls_fragment: 5s, hls_playlist_length: 14s}",
    "4:45: hls_playlist_length 14s is less than 3 fragments of 5s: players would stall (write at least 15s)",
  ],
  [
    "hls_fragment: 5s",
    "4:19: hls_playlist_length 12s is less than 3 fragments of 5s: players would stall (write at least 15s)",
  ],
  ["http_server_port: 1935", "4:23: rtmp_server_port and http_server_port are both 1935 (choose two ports)"],
  [
    "rtmp_server_port: 1982",
    "4:23: rtmp_server_port is 1982, which is the port of the edge's internal RTMP application (choose another port)",
  ],
  [
    "http_server_port: 1980",
    "4:23: http_server_port is 1980, which is the port of the edge's own authorisation service (choose another port)",
  ],
  [
    "{rtmps: true, rtmps_server_port: 1983}",
    "4:38: rtmps_server_port is 1983, which is the port of the edge's way from RTMPS to RTMP (choose another port)",
  ],
  [
    "{rtmps: true, rtmps_server_port: 80}",
    "4:38: rtmps_server_port and http_server_port are both 80 (choose two ports)",
  ],
  [
    "rtmps_server_port: 443",
    "4:24: rtmps_server_port has no effect without rtmps (write rtmps: true, or remove rtmps_server_port)",
  ],
  [
    "{ban_attempts: 0, ban_time: 1h}",
    "4:33: ban_time has no effect without ban_attempts (give ban_attempts, or remove ban_time)",
  ],
  [
    "firewall_allow: [192.0.2.0/24]",
    "4:21: firewall_allow has no effect without firewall (write firewall: true, or remove firewall_allow)",
  ],
  ["http_server_port: 22", "4:23: http_server_port is 22, which is the port of SSH (choose another port)"],
  [
    "hls_tmpfs_size: 64M",
    "4:21: hls_tmpfs_size 64M is too small: 4 streams of 6000 kbit/s with a window of 12s need 138M (write at least 138M, remove the line to have it calculated, or shorten hls_playlist_length, or lower hls_streams or hls_bitrate)",
  ],
  [
    "{hls_playlist_length: 24h, hls_streams: 1000}",
    "4:27: 1000 streams of 6000 kbit/s with a window of 24h need 247192383M of memory (shorten hls_playlist_length, or lower hls_streams or hls_bitrate)",
  ],
  [
    "{hls_fragment_naming: sequential, hls_fragment_naming_granularity: 10}",
    "4:72: hls_fragment_naming_granularity 10 can give neighbouring segments the same sequential name (sequential names are not rounded: remove it)",
  ],
  [
    "hls_fragment_naming_granularity: 2000",
    "4:38: hls_fragment_naming_granularity 2000 can give neighbouring segments the same system name (write at most 1000)",
  ],
  [
    "{njs_version: 1.0.0, nginx_from: packages}",
    "4:19: njs_version has no effect with nginx_from packages, whose versions are the distribution's (remove njs_version, or write nginx_from: source)",
  ],
  [
    "{build_on: local, nginx_from: packages}",
    "4:16: build_on local is for NGINX itself: with nginx_from packages its modules alone are compiled, for the package of the host (remove build_on, or name a host of the inventory)",
  ],
  [
    "{rtmp_module: package}",
    "4:19: rtmp_module package needs nginx_from packages: it is compiled for the distribution's NGINX (write nginx_from: packages, or remove rtmp_module)",
  ],
  [
    "{hls_type: event, rtmp_module: package, nginx_from: packages}",
    "4:16: hls_type event needs our corrections of the RTMP module: the package's never removes an event's segments, so the memory fills up, and marks it by a tag that players do not know (write rtmp_module: rtmp, or remove hls_type)",
  ],
  [
    "{rtmp_module: http-flv, nginx_sources: debian}",
    "4:19: rtmp_module http-flv needs nginx_sources upstream: debian has no source of that module (write nginx_sources: upstream, or remove rtmp_module)",
  ],
  [
    "http_flv: true",
    "4:15: http_flv needs rtmp_module http-flv: module rtmp has no HTTP-FLV (write rtmp_module: http-flv, or remove http_flv)",
  ],
  [
    "{http_flv: true, rtmp_module: http-flv, hls_signed: true}",
    "4:16: http_flv lets everybody watch over HTTP-FLV what hls_signed keeps for those with a signed address (remove one of them)",
  ],
  [
    "{http_flv: true, rtmp_module: http-flv, rtmp_play: true, rtmp_idle_streams: true}",
    "4:16: rtmp_idle_streams keeps viewers of streams that nobody publishes, and a browser's would never be told (remove one of them)",
  ],
  // Names
  ["hls_fragmnet: 2s", "4:19: hls_fragmnet is not a setting (write hls_fragment instead)"],
  ["hls-fragment: 2s", "4:19: hls-fragment is not a setting (write hls_fragment instead)"],
  ["fragment: 2s", "4:15: fragment is not a setting (write hls_fragment instead)"],
  ["my_own: 2s", "4:13: my_own is not a setting (docs/settings.md lists all; begin variables of your own with x_)"],
  [
    "RTMP_SERVER_HLS_FRAGMENT: 2s",
    "4:31: RTMP_SERVER_HLS_FRAGMENT is a variable of restreamer-edge (write hls_fragment instead)",
  ],
  [
    "RTMP_SERVER_HLS_MAX_CONNECTIONS: 1000",
    "4:38: RTMP_SERVER_HLS_MAX_CONNECTIONS is a variable of restreamer-edge (remove it: it never had an effect in restreamer-edge; worker_connections bounds connections)",
  ],
  [
    "RTMP_SRV_APP_HLS_HLS_FRAGMENT: 2s",
    "4:36: RTMP_SRV_APP_HLS_HLS_FRAGMENT is a variable of restreamer-edge (write hls_fragment instead)",
  ],
  [
    "edge_rtmp_server_port: 1935",
    "4:28: edge_rtmp_server_port is the name that tasks use, and has no effect here (write rtmp_server_port instead)",
  ],
  [
    "ansible_hots: pi.local",
    "4:19: ansible_hots is not a connection variable that edge-setup knows (write ansible_host instead)",
  ],
  [
    "ansible_ssh_common_args: -J jump",
    "4:30: ansible_ssh_common_args is Ansible's, and edge-setup does not follow it (write it for this host in ~/.ssh/config, which both edge-setup and Ansible read)",
  ],
];

for (const [variables, ...expected] of bad)
  t.test(variables, async (t) => {
    const found = lines(validateSettings(await hostWith(variables)));
    t.strictSame(
      found,
      expected.map((line) => `e.yml:${line}`),
    );
  });

t.test("good values", async (t) => {
  const good = [
    "hls_fragment: 4",
    "hls_fragment: 500ms",
    "hls_playlist_length: 60",
    "rtmp_ping: 0",
    "rtmp_max_message: 8m",
    'http_server_port: "8080"',
    "http_sendfile: off",
    "{hls_fragment: 4s, hls_playlist_length: 12s}",
    "hls_tmpfs_size: 138M",
    "https: no",
    "snapshot_interval: 0",
    "transcoding_profiles: [240p, 360p, 480p, 720p, native]",
    "{transcoding: true, transcoding_profiles: [native, 720p, 240p], transcoding_preset: superfast}",
    "{transcoding: true, transcoding_profiles: [576p], transcoding_custom_profiles: {576p: {height: 576, video_bitrate: 1200}}}",
    "http_access_control_allow_origin: https://www.example.org:8443",
    'rtmp_publish_token: \'{{ lookup("env", "TOKEN") }}\'',
    "{x_anything: [1], ansible_user: pi, ansible_python_interpreter: /usr/bin/python3, edge_secrets: {}}",
  ];
  for (const variables of good) t.strictSame(lines(validateSettings(await hostWith(variables))), [], variables);
});

t.test("what a group gives to many hosts is said once", async (t) => {
  const text = "edges:\n  hosts: { 'pi-[1:3]': }\n  vars: { hls_fragmnt: 2s, http_server_port: 0 }\n";
  const inventory = await loadInventory("e.yml", { readers: memoryReaders({ "e.yml": text }) });
  t.match(lines(validateAllSettings(inventory.hosts)), [/^e.yml:3:24: hls_fragmnt/, /^e.yml:3:46: http_server_port/]);
  t.equal(validateAllSettings(inventory.hosts).length, 2);
});

t.test("resolved settings carry types and origins", async (t) => {
  const host = await hostWith("{hls_fragment: 500ms, http_status_password: my-password, worker_processes: 2}");
  const { values, origins } = resolveSettings(host, { rtmp_publish_token: new Secret("generated-token") });
  t.equal(values.hls_fragment, 500);
  t.equal(values.hls_playlist_length, 12_000);
  t.equal(values.rtmp_max_message, 4 * 1024 * 1024);
  t.equal(values.http_sendfile, true);
  t.equal(values.worker_processes, 2);
  t.equal(values.hls_tmpfs_size, undefined);
  t.equal(values.rtmp_publish_token?.reveal(), "generated-token");
  t.equal(values.http_status_password?.reveal(), "my-password");
  t.equal(JSON.stringify(values).includes("password-"), false);
  t.strictSame(
    [origins.hls_fragment, origins.rtmp_publish_token, origins.http_server_port],
    [{ file: "e.yml", line: 4, column: 20 }, "generated", "default"],
  );
});
