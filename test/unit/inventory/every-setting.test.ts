import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { settings } from "../../../src/inventory/settings/index.js";
import type { Setting } from "../../../src/inventory/settings/types.js";
import type { Value } from "../../../src/playbook/types.js";
import { generate, root } from "../generated-files.js";

// No setting is without effect: with another value than its default, a file that the play generates differs.

/** Settings that end elsewhere than in a generated file: the file that reads them, as `edge_NAME` or as NAME of the values. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // The URLs that are printed.
  public_name: "src/cli/commands/streams.ts",
  // What is compiled.
  nginx_from: "playbooks/vars/derived.yml",
  nginx_sources: "playbooks/vars/derived.yml",
  nginx_version: "playbooks/vars/settings.yml",
  njs_version: "playbooks/vars/settings.yml",
  nginx_vts: "playbooks/vars/derived.yml",
  rtmp_module: "playbooks/vars/derived.yml",
  build_jobs: "playbooks/tasks/compile.yml",
  build_on: "playbooks/vars/derived.yml",
  build_swap: "playbooks/tasks/compile.yml",
  firewall: "playbooks/tasks/firewall.yml",
  // Files of this machine.
  tls_certificate: "playbooks/vars/derived.yml",
  tls_key: "playbooks/vars/derived.yml",
};

/** Values other than the default where the type alone does not give a right one. */
const OTHER: Readonly<Record<string, Value>> = {
  hls_fragment_naming_granularity: 500,
  hls_tmpfs_size: "900M",
  hls_bitrate: 9000,
  hls_playlist_length: "30s",
  hls_dvr: "1h",
  hls_dvr_size: "3g",
  rtmp_stream_keys: { church: "key-of-the-church" },
  pull: [{ name: "church", url: "rtsp://192.0.2.7/h264" }],
  push: [{ name: "tube", stream: "church", url: "rtmps://a.example.org/live2" }],
  push_keys: { tube: "another-key-of-tube" },
  transcoding_profiles: ["360p", "native"],
  transcoding_custom_profiles: { "360p": { height: 360, video_bitrate: 700 } },
};

const FOR_NAMES = { https: true, https_cert_domain: ["two.example"] };
const PUSH = [{ name: "tube", stream: "church", url: "rtmps://a.example.org/live2" }];

/** What has to be on for a setting to have an effect. */
const WITH: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  rtmp_play_allow: { rtmp_play: true },
  rtmp_idle_streams: { rtmp_play: true },
  transcoding_custom_profiles: { transcoding: true },
  hls_signing_key: { hls_signed: true },
  https_server_port: { https: true },
  https_redirect: { https: true },
  https_hsts: FOR_NAMES,
  https_cert_domain: { https: true },
  https_cert_mail: FOR_NAMES,
  https_cert_profile: FOR_NAMES,
  https_staging: FOR_NAMES,
  https_acme_server: FOR_NAMES,
  https_acme_ca: { ...FOR_NAMES, https_acme_server: "https://one.example/directory" },
  https_dns_check: FOR_NAMES,
  hls_fragments_per_key: { hls_keys: true },
  hls_dvr_fragment: { hls_dvr: "1h" },
  hls_dvr_size: { hls_dvr: "1h" },
  push: { push_keys: { tube: "key-of-tube" } },
  push_keys: { push: PUSH, push_keys: { tube: "key-of-tube" } },
  record_streams: { record: true },
  record_segment: { record: true },
  record_max_age: { record: true },
  record_max_size: { record: true },
  record_min_free: { record: true },
};

function otherValue({ name, type, default: value }: Setting): Value {
  if (OTHER[name] !== undefined) return OTHER[name];
  switch (type.kind) {
    case "bool":
      return value !== true;
    case "port":
      return Number(value) + 8000;
    case "int":
      return Number(value ?? type.min) < type.max ? Number(value ?? type.min) + 1 : type.max - 1;
    case "count":
      return 3;
    case "enum":
      return type.values.find((one) => one !== value) ?? "";
    case "duration":
      return value === "5s" ? "7s" : "5s";
    case "size":
      return "2M";
    case "username":
      return "somebody";
    case "token":
      return "another-secret-text";
    case "origin":
      return "https://one.example";
    case "email":
      return "ops@one.example";
    case "hostname":
      return "one.example";
    case "cert-names":
      return ["one.example"];
    case "https-url":
      return "https://one.example/directory";
    case "file":
      return "one.pem";
    case "streams":
      return ["church"];
    case "networks":
      return ["192.0.2.0/24"];
    case "url":
      return "https://one.example/logo.png";
    case "colour":
      return "ff8800";
    case "analytics":
      return "G-AB12CD34EF";
    default:
      throw new Error(`${name}: give another value of the type ${type.kind} in OTHER`);
  }
}

for (const setting of settings) {
  const { name, status, refusals } = setting;
  if (status.kind === "refused" || refusals !== undefined) continue;
  t.test(name, async (t) => {
    const elsewhere = ELSEWHERE[name];
    if (elsewhere !== undefined) {
      const text = readFileSync(join(root, elsewhere), "utf8");
      t.match(text, new RegExp(`\\b(edge_)?${name}\\b`), `${elsewhere} reads it`);
      return;
    }
    const base = WITH[name] ?? {};
    const [plain, other] = [generate(base), generate({ ...base, [name]: otherValue(setting) })];
    const changed = [...other].filter(([path, text]) => text !== plain.get(path));
    t.not(changed.length, 0, "a generated file differs");
    // JSON has no comments.
    const told = changed.some(
      ([path, text]) =>
        path.endsWith(".json.j2") || text.includes(name) || readFileSync(join(root, path), "utf8").includes(name),
    );
    t.ok(told, `and names it: ${changed.map(([path]) => path).join(", ")}`);
  });
}
