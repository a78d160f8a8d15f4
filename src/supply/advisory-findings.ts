import { type Advisory, exposure, fixedIn, names, type Part } from "./advisories.js";
import type { Finding } from "./finding.js";

/** What may be named, and what tells how far it concerns this edge. */
export interface Exposed {
  readonly host?: string;
  readonly parts: readonly Part[];
  /** Options of NGINX's configure. */
  readonly options: string;
  readonly configuration: readonly string[];
  /** What to do about a part that is named and used. */
  readonly remedy: (advisory: Advisory, part: Part) => string;
}

const TITLES: Readonly<Record<string, string>> = {
  nginx: "NGINX",
  njs: "NJS",
  vts: "VTS",
  openssl: "OpenSSL",
  ffmpeg: "FFmpeg",
};

/** Problems for what is used; for the rest one note that counts them, and with `every` a note each. */
export function advisoryFindings(advisories: readonly Advisory[], exposed: Exposed, every: boolean): Finding[] {
  const found = exposed.parts.flatMap((part) =>
    advisories
      .filter((advisory) => names(advisory, part))
      .map((advisory) => ({ advisory, part, how: exposure(advisory, exposed.options, exposed.configuration) })),
  );
  const base = exposed.host === undefined ? {} : { host: exposed.host };
  const used = found.filter(({ how }) => how === "used");
  const rest = found.filter(({ how }) => how !== "used");
  return [
    ...used.map(({ advisory, part }): Finding => {
      const { id, url } = advisory;
      const severity = advisory.severity === "unknown" ? "" : ` (${advisory.severity})`;
      const where = advisory.uses === undefined ? "" : "; its directives are in the configuration";
      return {
        ...base,
        level: "problem",
        check: "advisory",
        id,
        url,
        text: `${nameOf(part)} has ${id}${severity}: ${advisory.title}${where}`,
        hint: exposed.remedy(advisory, part),
      };
    }),
    ...(every
      ? rest.map(({ advisory, part, how }) => noteOf(base, advisory, part, how === "absent"))
      : counted(base, rest)),
    ...(found.length > 0
      ? []
      : [
          {
            ...base,
            level: "ok" as const,
            check: "advisory",
            text: `no advisory names ${exposed.parts.map(nameOf).join(", ")}`,
          },
        ]),
  ];
}

function noteOf(base: Pick<Finding, "host">, advisory: Advisory, part: Part, absent: boolean): Finding {
  const { id, url, title } = advisory;
  const why = absent ? "not compiled in" : "not used by the configuration";
  return { ...base, level: "note", check: "advisory", id, url, text: `${nameOf(part)} has ${id}: ${title}: ${why}` };
}

function counted(
  base: Pick<Finding, "host">,
  rest: readonly { readonly how: string; readonly part: Part }[],
): Finding[] {
  if (rest.length === 0) return [];
  const absent = rest.filter(({ how }) => how === "absent").length;
  const parts = [...new Set(rest.map(({ part }) => nameOf(part)))].join(", ");
  const text = `${rest.length} more name ${parts}: ${absent} in what is not compiled in, ${rest.length - absent} in what is not used (-v lists them)`;
  return [{ ...base, level: "note", check: "advisory", text }];
}

/** `NGINX 1.30.6`, `FFmpeg 7:7.1.4-0+deb13u1 (Debian trixie)`. */
function nameOf({ component, version, debian }: Part): string {
  return `${TITLES[component] ?? component} ${version}${debian === undefined ? "" : ` (Debian ${debian})`}`;
}

/** What to do about a part of a build: apply, if what it would build now has the fix. */
export function buildRemedy(
  advisory: Advisory,
  part: Part,
  plan: { readonly apply: string; readonly pinned: readonly Part[]; readonly upstream: readonly Part[] },
): string {
  const fixed = (parts: readonly Part[]) =>
    parts.find((one) => one.component === part.component && !names(advisory, one))?.version;
  const pinned = fixed(plan.pinned);
  if (pinned !== undefined) return `\`${plan.apply}\` builds ${pinned}, which has the fix.`;
  const upstream = fixed(plan.upstream);
  const where = part.debian === undefined ? "" : "Debian's ";
  const has = `${where}${fixedIn(advisory, part)} has the fix`;
  if (upstream !== undefined)
    return `${has}, and is not what is built; nginx_sources: upstream builds ${upstream}, which has it.`;
  return `${has}, and is not what this edge-setup builds: look for a newer one (npx edge-setup@latest).`;
}
