import { gunzipSync } from "node:zlib";
import { LocalTransport } from "../../../src/transport/local-transport.js";
import type { ExecOptions, ExecResult } from "../../../src/transport/transport.js";
import type { Sandbox, Told } from "./sandbox.js";

/** A host that runs programs in a sandbox, and says of itself what it is told to. */
export class NastyHost extends LocalTransport {
  readonly told: Told[] = [];

  constructor(
    readonly sandbox: Sandbox,
    /** Of uname, os-release and the like, by name. */
    readonly facts: Readonly<Record<string, string>>,
  ) {
    super();
  }

  override async exec(_command: string, options: ExecOptions = {}): Promise<ExecResult> {
    if (!(options.stdin instanceof Uint8Array)) throw new Error("no program");
    const text = gunzipSync(options.stdin).toString("utf8");
    const end = (stdout: Buffer) => {
      options.onStdout?.(stdout);
      return { code: 0, signal: null, stdout, stderr: Buffer.alloc(0) };
    };
    if (!text.startsWith("{\nW=")) {
      const lines = Object.entries({ ...this.facts, end: "ok" }).map(([name, value]) => `\u001e${name}\t${value}\n`);
      return end(Buffer.from(lines.join("")));
    }
    const nonce = /^NONCE=(\S+)/m.exec(text)?.[1] ?? "";
    const told = this.sandbox.run(text, { nonce });
    this.told.push(told);
    return end(told.stdout);
  }
}
