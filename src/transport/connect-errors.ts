import { UnreachableError } from "../util/errors.js";
import { safeLine } from "../util/safe-text.js";

/** Names a host in messages: where, and through which jump host. */
export interface Place {
  /** `pi@pi-church.local:22` or `bastion:22 (jump host of pi-church)` */
  readonly label: string;
  readonly hostname: string;
  readonly port: number;
}

/** Turns what a TCP socket reports into words. */
export function dialError(error: unknown, place: Place): UnreachableError {
  const { code, message } = rootOf(error);
  const where = `${place.label}`;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "EAI_NONAME":
      return unreachable(
        "E_DNS",
        `${where}: the name ${place.hostname} does not resolve (${code}).`,
        dnsHint(place),
        error,
      );
    case "ECONNREFUSED":
      return unreachable(
        "E_REFUSED",
        `${where}: nothing listens on port ${place.port} (connection refused).`,
        "Check ansible_host and ansible_port, and that sshd runs: systemctl status ssh",
        error,
      );
    case "ETIMEDOUT":
      return timeoutError(place, "does not answer");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
    case "EHOSTDOWN":
    case "EACCES":
    case "EPERM":
      return unreachable(
        "E_NO_ROUTE",
        `${where}: no route to ${place.hostname} (${code}).`,
        "Check that the host is switched on, on this network or VPN, and that no firewall rejects it.",
        error,
      );
    default:
      return unreachable("E_CONNECTION_LOST", `${where}: the connection fails: ${message}.`, RESET_HINT, error);
  }
}

const RESET_HINT =
  "sshd drops connections when too many start at once (MaxStartups) or after failed logins (PerSourcePenalties, fail2ban): wait a minute and try again.";

function dnsHint(place: Place): string {
  return place.hostname.endsWith(".local")
    ? "A .local name needs mDNS on this machine (libnss-mdns or Avahi); or give the address as ansible_host."
    : "Check the spelling, or give the address as ansible_host.";
}

/** @param afterMs how long we waited, where it was us who gave up */
export function timeoutError(place: Place, what: string, afterMs?: number): UnreachableError {
  const limit = afterMs === undefined ? "in time" : `within ${afterMs / 1000} s`;
  return unreachable(
    "E_TIMEOUT",
    `${place.label}: ${place.hostname} port ${place.port} ${what} ${limit}.`,
    "Check that the host is switched on and that no firewall drops the port; a slow host may need a longer --timeout (or ConnectTimeout in ssh_config).",
  );
}

/** Turns what a jump host says about opening the next connection into words (RFC 4254, section 5.1). */
export function forwardError(error: Error & { reason?: unknown }, place: Place, through: string): UnreachableError {
  const text = error.message.replace(/^\(SSH\) Channel open failure: /, "");
  const label = `${place.label} (through ${through})`;
  if (error.reason === 1 || /prohibited/i.test(text)) {
    return unreachable(
      "E_FORWARD_DENIED",
      `${label}: the jump host does not forward connections.`,
      "Set AllowTcpForwarding yes (and PermitOpen) in the jump host's sshd_config.",
      error,
    );
  }
  const code = /refused/i.test(text)
    ? "ECONNREFUSED"
    : /not known|resolve|resolution|nodename/i.test(text)
      ? "ENOTFOUND"
      : /timed out/i.test(text)
        ? "ETIMEDOUT"
        : /no route|unreachable/i.test(text)
          ? "EHOSTUNREACH"
          : undefined;
  return dialError({ code, message: text }, { ...place, label });
}

/** Turns what ssh2 reports between the TCP connection and the login into words. */
export function handshakeError(error: unknown, place: Place, sawBanner: boolean): UnreachableError {
  const { message, code } = rootOf(error);
  const level = (error as { level?: unknown } | null)?.level;
  if (/no matching/.test(message)) {
    return unreachable(
      "E_HANDSHAKE",
      `${place.label}: no common algorithm: ${message.replace(/^Handshake failed: /, "")}.`,
      "edge-setup speaks curve25519, ecdh-nistp and dh-group14 to 18 for the key exchange; allow one of them in sshd_config (KexAlgorithms).",
      error,
    );
  }
  if (/too many authentication failures/i.test(message)) {
    return unreachable(
      "E_AUTH",
      `${place.label}: too many failed logins in one connection.`,
      "Name the right key with ansible_ssh_private_key_file.",
      error,
    );
  }
  if (level === "client-socket") return dialError(error, place);
  if (!sawBanner) {
    return unreachable(
      "E_HANDSHAKE",
      error === undefined || /Connection lost before handshake|No response from server/.test(message)
        ? `${place.label}: the host closes the connection before it says it is an SSH server.`
        : `${place.label}: port ${place.port} does not speak SSH (${message}).`,
      code === undefined ? `${RESET_HINT} Or another service has the port: check ansible_port.` : RESET_HINT,
      error,
    );
  }
  if (level === "handshake" || level === "protocol") {
    return unreachable("E_HANDSHAKE", `${place.label}: the SSH handshake fails: ${message}.`, undefined, error);
  }
  return unreachable(
    "E_CONNECTION_LOST",
    `${place.label}: the host closes the connection during the login (${message}).`,
    RESET_HINT,
    error,
  );
}

/** The link broke after the login. */
export function lostError(label: string, reason: string, cause?: unknown): UnreachableError {
  return unreachable(
    "E_CONNECTION_LOST",
    `${label}: the connection is lost: ${reason}.`,
    "Check the network and whether the host restarted, then run again: what is done stays done.",
    cause,
  );
}

/** Characters of a message; what a host says in it may be long. */
const MAX_MESSAGE = 500;

function unreachable(code: string, message: string, hint: string | undefined, cause?: unknown): UnreachableError {
  return new UnreachableError(code, safeLine(message, MAX_MESSAGE), { hint, cause });
}

/** Node reports several failed addresses as one AggregateError; the first that says something useful speaks for all. */
function rootOf(error: unknown): { code: string | undefined; message: string } {
  const candidates = error instanceof AggregateError ? error.errors : [error];
  const ranked = [...candidates].sort((a, b) => rank(codeOf(a)) - rank(codeOf(b)));
  const best: unknown = ranked[0] ?? error;
  const message = (best as { message?: unknown } | null)?.message;
  return { code: codeOf(best), message: typeof message === "string" && message !== "" ? message : String(best) };
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

function rank(code: string | undefined): number {
  const order = ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"];
  const index = order.indexOf(code ?? "");
  return index < 0 ? order.length : index;
}
