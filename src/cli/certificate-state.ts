import { certificateLabel, daysLeft, type EdgeCertificate, readCertificate } from "../edge/certificate.js";

/** What edge-certs says of itself. A host may say anything, so each part is looked at before it is used. */
export interface ToolState {
  readonly live?: unknown;
  readonly status?: unknown;
  readonly wait?: { readonly until?: unknown; readonly why?: unknown } | null;
  readonly addresses?: unknown;
  readonly now?: unknown;
}

export function stateOf(text: string): ToolState {
  try {
    const state: unknown = JSON.parse(text);
    return typeof state === "object" && state !== null ? state : {};
  } catch {
    return {};
  }
}

/** The same for programs. */
export function stateParts({ live, status, wait }: ToolState): {
  readonly certificate: EdgeCertificate | null;
  readonly state: string;
  readonly waitsUntil: number | null;
} {
  const until = Number(wait?.until);
  return {
    certificate: readCertificate(JSON.stringify(live ?? null)) ?? null,
    state: `${status}`,
    waitsUntil: until > 0 ? until : null,
  };
}

/** The same for people; not yet fit for a terminal. */
export function stateLines(tool: ToolState, now: number): string[] {
  const { certificate, state, waitsUntil } = stateParts(tool);
  const waits = waitsUntil === null ? [] : [`no CA is asked before ${moment(waitsUntil * 1000)}: ${tool.wait?.why}`];
  if (certificate === null) return ["shows no certificate", `state: ${state}`, ...waits];
  return [
    `${certificateLabel(certificate)}, for ${certificate.names.join(", ")}`,
    `until ${moment(certificate.notAfter).slice(0, 10)}, ${daysLeft(certificate, now)} days`,
    `issued by ${certificate.issuer}`,
    `SHA-256 ${certificate.fingerprint}`,
    `state: ${state}`,
    ...waits,
  ];
}

/** A host may say a time that no calendar has. */
function moment(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "a time that is none" : date.toISOString();
}
