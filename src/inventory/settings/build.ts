import type { Setting } from "./types.js";

export const buildSettings = [
  {
    name: "nginx_sources",
    type: { kind: "enum", values: ["upstream", "debian"] },
    default: "upstream",
    directive: "profile of nginx-build/sources.lock.json",
    doc: "Where the pinned sources come from: `upstream` projects, or Debian's source pool alone (then without VTS). Never changed by itself.",
    status: { kind: "new" },
  },
  {
    name: "build_jobs",
    type: { kind: "int", min: 0, max: 256 },
    default: 0,
    directive: "build.sh --jobs",
    doc: "Compilers that run at once; `0` decides from cores and memory.",
    status: { kind: "new" },
  },
  {
    name: "nginx_vts",
    type: { kind: "enum", values: ["auto", "include", "omit"] },
    default: "auto",
    directive: "build.sh --with-vts",
    doc: "The VTS statistics module: `auto` includes it with `nginx_sources: upstream`. Debian has no source of it: `include` takes the one in `--source-dir` or in the cache.",
    status: { kind: "new" },
  },
  {
    name: "rtmp_module",
    type: { kind: "enum", values: ["rtmp", "http-flv"] },
    default: "rtmp",
    directive: "nginx-build/sources.lock.json",
    doc: "The RTMP module that NGINX is compiled with: arut's, or with `nginx_sources: upstream` winshining's fork of it, which `http_flv` needs.",
    status: { kind: "new" },
  },
  {
    name: "nginx_version",
    type: { kind: "version" },
    default: undefined,
    directive: "nginx-build/sources.lock.json",
    doc: "Another NGINX of the lock than the preferred one, with `nginx_sources: upstream`.",
    status: { kind: "new" },
  },
  {
    name: "njs_version",
    type: { kind: "version" },
    default: undefined,
    directive: "nginx-build/sources.lock.json",
    doc: "Another NJS of the lock than the preferred one, with `nginx_sources: upstream`.",
    status: { kind: "new" },
  },
] as const satisfies readonly Setting[];
