import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import type { LabHost } from "../../../src/lab/index.js";
import { until } from "./streams.js";

// Let's Encrypt's own test server, as Debian has it, and the DNS server that comes with it: both on the lab's bridge, where the
// host and this machine reach them.

const ACME_PORT = 14_000;
const ADMIN_PORT = 15_000;
const DNS_ADMIN_PORT = 8055;

/** A test CA for the HTTPS of the ACME server; Python 3.13 wants its keyUsage. */
const PKI = (address: string) => `
cat > pki.cnf <<END
[req]
distinguished_name = name
prompt = no
x509_extensions = ca
[name]
CN = CA of the ACME server
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[leaf]
subjectAltName = IP:${address}
authorityKeyIdentifier = keyid
END
ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 -config pki.cnf $ec -keyout acme-ca.key -out acme-ca.pem -days 2
openssl req -new -config pki.cnf $ec -keyout acme.key -out acme.csr
openssl x509 -req -in acme.csr -CA acme-ca.pem -CAkey acme-ca.key -CAcreateserial -extfile pki.cnf -extensions leaf -days 2 -out acme.pem
`;

export interface Pebble {
  /** For https_acme_server. */
  readonly directory: string;
  /** For https_acme_ca, in the folder. */
  readonly caFile: string;
  /** PEM of the root that certificates lead to. */
  readonly root: string;
  /** Address of the DNS server, for a resolv.conf. */
  readonly nameServer: string;
  /** Lines that it logged so far: one for each request, and more. */
  requests(): number;
  /** `Valid` or `Revoked`. */
  statusOf(serial: string): Promise<string>;
  /** Where a name leads; every other name leads to the host. */
  lead(name: string, addresses: { readonly v4?: string; readonly v6?: string }): Promise<void>;
}

interface TestScope {
  teardown(handler: () => unknown): void;
}

/** Starts both for a host, with their files in a folder. */
export async function startPebble(t: TestScope, host: LabHost, folder: string): Promise<Pebble> {
  const address = host.address.replace(/\d+$/, "1");
  execFileSync("sh", ["-ec", PKI(address)], { cwd: folder, stdio: "ignore" });
  const configuration = {
    ...{ listenAddress: `${address}:${ACME_PORT}`, managementListenAddress: `${address}:${ADMIN_PORT}` },
    ...{ certificate: "acme.pem", privateKey: "acme.key", httpPort: 80, tlsPort: 443, ocspResponderURL: "" },
  };
  await writeFile(join(folder, "pebble.json"), JSON.stringify({ pebble: configuration }));
  // Named anew in Pebble 2.10.
  const help = execFileSync("sh", ["-c", "pebble-challtestsrv -help 2>&1 || true"], { encoding: "utf8" });
  const dnsFlag = help.includes("-dnsserver") ? "-dnsserver" : "-dns01";
  const quiet = ["-http01", "", "-https01", "", "-tlsalpn01", ""];
  const management = `${address}:${DNS_ADMIN_PORT}`;
  const names = ["-defaultIPv4", host.address, "-defaultIPv6", "", "-management", management];
  start(t, folder, "pebble-challtestsrv", [...names, dnsFlag, `${address}:53`, ...quiet]);
  let lines = 0;
  const server = start(t, folder, "pebble", ["-config", "pebble.json", "-dnsserver", `${address}:53`]);
  server.stdout?.on("data", (chunk: Buffer) => {
    lines += chunk.toString("utf8").split("\n").length - 1;
  });
  const ca = await readFile(join(folder, "acme-ca.pem"), "utf8");
  const ask = (path: string) => getText(`https://${address}:${ADMIN_PORT}${path}`, ca);
  const root = await until("Pebble", () => ask("/roots/0").catch(() => undefined));
  const dns = async (what: string, body: object) => {
    await fetch(`http://${management}/${what}`, { method: "POST", body: JSON.stringify(body) });
  };
  return {
    directory: `https://${address}:${ACME_PORT}/dir`,
    caFile: "acme-ca.pem",
    root,
    nameServer: address,
    requests: () => lines,
    statusOf: async (serial) => JSON.parse(await ask(`/cert-status-by-serial/${serial.toLowerCase()}`)).Status,
    async lead(name, { v4, v6 }) {
      const all = (value: string | undefined) => ({ host: `${name}.`, addresses: value === undefined ? [] : [value] });
      await dns("clear-a", { host: `${name}.` });
      await dns("clear-aaaa", { host: `${name}.` });
      if (v4 !== undefined) await dns("add-a", all(v4));
      if (v6 !== undefined) await dns("add-aaaa", all(v6));
    },
  };
}

function start(t: TestScope, cwd: string, program: string, words: readonly string[]): ChildProcess {
  // Without its pauses, and without its random refusals of good requests.
  // By chance it would take a proof of before for a new one, and refuse numbers that are used once.
  const noChance = { PEBBLE_AUTHZREUSE: "0", PEBBLE_WFE_NONCEREJECT: "0" };
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: "1", ...noChance };
  const child = spawn(program, words, { cwd, env, stdio: ["ignore", "pipe", "ignore"] });
  child.stdout?.resume();
  t.teardown(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  return child;
}

function getText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { ca, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    request.on("error", reject).end();
  });
}
