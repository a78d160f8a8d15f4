import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import type { Finding } from "./finding.js";

/** A list of advisories that is older than this knows too little, days. */
const OLD_LIST_DAYS = 60;
const DAY_MS = 86_400_000;
const OTHERS_MAY_WRITE = 0o022;

/** What is looked at on this machine. */
export interface Controller {
  /** `v20.19.0` */
  readonly node: string;
  /** Oldest Node.js that this package runs on. */
  readonly oldestNode: string;
  readonly cacheDir: string;
  readonly knownHosts: string;
  /** YYYY-MM-DD of the list of advisories. */
  readonly listDate: string;
  readonly now: number;
  /** First line that a program says about its version; undefined where it is not installed. */
  readonly versionOf: (program: string, argument: string) => Promise<string | undefined>;
}

/** The checks of this machine. */
export async function controllerFindings(controller: Controller): Promise<Finding[]> {
  const { versionOf } = controller;
  const [ssh, ansible] = await Promise.all([versionOf("ssh", "-V"), versionOf("ansible-playbook", "--version")]);
  return [
    { level: "ok", check: "node", text: `Node.js ${controller.node} (${controller.oldestNode} or newer is needed)` },
    ssh === undefined
      ? {
          level: "problem",
          check: "ssh",
          text: "ssh is not installed: edge-setup asks it for ssh_config's settings of a host",
          hint: "Install OpenSSH's client.",
        }
      : { level: "ok", check: "ssh", text: ssh },
    await fileFinding(controller.knownHosts, "known-hosts", "keys of hosts are kept in"),
    await fileFinding(controller.cacheDir, "cache", "sources are kept in"),
    {
      level: ansible === undefined ? "note" : "ok",
      check: "ansible",
      text: ansible ?? "ansible-playbook is not installed, and is not needed",
    },
    listFinding(controller),
  ];
}

/** What others may write is nothing to trust. */
async function fileFinding(path: string, check: string, what: string): Promise<Finding> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return { level: "note", check, text: `${what} ${path}, which is not there yet` };
  if ((info.mode & OTHERS_MAY_WRITE) === 0) return { level: "ok", check, text: `${what} ${path}` };
  return {
    level: "problem",
    check,
    text: `${what} ${path}, which other users of this machine may write`,
    hint: `chmod go-w ${path}`,
  };
}

function listFinding({ listDate, now }: Controller): Finding {
  const days = Math.floor((now - Date.parse(listDate)) / DAY_MS);
  const text = `the list of advisories is of ${listDate}`;
  if (days <= OLD_LIST_DAYS) return { level: "ok", check: "list", text };
  return {
    level: "note",
    check: "list",
    text: `${text}, ${days} days ago: a newer edge-setup knows what was found since (npx edge-setup@latest doctor)`,
  };
}

/** Asks a program for its version. */
export function programVersion(program: string, argument: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [argument], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve(error === null ? (stdout || stderr).split("\n")[0]?.trim() : undefined);
    });
  });
}
