import { memoryWarning } from "../discovery/portrait.js";
import { coreWords, memoryAndSwapWords, storageWords } from "../util/machine-words.js";
import { hostProblems } from "../watch/words.js";
import type { Advisory, Part } from "./advisories.js";
import type { Exposed } from "./advisory-findings.js";
import type { Finding } from "./finding.js";
import type { HostLook, InstalledPackage } from "./host-look.js";
import { partsOfBuild } from "./manifest.js";

/** Systems whose packages are Debian's, so that Debian's versions tell what is fixed. */
const DEBIAN_LIKE = ["debian", "raspbian"];
const NJS = "libnginx-mod-http-js";

/** What is wrong with a host itself, whatever the advisories say. */
export function hostFindings(host: string, look: HostLook): Finding[] {
  const { portrait, sample } = look;
  const memory = memoryWarning(portrait.memoryFreeMb);
  const problems = [...new Set([...hostProblems(sample), ...portrait.warnings.filter((text) => text !== memory)])];
  const hint = `edge-setup apply -l ${host}`;
  const edge = look.manifest !== undefined;
  return [
    ...(problems.length > 0
      ? problems.map((text): Finding => ({ host, level: "problem", check: "host", text }))
      : [{ host, level: "ok" as const, check: "host", text: healthy(look) }]),
    ...(portrait.warnings.includes(memory) ? [{ host, level: "note" as const, check: "memory", text: memory }] : []),
    ...(!edge || look.release === "current"
      ? []
      : [
          {
            host,
            level: "problem" as const,
            check: "release",
            text: `what runs is not what is wanted: ${look.release || "edge-release does not answer"}`,
            hint,
          },
        ]),
    ...look.failedUnits.map(
      (unit): Finding => ({
        host,
        level: "problem",
        check: "unit",
        text: `${unit} has failed`,
        hint: `On the host: journalctl -u ${unit} -n 50`,
      }),
    ),
    ...look.staleUnits.map(
      (unit): Finding => ({
        host,
        level: "problem",
        check: "library",
        text: `${unit} runs with a library that has been replaced since it was started`,
        hint: `On the host: systemctl restart ${unit}`,
      }),
    ),
  ];
}

function healthy({ portrait, sample }: HostLook): string {
  const free = storageWords(portrait.storage, portrait.diskFreeBytes);
  const days = sample.certificateDays === undefined ? "" : `, certificate for ${sample.certificateDays} days`;
  const { model, os, architecture, cores, cpuLevel, userland, memoryMb, swapMb } = portrait;
  const machine = `${model}, ${os} ${architecture}, ${coreWords(cores, cpuLevel, userland)}`;
  const clock = `clock right to ${Math.max(1, Math.ceil(Math.abs(portrait.clockSkewMs) / 1000))} s`;
  return `${machine}, ${memoryAndSwapWords(memoryMb, swapMb)}, ${free}, ${clock}, units active${days}`;
}

/** What advisories may name of a host: its build, and the packages of sources that the list knows. */
export function hostParts(look: HostLook, advisories: readonly Advisory[]): Part[] {
  const { id, release } = look.system;
  const build =
    look.manifest === undefined ? [] : partsOfBuild(look.manifest, release).map((part) => installed(part, look));
  if (!DEBIAN_LIKE.includes(id)) return build;
  const built = new Set(["nginx", "njs", "vts"]);
  const known = new Set(advisories.map(({ component }) => component).filter((name) => !built.has(name)));
  const sources = new Map(
    look.packages.filter(({ source }) => known.has(source)).map((one) => [one.source, one] as const),
  );
  return [
    ...build,
    ...[...sources].map(([component, { sourceVersion: version }]) => ({ component, version, debian: release })),
  ];
}

/** NGINX from packages is what apt installed, whatever it was when modules were compiled for it. */
function installed(part: Part, { manifest, packages, system }: HostLook): Part {
  const { component } = part;
  const wanted = component === "njs" ? NJS : component;
  const { version } = (manifest?.packages.includes(wanted) && packages.find(({ name }) => name === wanted)) || part;
  if (version === part.version) return part;
  return component === "njs"
    ? { component, version: numberOf(version) }
    : { component, version, debian: system.release };
}

/** Of a package's version what its authors call it: 1:0.8.9-1 is 0.8.9. */
function numberOf(version: string): string {
  return version.replace(/^\d+:/, "").replace(/-[^-]*$/, "");
}

/** Packages of the distribution that a part is of, as far as they are installed. */
export function packagesOf(part: Part, { manifest, packages }: HostLook): readonly InstalledPackage[] {
  if (part.component === "njs") return packages.filter(({ name }) => name === NJS && manifest?.packages.includes(NJS));
  return packages.filter(({ source }) => source === part.component);
}

/** What to do about a package of the distribution. */
export function packageRemedy(packages: readonly InstalledPackage[]): string {
  const own = packages.map(({ name }) => name);
  return `On the host: apt-get update && apt-get install --only-upgrade ${own.join(" ")}`;
}

/** What tells how far an advisory concerns a host. */
export function hostExposed(host: string, look: HostLook, advisories: readonly Advisory[]): Omit<Exposed, "remedy"> {
  return {
    host,
    parts: hostParts(look, advisories),
    options: look.manifest?.configure ?? "",
    configuration: look.configuration,
  };
}
