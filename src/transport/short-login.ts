import type { Client, ParsedKey } from "ssh2";
import type { KeyPlan } from "./key-ring.js";

/** Servers of which is known that they take a login's messages in one go; all do that follow RFC 4253 and 4252. */
const TAKES_ALL = /^(OpenSSH|dropbear)_/;

type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;

/** What ssh2 keeps to itself, as far as it is used here. */
interface Inside {
  readonly _remoteVer?: string;
  readonly _protocol?: {
    _handlers: { SERVICE_ACCEPT?: (protocol: unknown, name: string) => void };
    service(name: string): void;
    authPK(user: string, key: ParsedKey, algorithm: string | undefined, sign?: Sign): void;
  };
}

/**
 * Saves two round trips of a login: ssh2 waits until the host has said that one may log in, and asks of each key whether it
 * would be taken before it signs. The first is no question, and a key that is at hand signs at once (RFC 4252, section 7).
 * An agent's key and one with a passphrase are asked for, as someone may have to touch or type something. RSA is left to
 * ssh2: the host tells the hashes that it takes on the way.
 * @param onFailure where a key cannot sign
 */
export function shortenLogin(client: Client, { early }: KeyPlan, onFailure: (error: unknown) => void): void {
  const inside = client as unknown as Inside;
  const protocol = inside._protocol;
  const ready = early.filter(({ isReady, publicKey }) => isReady && publicKey.type !== "ssh-rsa");
  if (protocol === undefined || ready.length === 0) return;
  const [request, ask] = [protocol.service.bind(protocol), protocol.authPK.bind(protocol)];
  protocol.service = (name) => {
    request(name);
    const accepted = protocol._handlers.SERVICE_ACCEPT;
    if (ready[0] !== early[0] || !TAKES_ALL.test(inside._remoteVer ?? "")) return;
    protocol._handlers.SERVICE_ACCEPT = () => {};
    accepted?.(protocol, name);
  };
  protocol.authPK = (user, key, algorithm, sign) => {
    const offer = ready.find(({ publicKey }) => publicKey === key);
    if (sign !== undefined || offer === undefined) return ask(user, key, algorithm, sign);
    ask(user, key, algorithm, (data, done) => {
      offer.sign(data, undefined).then(done, onFailure);
    });
  };
}
