import { type EdgeError, HostKeyError, InputError, UnreachableError } from "../util/errors.js";
import { safeLine } from "../util/safe-text.js";
import { quote } from "../util/shell.js";
import { dialError, handshakeError, lostError, type Place, timeoutError } from "./connect-errors.js";

const MAX_REASON = 300;

/** Which of the things that ssh says on stderr tells what went wrong, in the words and codes of the other connector. */
export function openSshError(stderr: string, place: Place, triedPassword = false): EdgeError {
  const text = stderr.slice(-32 * 1024);
  return (
    hostKeyProblem(text) ??
    configProblem(text, place) ??
    forwardProblem(text, place) ??
    networkProblem(text, place) ??
    loginProblem(text, place, triedPassword) ??
    handshakeProblem(text, place) ??
    new UnreachableError("E_CONNECTION_LOST", `${place.label}: ssh gives up: ${lastLine(text)}.`, {
      hint: `Try it by hand: ssh -v ${quote(place.hostname)}`,
    })
  );
}

/** The last line that says something. */
export function lastLine(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return safeLine(lines.at(-1) ?? "it says nothing", MAX_REASON).replace(/\.$/, "");
}

function hostKeyProblem(text: string): HostKeyError | undefined {
  const revoked = /REVOKED HOST KEY DETECTED|key for (\S+) (?:is|was) (?:marked as )?revoked/i.exec(text);
  if (revoked !== null) {
    return new HostKeyError("E_HOST_KEY_REVOKED", `The key of ${nameIn(text)} is marked @revoked in known_hosts.`, {
      hint: "Give the host new keys (on the host: rm /etc/ssh/ssh_host_*_key*; ssh-keygen -A) before trusting it again.",
    });
  }
  if (/HOST IDENTIFICATION HAS CHANGED/.test(text)) {
    const [, type = "its", shown = ""] =
      /fingerprint for the (\S+) key sent by the remote host is\s+(SHA256:[A-Za-z0-9+/=]+)/.exec(text) ?? [];
    const known = /Offending (?:\S+ )?key in (\S+):(\d+)/.exec(text);
    const [, file, line] = known ?? [];
    const name = nameIn(text);
    const where = file === undefined ? "known_hosts" : `${safeLine(file)}:${line}`;
    return new HostKeyError(
      "E_HOST_KEY_CHANGED",
      `The key of ${name} has changed: it shows ${safeLine(type, 40)} ${shown}, and ${where} knows another one. Either the host was installed anew, or somebody stands between.`,
      {
        hint: `If the host was installed anew, forget the old key: ssh-keygen -R ${quote(name)}${file === undefined ? "" : ` -f ${quote(safeLine(file))}`}`,
      },
    );
  }
  if (!/Host key verification failed|No \S+ host key is known for|Certificate invalid/i.test(text)) return undefined;
  const certificate = /Certificate invalid: ([^\n]+)/i.exec(text)?.[1];
  const why =
    certificate === undefined ? "" : ` Its certificate is not good: ${safeLine(certificate, MAX_REASON).trim()}.`;
  return new HostKeyError("E_HOST_KEY_UNKNOWN", `The key of ${nameIn(text)} is not known.${why}`, {
    hint: "Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there), then run again with --accept-new.",
  });
}

function nameIn(text: string): string {
  const name =
    /Host key for (\S+) has changed/.exec(text)?.[1] ??
    /No \S+ host key is known for (\S+)/.exec(text)?.[1] ??
    /key for (\S+) (?:is|was) (?:marked as )?revoked/i.exec(text)?.[1];
  return name === undefined ? "the host" : safeLine(name, MAX_REASON);
}

function configProblem(text: string, place: Place): InputError | undefined {
  if (
    !/Bad configuration option|terminating, \d+ bad configuration|command-line: line|Bad owner or permissions/.test(
      text,
    )
  )
    return undefined;
  return new InputError("E_SSH_CONFIG", `ssh does not accept its configuration: ${lastLine(text)}`, {
    hint: `Run: ssh -G ${quote(place.hostname)}`,
  });
}

function forwardProblem(text: string, place: Place): UnreachableError | undefined {
  const refused = /open failed: (administratively prohibited|connect failed|unknown channel type)?:? ?([^\n]*)/.exec(
    text,
  );
  if (refused === null || !/stdio forwarding failed|Stdio forwarding request failed/.test(text)) return undefined;
  const [, kind = "", reason = ""] = refused;
  if (kind === "administratively prohibited") {
    return new UnreachableError(
      "E_FORWARD_DENIED",
      `${place.label}: a jump host before it does not forward connections.`,
      { hint: "Set AllowTcpForwarding yes (and PermitOpen) in the jump host's sshd_config." },
    );
  }
  const through = { ...place, label: `${place.label} (through its jump host)` };
  return networkProblem(reason, through) ?? dialError({ message: safeLine(reason, MAX_REASON) }, through);
}

