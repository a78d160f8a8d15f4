import type { BaseAgent, ParsedKey, SignCallback, SigningRequestOptions } from "ssh2";
import { UnreachableError } from "../util/errors.js";
import type { AgentKeys, Identity, IdentityBook } from "./identities.js";
import type { Prompter } from "./transport.js";

/** One key to offer to a host. The private half is needed, and its passphrase asked, only once the host accepts it. */
export interface Offer {
  readonly label: string;
  readonly publicKey: ParsedKey;
  /** It signs without asking anyone. */
  readonly isReady: boolean;
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

export interface KeyPlan {
  /** Offered first. */
  readonly early: readonly Offer[];
  /** Encrypted default keys: offered only after a given password failed, because they raise a question. */
  readonly late: readonly Offer[];
  /** What was passed over and why, for the message when the login fails. */
  readonly notes: readonly string[];
}

export interface KeySources {
  readonly book: IdentityBook;
  readonly prompter: Prompter;
  /** The key that the inventory names; it must be usable. */
  readonly explicit: Identity | undefined;
  readonly configured: ReadonlyArray<{ readonly identity: Identity; readonly isDefault: boolean }>;
  readonly agent: AgentKeys;
  readonly identitiesOnly: boolean;
}

/**
 * Decides which keys are offered and in which order: the inventory's, those of ssh_config, the agent's, the default files.
 * sshd counts each as a failed try (MaxAuthTries 6, PerSourcePenalties), so never more than `limit`.
 * @throws UnreachableError E_KEY_FILE when the inventory's key cannot be used.
 */
export function planKeys(sources: KeySources, limit: number): KeyPlan {
  const notes: string[] = [];
  const early: Offer[] = [];
  const late: Offer[] = [];
  const { agent, explicit } = sources;
  const known = new Set<string>();
  const add = (list: Offer[], offer: Offer) => {
    const name = blobOf(offer.publicKey);
    if (!known.has(name)) list.push(offer);
    known.add(name);
  };
  const addFile = (list: Offer[], identity: Identity, isDefault: boolean) => {
    const offer = offerOf(identity, sources);
    if (typeof offer !== "string") add(list, offer);
    else if (!isDefault || identity.status !== "missing") notes.push(offer);
  };

  if (explicit !== undefined) {
    const offer = offerOf(explicit, sources);
    if (typeof offer === "string") {
      throw new UnreachableError("E_KEY_FILE", `The key file ${offer}.`, {
        hint: "Check ansible_ssh_private_key_file (or --private-key).",
      });
    }
    add(early, offer);
  }
  // As with ssh -i: a key that is named takes the place of the default ones.
  const configured = sources.configured.filter(({ isDefault }) => !isDefault || explicit === undefined);
  for (const { identity, isDefault } of configured) if (!isDefault) addFile(early, identity, false);
  for (const { identity, isDefault } of configured) {
    if (isDefault && agentHolds(agent, identity)) addFile(early, identity, true);
  }
  if (!sources.identitiesOnly) for (const key of agent.keys) add(early, agentOffer(agent, key));
  for (const { identity, isDefault } of configured) {
    if (isDefault) addFile(identity.status === "locked" ? late : early, identity, true);
  }
  if (agent.problem !== undefined) notes.push(agent.problem);
  if (early.length > limit) notes.push(`only the first ${limit} of ${early.length} keys were tried`);
  return { early: early.slice(0, limit), late: late.slice(0, Math.max(0, limit - early.length)), notes };
}

function blobOf(key: ParsedKey): string {
  return key.getPublicSSH().toString("base64");
}

function publicKeyOf(identity: Identity): ParsedKey | undefined {
  switch (identity.status) {
    case "ready":
      return identity.key;
    case "locked":
    case "public":
      return identity.publicKey;
    default:
      return undefined;
  }
}

function agentHolds(agent: AgentKeys, identity: Identity): boolean {
  const key = publicKeyOf(identity);
  return key !== undefined && agent.keys.some((held) => blobOf(held) === blobOf(key));
}

/** The offer of an identity file, or why there is none. */
function offerOf(identity: Identity, { agent, book, prompter }: KeySources): Offer | string {
  const publicKey = publicKeyOf(identity);
  if (publicKey !== undefined && agentHolds(agent, identity)) return agentOffer(agent, publicKey, identity.path);
  switch (identity.status) {
    case "ready":
      return {
        label: identity.path,
        publicKey: identity.key,
        isReady: true,
        sign: (data, hash) => signWith(identity.key, data, hash),
      };
    case "locked":
      if (publicKey === undefined) {
        return `${identity.path} is encrypted in an old form and has no .pub beside it (ssh-keygen -p -f renews it)`;
      }
      return {
        label: identity.path,
        publicKey,
        isReady: false,
        sign: async (data, hash) => signWith(await book.unlock(identity, prompter), data, hash),
      };
    case "public":
      return `${identity.path} holds only a public key, and the agent does not have the private one`;
    default:
      return `${identity.path} ${identity.reason}`;
  }
}

function agentOffer(agent: AgentKeys, publicKey: ParsedKey, path?: string): Offer {
  const label = path ?? `${publicKey.comment || publicKey.type} (agent)`;
  return {
    label,
    publicKey,
    isReady: false,
    sign: (data, hash) =>
      new Promise((resolve, reject) => {
        const options = (hash === undefined ? {} : { hash }) as SigningRequestOptions;
        agent.agent?.sign(publicKey, data, options, (error, signature) => {
          if (signature !== undefined && !error) return resolve(signature);
          reject(
            new UnreachableError("E_AUTH", `The agent refuses to sign with ${label}.`, {
              hint: "Confirm the use of the key in the agent, or unlock it: ssh-add",
              cause: error,
            }),
          );
        });
      }),
  };
}

async function signWith(key: ParsedKey, data: Buffer, hash: string | undefined): Promise<Buffer> {
  const signature: Buffer | Error = key.sign(data, hash);
  if (signature instanceof Error) throw signature;
  return signature;
}

/**
 * Presents an offer to ssh2 as an agent that holds one key, because only an agent may take its time to sign: for a
 * passphrase to be asked, or for the real agent to answer.
 */
export function asAgent(
  { BaseAgent }: typeof import("ssh2"),
  offer: Offer,
  onFailure: (error: unknown) => void,
): BaseAgent {
  class OneKeyAgent extends BaseAgent<ParsedKey> {
    override getIdentities(callback: (error: undefined, keys: ParsedKey[]) => void): void {
      callback(undefined, [offer.publicKey]);
    }

    override sign(
      _key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      done?: SignCallback,
    ): void {
      const callback = typeof options === "function" ? options : done;
      const hash = typeof options === "function" ? undefined : options.hash;
      // On failure ssh2 is left waiting: the connection is given up by onFailure.
      offer.sign(data, hash).then((signature) => callback?.(undefined, signature), onFailure);
    }
  }
  return new OneKeyAgent();
}
