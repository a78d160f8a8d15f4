import type { Value, Vars } from "../playbook/types.js";
import { list, text } from "./args.js";
import { call } from "./fragments.js";
import { ArgumentError, type TaskModule } from "./types.js";

type Entry = { [name: string]: string };

/** What systemctl says of units that have no state of their own. */
const BAD_STATES = ["not-found", "masked", "failed"];

const servicesIn = (lines: string) => lines.split("\n").filter((line) => line.includes(".service"));
const fieldsOf = (line: string) => line.trim().split(/\s+/);

function initScripts(lines: string): [string, Entry][] {
  return [...lines.matchAll(/^\s*\[ ([+-]) \]\s+(.+)$/gm)].map(([, sign, name = ""]): [string, Entry] => [
    name,
    { name, state: sign === "+" ? "running" : "stopped", source: "sysv" },
  ]);
}

function loadedUnits(lines: string): [string, Entry][] {
  return servicesIn(lines).map((line): [string, Entry] => {
    const all = fieldsOf(line);
    const bad = BAD_STATES.find((state) => all.includes(state));
    const fields = bad === undefined ? all : all.slice(1);
    const [name = "", , active = ""] = fields;
    const state = fields[3] === "running" ? "running" : "stopped";
    return [name, { name, state, status: bad ?? active, source: "systemd" }];
  });
}

/** Services as Ansible puts them together: init scripts, units that systemd has loaded, and unit files. */
export function services(told: string): Vars {
  const [scripts = "", units = "", files = "", states = ""] = told.split("\f\n");
  const found: Record<string, Entry> = Object.fromEntries([...initScripts(scripts), ...loadedUnits(units)]);
  const active = new Map(states.split("\n").map((line) => fieldsOf(line) as [string, string]));
  for (const line of servicesIn(files)) {
    const [name = "", status = ""] = fieldsOf(line);
    const known = found[name];
    if (known === undefined) found[name] = { name, state: active.get(name) ?? "unknown", status, source: "systemd" };
    else if (!BAD_STATES.includes(known.status ?? "")) found[name] = { ...known, status };
  }
  return found;
}

/** Packages of dpkg; one of another architecture has that in its name. */
export function packages(told: string): Vars {
  const found: Record<string, Value> = {};
  for (const line of told.split("\n")) {
    const [, name = "", version = "", arch = "", category = ""] = line.split("\t");
    if (name !== "") found[name] = [{ name, version, arch, category, source: "apt" }];
  }
  return found;
}

/** ansible.builtin.service_facts */
export const serviceFacts: TaskModule = {
  spec: { name: "service_facts", args: {} },
  returns: { ansible_facts: "known" },
  build: () => ({
    shell: "m_services\n",
    libs: ["facts"],
    tells: { facts: ["services"], read: (told) => ({ ansible_facts: { services: services(told) } }) },
  }),
};

/** ansible.builtin.package_facts */
export const packageFacts: TaskModule = {
  spec: {
    name: "package_facts",
    args: {
      manager: { type: "list", default: ["auto"] },
      strategy: { type: "str", choices: ["first", "all"], default: "first" },
    },
  },
  returns: { ansible_facts: "known" },
  build(args) {
    const manager = list(args, "manager").map((name) => name.toLowerCase());
    if (!manager.some((name) => name === "auto" || name === "apt")) {
      throw new ArgumentError("manager: apt is the one on Debian's family", "manager");
    }
    return {
      shell: "m_packages\n",
      libs: ["facts"],
      tells: { facts: ["packages"], read: (told) => ({ ansible_facts: { packages: packages(told) } }) },
    };
  },
};

/** Of Linux; longer ones are refused by systemd. */
const LONGEST_NAME = 64;

/** ansible.builtin.hostname where systemd manages the host. */
export const hostname: TaskModule = {
  spec: {
    name: "hostname",
    args: { name: { type: "str", required: true }, use: { type: "str", choices: ["systemd", "debian"] } },
  },
  returns: { name: "known", ansible_facts: "known" },
  build(args) {
    const name = text(args, "name");
    if (name.length > LONGEST_NAME) {
      throw new ArgumentError(
        "name cannot be longer than 64 characters on systemd servers, try a shorter name",
        "name",
      );
    }
    if (!/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name))
      throw new ArgumentError(`${name} is no host name`, "name");
    const read = (told: string): Vars => {
      const fqdn = told.trim();
      const [short = ""] = name.split(".");
      return {
        name,
        ansible_facts: {
          ansible_hostname: short,
          ansible_nodename: name,
          ansible_fqdn: fqdn,
          ansible_domain: fqdn.split(".").slice(1).join("."),
        },
      };
    };
    const facts = ["ansible_hostname", "ansible_nodename", "ansible_fqdn", "ansible_domain"];
    return { shell: call("m_hostname", name), libs: ["hostname"], tells: { facts, read } };
  },
};
