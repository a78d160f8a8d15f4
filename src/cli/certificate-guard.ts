import { type AcmeObstacle, acmeObstacle, systemAcmeEffects } from "../discovery/acme-check.js";
import type { Findings, Guards } from "../engine/host-play.js";
import { certificateKind, showsCertificate } from "../inventory/settings/https-clashes.js";
import { type EmitEvent, nowText } from "../report/events.js";
import { TaskError } from "../util/errors.js";
import type { FleetHost } from "./fleet.js";

/** Of playbooks/tasks/certificate-ca.yml: what it has to do is asking a CA. */
const TASK = "The certificate is the CA's";

/** The results that it looks at. */
export const GUARD_ASKS: readonly string[] = ["edge_release.stdout", "edge_certificate.stdout"];

/**
 * Looks, from this machine, at what a CA will look at, before a host is changed in order to ask one. A host whose certificate is
 * current costs nothing here. By ansible-playbook, edge-certs looks at the same from the host.
 */
export function certificateGuard(
  { host, settings, access }: FleetHost,
  { emit, signal }: { readonly emit: EmitEvent; readonly signal: AbortSignal },
): Guards {
  if (!showsCertificate(settings.values) || certificateKind(settings.values) !== "acme") return {};
  const warn = (text: string) =>
    emit({ type: "message", time: nowText(), level: "warning", host: host.name, text: sentence(text) });
  return {
    [TASK]: async ({ facts, results }: Findings) => {
      const obstacle = await acmeObstacle(
        {
          ...questionOf({ settings, access }),
          own: [...texts(facts.all_ipv4_addresses), ...texts(facts.all_ipv6_addresses)],
          isEdge: outputOf(results.edge_release) !== "",
          clockSkew: Math.round(epochOf(facts.date_time) - Date.now() / 1000),
        },
        signal,
        { ...systemAcmeEffects, warn },
      );
      if (obstacle === undefined) return;
      // A good certificate is there, and only its renewal is late.
      if (outputOf(results.edge_certificate).startsWith("due:")) warn(`${obstacle.text}: ${obstacle.hint}`);
      else throw refusal(obstacle);
    },
  };
}

/**
 * The same before a renewal that is asked for by hand.
 * @param shown what `edge-certs show` said
 * @throws TaskError for what stands in the way
 */
export async function lookBeforeCa(
  one: FleetHost,
  shown: { readonly addresses?: unknown; readonly now?: unknown },
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const clockSkew = Math.round(epochOf({ epoch: shown.now }) - Date.now() / 1000);
  const question = { ...questionOf(one), own: texts(shown.addresses), isEdge: true, clockSkew };
  const obstacle = await acmeObstacle(question, signal, { ...systemAcmeEffects, warn });
  if (obstacle !== undefined) throw refusal(obstacle);
}

function questionOf({ settings: { values }, access }: Pick<FleetHost, "settings" | "access">) {
  const reachedAt = access.address.connection === "local" ? "127.0.0.1" : access.address.host;
  return { names: values.https_cert_domain, direct: values.https_dns_check, reachedAt };
}

function refusal({ text, hint }: AcmeObstacle): TaskError {
  return new TaskError("E_ACME", `No CA was asked: ${text}.`, { hint: sentence(hint) });
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function outputOf(result: unknown): string {
  const stdout = typeof result === "object" && result !== null && "stdout" in result ? result.stdout : "";
  return typeof stdout === "string" ? stdout : "";
}

/** Seconds since 1970 by the host's clock; ours where it does not say. */
function epochOf(dateTime: unknown): number {
  const epoch = typeof dateTime === "object" && dateTime !== null && "epoch" in dateTime ? Number(dateTime.epoch) : 0;
  return epoch > 0 ? epoch : Date.now() / 1000;
}
