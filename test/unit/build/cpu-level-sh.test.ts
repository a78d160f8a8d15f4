import { spawnSync } from "node:child_process";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { packageRoot } from "../../../src/util/package-root.js";
import { makeToy } from "./toy-sources.js";

const BUILD = join(packageRoot(), "nginx-build/build.sh");
const noMake = spawnSync("make", ["--version"]).status === 0 ? false : "make is not installed";

const USERLANDS = {
  "amd64/x86-64": { arch: "amd64", id: "debian" },
  "arm64/armv8-a": { arch: "arm64", id: "debian" },
  "armhf/armv7-a": { arch: "armhf", id: "debian" },
  "armhf/armv6": { arch: "armhf", id: "raspbian" },
  "armel/armv5te": { arch: "armel", id: "debian" },
} as const;

for (const [userland, macros, tag, refused] of [
  ["amd64/x86-64", "#define __SSE2__ 1", "", undefined],
  ["amd64/x86-64", "#define __SSE3__ 1", "", /newer CPUs than those of amd64\/x86-64 \(__SSE3__\)/],
  ["arm64/armv8-a", "#define __ARM_ARCH 8", "", undefined],
  ["arm64/armv8-a", "#define __ARM_FEATURE_ATOMICS 1", "", /newer CPUs than those of arm64\/armv8-a/],
  ["armhf/armv7-a", "#define __ARM_ARCH 7", "v7", undefined],
  ["armhf/armv7-a", "#define __ARM_ARCH 8", "v8", /newer CPUs than those of armhf\/armv7-a/],
  ["armhf/armv6", "#define __ARM_ARCH 6", "v6KZ", undefined],
  ["armhf/armv6", "#define __ARM_ARCH 7", "v7", /newer CPUs than those of armhf\/armv6/],
  ["armhf/armv6", "#define __ARM_ARCH 6", "v7", /nginx is for ARMv7, and programs of armhf\/armv6 run on ARMv6/],
  ["armel/armv5te", "#define __ARM_ARCH 5", "v5TE", undefined],
  ["armel/armv5te", "#define __ARM_ARCH 5", "v6", /nginx is for ARMv6, and programs of armel\/armv5te run on ARMv5/],
] as const) {
  const what = `${userland}, a compiler of ${macros.slice(8)}${tag === "" ? "" : `, a program of ${tag}`}`;
  t.test(`${what}: ${refused === undefined ? "built" : "refused"}`, { skip: noMake }, async (t) => {
    const { arch, id } = USERLANDS[userland];
    const dir = t.testdir({ release: `ID=${id}\nVERSION_CODENAME=bookworm\n` });
    const toy = makeToy(join(dir, "toy"));
    renameSync(join(toy.bin, "cc"), join(toy.bin, "toy-cc"));
    const put = (name: string, text: string) => writeFileSync(join(toy.bin, name), text, { mode: 0o755 });
    put("cc", `#!/bin/sh\nif [ "$1" = -dM ]; then echo '${macros}'; else exec ${toy.bin}/toy-cc "$@"; fi\n`);
    put("readelf", `#!/bin/sh\necho '  Tag_CPU_arch: ${tag}'\n`);
    const prefix = join(dir, "builds/one");
    const { status, stderr } = spawnSync(
      "sh",
      [BUILD, "--sources", toy.sources, "--prefix", prefix, "--patches", "/none"],
      {
        encoding: "utf8",
        env: {
          ...process.env,
          PATH: `${toy.bin}:${process.env.PATH}`,
          EDGE_BUILD_RELEASE: join(dir, "release"),
          EDGE_BUILD_ARCH: arch,
        },
        timeout: 60_000,
      },
    );
    t.equal(status, refused === undefined ? 0 : 1, stderr);
    t.match(stderr, refused ?? /^$/);
    t.equal(existsSync(join(prefix, ".complete")), refused === undefined);
  });
}
