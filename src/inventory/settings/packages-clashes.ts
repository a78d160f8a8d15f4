import type { Clash } from "./combinations.js";
import type { SettingValues } from "./parse.js";

/** What packages of NGINX cannot be, as in playbooks/tasks/preflight-packages.yml. */
export function packagesClashes(values: SettingValues): Clash[] {
  const { build_on, nginx_from, rtmp_module, hls_type } = values;
  const clashes: Clash[] = [];
  for (const name of ["nginx_version", "njs_version"] as const)
    if (nginx_from === "packages" && values[name] !== undefined)
      clashes.push({
        names: [name, "nginx_from"],
        message: `${name} has no effect with nginx_from packages, whose versions are the distribution's`,
        hint: `remove ${name}, or write nginx_from: source`,
      });
  if (nginx_from === "packages" && build_on === "local")
    clashes.push({
      names: ["build_on", "nginx_from"],
      message:
        "build_on local is for NGINX itself: with nginx_from packages its modules alone are compiled, for the package of the host",
      hint: "remove build_on, or name a host of the inventory",
    });
  if (rtmp_module === "package" && nginx_from !== "packages")
    clashes.push({
      names: ["rtmp_module", "nginx_from"],
      message: "rtmp_module package needs nginx_from packages: it is compiled for the distribution's NGINX",
      hint: "write nginx_from: packages, or remove rtmp_module",
    });
  if (rtmp_module === "package" && hls_type === "event")
    clashes.push({
      names: ["hls_type", "rtmp_module"],
      message:
        "hls_type event needs our corrections of the RTMP module: the package's never removes an event's segments, so the memory fills up, and marks it by a tag that players do not know",
      hint: "write rtmp_module: rtmp, or remove hls_type",
    });
  return clashes;
}
