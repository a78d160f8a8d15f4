import { connect } from "node:net";

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
/** More than an agent with a hundred large certificates says, bytes. */
const MAX_ANSWER = 1 << 20;
const TIMEOUT_MS = 2000;

/**
 * The types of the keys that an agent holds, those among them that ssh2 does not know (draft-miller-ssh-agent, 3.2):
 * it leaves out certificates and security keys without a word. An agent that does not answer holds none.
 */
export function agentKeyTypes(socketPath: string | undefined): Promise<readonly string[]> {
  if (socketPath === undefined) return Promise.resolve([]);
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = connect(socketPath, () => socket.write(Buffer.of(0, 0, 0, 1, REQUEST_IDENTITIES)));
    const end = (types: readonly string[]) => {
      socket.destroy();
      resolve(types);
    };
    socket.setTimeout(TIMEOUT_MS, () => end([]));
    socket.on("error", () => end([]));
    socket.on("close", () => end([]));
    socket.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > MAX_ANSWER) end([]);
      else if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0)) end(typesIn(answer.subarray(4)));
    });
  });
}

/** The first field of each key blob. */
export function typesIn(message: Buffer): readonly string[] {
  const types: string[] = [];
  try {
    if (message[0] !== IDENTITIES_ANSWER) return [];
    const count = message.readUInt32BE(1);
    let at = 5;
    const field = () => {
      const length = message.readUInt32BE(at);
      const value = message.subarray(at + 4, at + 4 + length);
      at += 4 + length;
      return value;
    };
    for (let index = 0; index < count && at < message.length; index++) {
      const blob = field();
      field(); // comment
      types.push(blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1"));
    }
  } catch {
    // A message that is cut short; what was read of it counts.
  }
  return types;
}
