import { createHash } from "node:crypto";
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  bootHost,
  findFrozen,
  freezeHost,
  type LabArchitecture,
  type LabHost,
  type LabLayer,
  type LabLayerRequest,
} from "../../../src/lab/index.js";
import { withLock } from "../../../src/lab/lock.js";
import { cacheDir } from "../../../src/lab/paths.js";
import { type Desk, makeDesk } from "./cli.js";
import { inventoryOf, runProgram } from "./lab.js";

const root = resolve(import.meta.dirname, "../../..");

/** Inventory name of a provisioned host; its secrets are filed under it. */
export const EDGE = "edge";

/** Folders that decide what an edge is: when one changes, the provisioned layer is made anew. */
const PRODUCT = ["playbooks", "assets", "systemd", "nginx-build", "src/inventory", "src/modules"];

/** Where a provisioned host keeps the inventory that it was made from (its secrets above all) for the next boots. */
const KEPT_INVENTORY = "/root/lab-inventory";

/** EDGE_LAB_FROM=packages: the suites' edges run Debian's own NGINX; with `packages-rtmp` its RTMP too (docs/packages.md). */
const FROM: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  source: {},
  packages: { nginx_from: "packages" },
  "packages-rtmp": { nginx_from: "packages", rtmp_module: "package" },
};

/** Sources that the package mirror alone can give. */
const LAB_VARS = { nginx_sources: "debian", ...FROM[process.env.EDGE_LAB_FROM ?? "source"] };

interface TestScope {
  teardown(handler: () => unknown): void;
  comment(text: string): void;
}

/** A host, and a desk whose edges.yml names it. */
export interface LabEdge {
  readonly host: LabHost;
  readonly desk: Desk;
}

/** The packages that the play asks for, so that no suite waits for apt. Python is for ansible-playbook. */
export async function edgeLayer(): Promise<LabLayerRequest> {
  const lock = JSON.parse(await readFile(join(root, "nginx-build/sources.lock.json"), "utf8"));
  const build: string[] = lock.edge_lock.profiles["debian-trixie"].packages.debian;
  return { name: "edge", packages: [...build, "ca-certificates", "certbot", "curl", "ffmpeg", "python3"] };
}

/** A bare host with the packages, an inventory for it in a folder of its own, both gone after the test. */
export async function bootBare(
  t: TestScope,
  vars: Readonly<Record<string, unknown>> = {},
  architecture?: LabArchitecture,
): Promise<LabEdge> {
  const onProgress = (line: string) => t.comment(line);
  const host = await bootHost({ name: EDGE, architecture, layer: await edgeLayer(), onProgress });
  t.teardown(() => host.stop());
  const edge = await deskFor(host, { ...LAB_VARS, ...vars });
  t.teardown(() => rm(edge.desk.folder, { recursive: true, force: true }));
  return edge;
}

/** A provisioned host. The first one of a state of the product is compiled and frozen, all others boot on that. */
export async function bootEdge(t: TestScope): Promise<LabEdge> {
  const key = await productKey();
  const layer = await provisionedLayer(t, key);
  const host = await bootHost({ name: EDGE, from: layer, onProgress: (line) => t.comment(line) });
  t.teardown(() => host.stop());
  const edge = await deskFor(host, LAB_VARS);
  t.teardown(() => rm(edge.desk.folder, { recursive: true, force: true }));
  const kept = await host.exec(`tar -C ${KEPT_INVENTORY} -cf - . | base64 -w0`);
  await runProgram(["sh", "-c", `base64 -d | tar -C "$1" -xf -`, "sh", edge.desk.folder], { input: kept.stdout });
  return edge;
}

/** Several provisioned hosts, each with a name of its own, and one desk for all. */
export interface LabEdges {
  readonly hosts: readonly LabHost[];
  readonly desk: Desk;
  readonly vars: Readonly<Record<string, unknown>>;
}

/** The others but the first get secrets of their own at their next apply. */
export async function bootEdges(t: TestScope, count: number): Promise<LabEdges> {
  const { host, desk } = await bootEdge(t);
  const layer = await provisionedLayer(t, await productKey());
  const hosts = [host];
  while (hosts.length < count) {
    const name = `${EDGE}${hosts.length + 1}`;
    const other = await bootHost({ name, from: layer, onProgress: (line) => t.comment(line) });
    t.teardown(() => other.stop());
    hosts.push(other);
  }
  // The desk trusts what the first one's file holds.
  const keys = await Promise.all(hosts.slice(1).map((other) => readFile(other.knownHostsFile, "utf8")));
  await appendFile(host.knownHostsFile, keys.join(""));
  const vars = LAB_VARS;
  await writeFile(join(desk.folder, "edges.yml"), inventoryOf(hosts, vars));
  return { hosts, desk, vars };
}

/** Under a lock: suites run side by side, and others wait for what the first one provisions. */
function provisionedLayer(t: TestScope, key: string): Promise<LabLayer> {
  return withLock(
    join(cacheDir(), "edge.lock"),
    async () => (await findFrozen(EDGE, key)) ?? (await provision(t, key)),
  );
}

async function provision(t: TestScope, key: string): Promise<LabLayer> {
  t.comment("provisioning the edge that the suites share (once for each state of the product, minutes)");
  const host = await bootHost({ name: EDGE, layer: await edgeLayer(), onProgress: (line) => t.comment(line) });
  try {
    const edge = await deskFor(host, LAB_VARS);
    const apply = await edge.desk.run("apply", "--no-input", "--yes", "--no-verify");
    if (apply.code !== 0) throw new Error(`apply ends with code ${apply.code}:\n${apply.stdout}${apply.stderr}`);
    const secrets = await runProgram(["sh", "-c", `tar -C "$1" -cf - group_vars | base64 -w0`, "sh", edge.desk.folder]);
    await host.exec(`mkdir -p -m 700 ${KEPT_INVENTORY} && base64 -d | tar -C ${KEPT_INVENTORY} -xf -`, {
      input: secrets.stdout,
    });
    await rm(edge.desk.folder, { recursive: true, force: true });
    return await freezeHost(host, EDGE, key);
  } catch (error) {
    await host.stop();
    throw error;
  }
}

/** A desk with an edges.yml that names the host. */
async function deskFor(host: LabHost, vars: Readonly<Record<string, unknown>>): Promise<LabEdge> {
  const folder = await mkdtemp(join(tmpdir(), "edge-lab-"));
  await writeFile(join(folder, "edges.yml"), inventoryOf([host], vars));
  return { host, desk: makeDesk(folder, host) };
}

/** Names the state of the product: a hash over all its files that shape a host. */
async function productKey(): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(LAB_VARS));
  for (const folder of PRODUCT) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(`${file.slice(root.length)}\0`).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 12);
}