const NETWORK: ReadonlyArray<readonly [pattern: RegExp, code: string]> = [
  [
    /Could not resolve hostname|Name or service not known|nodename nor servname|Temporary failure in name/i,
    "ENOTFOUND",
  ],
  [/Connection refused/i, "ECONNREFUSED"],
  [/No route to host|Network is unreachable|Host is down/i, "EHOSTUNREACH"],
];

function networkProblem(text: string, place: Place): UnreachableError | undefined {
  const line = text.split(/\r?\n/).find((one) => NETWORK.some(([pattern]) => pattern.test(one)));
  const found = NETWORK.find(([pattern]) => line !== undefined && pattern.test(line));
  // A jump host that cannot be reached is told by its own name.
  const [, host, port] = /(?:connect to host|resolve hostname) ([^\s:]+)(?: port (\d+))?/.exec(line ?? "") ?? [];
  const other = host !== undefined && host.toLowerCase() !== place.hostname;
  const where = other
    ? {
        ...place,
        hostname: safeLine(host),
        port: Number(port ?? 22),
        label: `${safeLine(host)} (jump host of ${place.hostname})`,
      }
    : place;
  if (found !== undefined) return dialError({ code: found[1], message: line }, where);
  return /timed out/i.test(text) ? timeoutError(place, "does not answer") : undefined;
}

function loginProblem(text: string, place: Place, triedPassword: boolean): UnreachableError | undefined {
  const [, who, methods] = /(?:^|\n)(?:([^\s:]+): )?Permission denied \(([^)\n]*)\)/.exec(text) ?? [];
  const tooMany = /Too many authentication failures/i.test(text);
  if (methods === undefined && !tooMany && !/no more authentication methods|Authentication failed/i.test(text))
    return undefined;
  const at =
    who === undefined || place.label.startsWith(`${who}:`)
      ? place.label
      : `${safeLine(who)} (jump host of ${place.hostname})`;
  const accepts =
    methods === undefined ? "" : ` The host accepts: ${safeLine(methods.replaceAll(",", ", "), MAX_REASON)}.`;
  const nothing = triedPassword ? "refused: password" : "OpenSSH has nothing that the host takes";
  const why = tooMany ? "too many keys were tried" : nothing;
  return new UnreachableError("E_AUTH", `${at}: the login fails; ${why}.${accepts}${keyNotes(text)}`, {
    hint: triedPassword
      ? "Check the user (ansible_user) and the password (ansible_password or --ask-pass)."
      : "Check the user (ansible_user) and the key or certificate (ansible_ssh_private_key_file); `ssh -v HOST` tells what was tried.",
  });
}

/** What ssh says of keys that it could not use. */
function keyNotes(text: string): string {
  const notes = text
    .split(/\r?\n/)
    .filter((line) =>
      /^(sign_and_send_pubkey|Load key|no such identity|Confirm user presence|.*certificate)/i.test(line),
    )
    .slice(0, 3);
  return notes.map((line) => ` Note: ${safeLine(line, MAX_REASON)}.`).join("");
}

function handshakeProblem(text: string, place: Place): UnreachableError | undefined {
  const algorithm = /Unable to negotiate with[^\n]*?: (no matching [^\n]+)/.exec(text)?.[1];
  if (algorithm !== undefined) {
    return new UnreachableError(
      "E_HANDSHAKE",
      `${place.label}: no common algorithm: ${safeLine(algorithm, MAX_REASON)}.`,
      { hint: "Allow one of them for this host in ssh_config, or a newer one in the host's sshd_config." },
    );
  }
  if (/kex_exchange_identification|ssh_exchange_identification|banner exchange/.test(text)) {
    if (/invalid|not a valid|Connection to UNKNOWN/i.test(text)) {
      return new UnreachableError("E_HANDSHAKE", `${place.label}: port ${place.port} does not speak SSH.`, {
        hint: "Another service has the port: check ansible_port.",
      });
    }
    return handshakeError(undefined, place, false);
  }
  return /Connection (?:closed|reset)|Broken pipe/i.test(text)
    ? lostErrorDuringLogin(place, lastLine(text))
    : undefined;
}

function lostErrorDuringLogin(place: Place, reason: string): UnreachableError {
  return lostError(place.label, `during the login: ${reason}`);
}
