import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aptSettings, mirrorOf } from "./apt-settings.js";
import { run } from "./command.js";
import { emulatorOf, ensureEmulation, ownArchitecture, requireEmulatedRelease } from "./emulation.js";
import { ensureLayer, rootOf } from "./layers.js";
import { mountRoot, unmountRootSync } from "./overlay.js";
import { baseName } from "./paths.js";
import type { LabArchitecture, LabLayer, LabLayerRequest, LabProgress, LabRelease } from "./types.js";

/** What a small Debian server has before anybody sets it up. No Python, no compiler: the product must not need them. */
const BASE_PACKAGES = [
  ...["systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo"],
  ...["ca-certificates", "iproute2", "procps"],
];

const DEBIAN_NUMBER: Readonly<Record<LabRelease, string>> = { trixie: "13", bookworm: "12" };

interface LayerOptions {
  /** Default: this machine's own. */
  readonly architecture?: LabArchitecture | undefined;
  readonly mirror?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: LabProgress | undefined;
}

/** A bare Debian in the cache; made on first use. */
export async function ensureBase(release: LabRelease, options: LayerOptions = {}): Promise<LabLayer> {
  const emulator = await emulatorOf(options.architecture);
  const architecture = emulator === undefined ? undefined : options.architecture;
  if (emulator !== undefined) {
    requireEmulatedRelease(release);
    await ensureEmulation(emulator);
  }
  return ensureLayer({
    ...options,
    name: baseName(release, architecture ?? (await ownArchitecture())),
    build: async (folder) => {
      const what =
        architecture === undefined ? "base (once, about a minute)" : `base of ${architecture} (once, minutes)`;
      options.onProgress?.(`downloading the Debian ${DEBIAN_NUMBER[release]} ${what}`);
      await bootstrap(release, rootOf(folder), { ...options, architecture }, emulator?.cpu);
      return { release, architecture, below: [] };
    },
  });
}

async function bootstrap(release: LabRelease, root: string, options: LayerOptions, cpu?: string): Promise<void> {
  const settings = await aptSettings(options.signal);
  await run(
    [
      ...["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--components=main", "--quiet"],
      ...(options.architecture === undefined ? [] : [`--arch=${options.architecture}`]),
      ...settings.map((line) => `--aptopt=${line}`),
      `--include=${BASE_PACKAGES.join(",")}`,
      '--customize-hook=chroot "$1" useradd --create-home --shell /bin/bash --comment "Operator" ops',
      // Each host gets its own key and machine id; none may be shared through the base.
      '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*',
      ...[release, root, mirrorOf(options.mirror)],
    ],
    { signal: options.signal, env: { TMPDIR: "/var/tmp", ...(cpu === undefined ? {} : { QEMU_CPU: cpu }) } },
  );
}

/** The base with packages installed, as a cached layer of its own; made on first use. */
export async function ensurePackages(
  base: LabLayer,
  request: LabLayerRequest,
  options: LayerOptions = {},
): Promise<LabLayer> {
  const packages = [...new Set(request.packages)].sort();
  const digest = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 8);
  return ensureLayer({
    ...options,
    name: `${base.name}+${request.name}-${digest}`,
    build: async (folder) => {
      const emulator = await emulatorOf(base.architecture);
      options.onProgress?.(`installing ${packages.length} packages for hosts of kind "${request.name}" (once)`);
      const kind = await installInto(base, packages, folder, { cpu: emulator?.cpu, signal: options.signal });
      const { release, architecture, lowers } = base;
      return { release, architecture, below: kind === "overlay" ? lowers : [] };
    },
  });
}

/** Installs packages on top of `base` so that `folder`/root holds the difference (or, without overlay, everything). */
async function installInto(
  base: LabLayer,
  packages: readonly string[],
  folder: string,
  { cpu, signal }: { readonly cpu: string | undefined; readonly signal: AbortSignal | undefined },
) {
  const work = join(folder, "build");
  await mkdir(work);
  const mounted = await mountRoot(base.lowers, work, signal);
  try {
    // Outside of a booted system: the machine's own network and resolver serve, and no service starts.
    await rm(join(mounted.root, "etc/resolv.conf"), { force: true });
    await writeFile(join(mounted.root, "etc/resolv.conf"), await readFile("/etc/resolv.conf"));
    const script = 'apt-get -qq update && apt-get -qq -y --no-install-recommends install "$@" && apt-get clean';
    await run(
      [
        ...[
          "systemd-nspawn",
          "--quiet",
          "--register=no",
          "--keep-unit",
          "--as-pid2",
          "--resolv-conf=off",
          "--timezone=off",
        ],
        ...["--pipe", `--directory=${mounted.root}`, "--setenv=DEBIAN_FRONTEND=noninteractive"],
        ...(cpu === undefined ? [] : [`--setenv=QEMU_CPU=${cpu}`]),
        ...["--setenv=LC_ALL=C.UTF-8", "/bin/sh", "-c", script, "sh", ...packages],
      ],
      { signal },
    );
  } finally {
    if (mounted.kind === "overlay") unmountRootSync(work);
  }
  await rename(mounted.upper, rootOf(folder));
  await rm(work, { recursive: true, force: true });
  return mounted.kind;
}
