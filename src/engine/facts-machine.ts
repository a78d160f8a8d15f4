import { cpuLevelOf } from "../discovery/cpu-level.js";
import { librariesOf } from "../discovery/libraries.js";
import { storageKindOf } from "../discovery/storage.js";
import { powerWords } from "../discovery/throttled.js";
import { userlandOf } from "../discovery/userland.js";
import type { Value, Vars } from "../playbook/types.js";
import { coreWords, memoryAndSwapWords, storageWords, userlandWords } from "../util/machine-words.js";
import type { Collected } from "./facts-answer.js";

/** What a host is made of, as far as Ansible does not say it. */
export interface Machine {
  /** `Raspberry Pi Zero W Rev 1.1`; empty where there is no device tree. */
  readonly board: string;
  readonly userland: string;
  readonly cpuLevel: string;
  /** Of NGINX, for the build's fingerprint. */
  readonly libraries: string;
  readonly storage: string | undefined;
  /** Of /. */
  readonly freeBytes: number;
  readonly power: readonly string[];
}

/** @param plain facts that Ansible has, without `ansible_` */
export function machineOf(plain: Vars, got: Collected): Machine {
  const one = (key: string) => got.get(key)?.[0] ?? "";
  const parts = (got.get("cpu") ?? []).flatMap((line) => /^CPU part\s*:\s*(\S+)/.exec(line)?.[1] ?? []);
  const root = (got.get("df") ?? []).map((line) => line.split(/\s+/)).find((words) => words[6] === "/");
  return {
    board: one("board").replaceAll("\0", ""),
    userland: userlandOf(String(plain.edge_dpkg_architecture), String(plain.edge_distribution_id)),
    cpuLevel: cpuLevelOf(String(plain.machine), parts),
    libraries: librariesOf(got.get("libraries") ?? []),
    storage: storageKindOf(one("root_device"), one("root_rotational"), one("root_type")),
    freeBytes: (Number(root?.[4]) || 0) * 1024,
    power: powerWords(one("throttled")),
  };
}

/** The same as facts (docs/machines.md). */
export function machineFacts(machine: Machine): Record<string, Value> {
  return {
    edge_board_model: machine.board,
    edge_userland: machine.userland,
    edge_cpu_level: machine.cpuLevel,
    edge_libraries: machine.libraries,
    edge_storage: machine.storage ?? "",
    edge_power: [...machine.power],
  };
}

/** Raspbian's version goes without its point release. */
function releaseOf({ distribution_version: version, distribution_minor_version: minor }: Vars): string {
  return minor === undefined || `${version}`.includes(".") ? `${version}` : `${version}.${minor}`;
}

/** A host in one line. */
export function machineSummary(plain: Vars, { board, userland, cpuLevel, ...machine }: Machine): string {
  const architecture =
    plain.edge_dpkg_architecture === "" ? plain.machine : userlandWords(userland, `${plain.machine}`);
  return [
    ...(board === "" ? [] : [board]),
    `${plain.distribution} ${releaseOf(plain)} ${architecture}`,
    coreWords(Number(plain.processor_vcpus), cpuLevel, userland),
    memoryAndSwapWords(Number(plain.memtotal_mb), Number(plain.swaptotal_mb)),
    storageWords(machine.storage, machine.freeBytes),
    ...machine.power,
  ].join(", ");
}
