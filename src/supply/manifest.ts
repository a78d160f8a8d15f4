import type { Part } from "./advisories.js";

/** What a build on a host says of itself (docs/build.md, manifest.json); a host may say anything. */
export interface Manifest {
  readonly profile: "upstream" | "debian" | "packages";
  readonly versions: Readonly<Partial<Record<"nginx" | "nginx_patches" | "rtmp" | "njs" | "vts", string>>>;
  readonly configure: string;
  readonly compiler: string;
  readonly httpFlv: boolean;
  /** Packages of the distribution that it runs the files of; none where all is compiled. */
  readonly packages: readonly string[];
}

const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+~:_-]{0,79}$/;
const PROFILES = ["upstream", "debian", "packages"] as const;
const OF_NGINX = /^(nginx|libnginx-mod-[a-z-]{1,40})$/;
const COMPONENTS = ["nginx", "nginx_patches", "rtmp", "njs", "vts"] as const;

/** undefined for what is no manifest. */
export function parseManifest(text: string): Manifest | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const raw = objectOf(json);
  const given = objectOf(raw.versions);
  const versions: Manifest["versions"] = Object.fromEntries(
    COMPONENTS.flatMap((name) => {
      const version = given[name];
      return typeof version === "string" && VERSION.test(version) ? [[name, version]] : [];
    }),
  );
  if (versions.nginx === undefined) return undefined;
  return {
    profile: PROFILES.find((name) => name === raw.profile) ?? "upstream",
    versions,
    configure: textOf(raw.configure),
    compiler: textOf(raw.compiler).trim(),
    httpFlv: objectOf(raw.features).http_flv === true,
    packages: (Array.isArray(raw.packages) ? raw.packages : []).filter((name) => OF_NGINX.test(String(name))),
  };
}

/** What advisories may name of a build. @param release of Debian, whose patches may be in it */
export function partsOfBuild({ profile, versions }: Manifest, release: string): Part[] {
  const { nginx = "", nginx_patches: patches, njs, vts } = versions;
  const server =
    profile === "debian" && patches !== undefined ? { version: patches, debian: release } : { version: nginx };
  return [
    { component: "nginx", ...server },
    ...(njs === undefined ? [] : [{ component: "njs", version: njs }]),
    ...(vts === undefined ? [] : [{ component: "vts", version: vts.replace(/^v/, "") }]),
  ];
}

function objectOf(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null ? (value as { readonly [key: string]: unknown }) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.replaceAll(/[^\x20-\x7e]/g, "").slice(0, 8000) : "";
}
