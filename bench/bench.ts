/**
 * `npm run bench [-- apply | delivery | latency | transcode | twins] [OPTIONS]`: one table each, all ratios from one run on one machine. Boots lab hosts,
 * so it needs what the lab tests need. docs/performance.md tells what is measured and how.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { installPackages, missingPackages } from "../src/lab/index.js";
import type { BenchOptions, BenchScope } from "./scope.js";

type Bench = (scope: BenchScope, options: BenchOptions) => Promise<void>;

const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  apply: async () => (await import("./apply.js")).benchApply,
  delivery: async () => (await import("./delivery.js")).benchDelivery,
  latency: async () => (await import("./latency.js")).benchLatency,
  transcode: async () => (await import("./transcode.js")).benchTranscode,
  twins: async () => (await import("./twins.js")).benchTwins,
};

const cleanups: (() => unknown)[] = [];
const scope: BenchScope = {
  teardown: (handler) => void cleanups.unshift(handler),
  comment: (text) => console.error(text),
};

/** What `apply` compares with, and how it measures: Debian packages by a file that they bring. */
const COMPARED: Readonly<Record<string, string>> = {
  "/usr/bin/ansible-playbook": "ansible-core",
  "/usr/lib/python3/dist-packages/ansible_mitogen": "ansible-mitogen",
  "/usr/bin/time": "time",
};

function notHere(packages: Readonly<Record<string, string>>): string[] {
  return Object.entries(packages).flatMap(([file, name]) => (existsSync(file) ? [] : [name]));
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      "source-dir": { type: "string" },
      "extra-vars": { type: "string", short: "e", multiple: true },
      viewers: { type: "string" },
      build: { type: "string" },
      "peer-srs": { type: "string" },
      fragments: { type: "string" },
      part: { type: "string", multiple: true },
      hosts: { type: "string" },
      rtt: { type: "string" },
    },
  });
  const name = positionals[0] ?? "apply";
  const load = BENCHES[name];
  if (load === undefined) throw new Error(`there is no bench "${name}", only ${Object.keys(BENCHES).join(", ")}`);
  const missing = [...missingPackages(), ...(name === "apply" ? notHere(COMPARED) : [])];
  if (missing.length > 0) await installPackages(missing, { onProgress: scope.comment });
  await (await load())(scope, values);
}

try {
  await main();
} finally {
  for (const cleanup of cleanups) await cleanup();
}
