import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { quote } from "../util/shell.js";

/** A socket's path has 104 bytes on macOS and 108 on Linux; ssh adds 17 while it makes it, and we a name. */
const LONGEST = 70;

/** The private folder (0700) of one OpenSSH connection. */
export interface OpenSshFolder {
  readonly path: string;
  /** ControlPath */
  readonly control: string;
  /** Where the askpass program finds us. */
  readonly questions: string;
  readonly askpass: string;
  /** For ssh -F: what we insist on, then the user's own files. */
  readonly config: string;
}

/** What ssh runs to ask: it takes the question to the socket beside it, and the answer back. No secret is an argument. */
const ASKPASS = `"use strict";
const socket = require("node:net").connect(require("node:path").join(__dirname, "q"));
let answer = "";
socket.on("error", () => process.exit(1));
socket.on("connect", () =>
  socket.write(JSON.stringify({ text: process.argv[2] || "", kind: process.env.SSH_ASKPASS_PROMPT || "" }) + "\\n"));
socket.on("data", (chunk) => { answer += chunk; });
socket.on("end", () => {
  const said = answer === "" ? {} : JSON.parse(answer);
  if (typeof said.answer !== "string") process.exit(1);
  process.stdout.write(said.answer + "\\n");
});
`;

export interface OpenSshRules {
  /** -F of the user; their own and the system's files otherwise. */
  readonly configFile: string | undefined;
  /** Replaces UserKnownHostsFile. */
  readonly knownHostsFile: string | undefined;
}

/** Makes the folder. What is in its configuration goes for jump hosts too: ssh hands -F on to them. */
export function makeOpenSshFolder(rules: OpenSshRules): OpenSshFolder {
  const base = [process.env.XDG_RUNTIME_DIR, tmpdir()].find((path) => path?.startsWith("/") && path.length < LONGEST);
  const path = mkdtempSync(join(base ?? "/tmp", "es-"));
  chmodSync(path, 0o700);
  const folder = {
    path,
    control: join(path, "m"),
    questions: join(path, "q"),
    askpass: join(path, "ask"),
    config: join(path, "config"),
  };
  writeFileSync(join(path, "ask.cjs"), ASKPASS, { mode: 0o600 });
  // Electron and the like need the variable, and Node does not mind it.
  const node = `ELECTRON_RUN_AS_NODE=1 exec ${quote(process.execPath)} ${quote(join(path, "ask.cjs"))} "$1"`;
  writeFileSync(folder.askpass, `#!/bin/sh\n${node}\n`, { mode: 0o700 });
  writeFileSync(folder.config, configText(rules), { mode: 0o600 });
  return folder;
}

/** The first value that ssh finds counts. */
function configText({ configFile, knownHostsFile }: OpenSshRules): string {
  // ssh looks below ~/.ssh for what is included by a relative path.
  const own = configFile === undefined ? undefined : resolve(configFile);
  const files = own === undefined ? [join(homedir(), ".ssh", "config"), "/etc/ssh/ssh_config"] : [own];
  return [
    "Host *",
    // A new key is asked about by us; a changed one is refused, whatever the user's files say.
    "  StrictHostKeyChecking ask",
    ...(knownHostsFile === undefined ? [] : [`  UserKnownHostsFile ${quoted(knownHostsFile)}`]),
    // We count the time ourselves: ssh's goes on while somebody thinks about a jump host's key.
    "  ConnectTimeout none",
    "  BatchMode no",
    "  UpdateHostKeys no",
    "  VisualHostKey no",
    "  FingerprintHash sha256",
    "  ServerAliveInterval 15",
    "  ServerAliveCountMax 4",
    ...files.map((file) => `Include ${quoted(file)}`),
    "",
  ].join("\n");
}

function quoted(path: string): string {
  return `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
