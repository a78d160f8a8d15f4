import type { Value } from "../playbook/types.js";
import type { HostAddress } from "../transport/transport.js";
import { InputError, InputErrors } from "../util/errors.js";
import { Secret } from "../util/secret.js";
import { revealed } from "./host-value.js";
import type { InventoryHost } from "./types.js";

/** What the command line says, for hosts whose inventory says nothing. As in Ansible, inventory wins over flags. */
export interface AddressFallbacks {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly connection?: "ssh" | "local" | undefined;
  readonly identityFile?: string | undefined;
  readonly password?: Secret | undefined;
  readonly becomePassword?: Secret | undefined;
}

export interface HostAccess {
  readonly address: HostAddress;
  /** ansible_become_password */
  readonly becomePassword: Secret | undefined;
  /** ansible_become, where the inventory says it: it wins over the playbook's. */
  readonly become: boolean | undefined;
  /** ansible_become_user; root unless given. */
  readonly becomeUser: string | undefined;
}

/** How to reach a host. @throws InputErrors for connection variables that cannot be right */
export function hostAddress(host: InventoryHost, fallbacks: AddressFallbacks = {}): HostAddress {
  return hostAccess(host, fallbacks).address;
}

/** How to reach a host and to become root on it. @throws InputErrors, each with the place of the value */
export function hostAccess(host: InventoryHost, fallbacks: AddressFallbacks = {}): HostAccess {
  const reader = new ConnectionVars(host);
  const method = reader.text("ansible_become_method");
  if (method !== undefined && method !== "sudo")
    reader.report("ansible_become_method", `is ${JSON.stringify(method)}, and only sudo is used`, "remove it");
  const access: HostAccess = {
    address: {
      name: host.name,
      connection: reader.connection() ?? fallbacks.connection ?? "ssh",
      host: reader.text("ansible_host", "ansible_ssh_host") ?? host.name,
      port: reader.port() ?? fallbacks.port,
      user: reader.text("ansible_user", "ansible_ssh_user") ?? fallbacks.user,
      identityFile: reader.text("ansible_ssh_private_key_file", "ansible_private_key_file") ?? fallbacks.identityFile,
      password: reader.secret("ansible_password", "ansible_ssh_pass", "ansible_ssh_password") ?? fallbacks.password,
    },
    becomePassword: reader.secret("ansible_become_password", "ansible_become_pass") ?? fallbacks.becomePassword,
    become: reader.truth("ansible_become"),
    becomeUser: reader.text("ansible_become_user"),
  };
  if (reader.errors.length > 0) throw new InputErrors(reader.errors);
  return access;
}

/** Reads connection variables; of several names for one thing the first given counts. */
class ConnectionVars {
  readonly errors: InputError[] = [];
  readonly #host: InventoryHost;

  constructor(host: InventoryHost) {
    this.#host = host;
  }

  report(name: string, message: string, hint: string): void {
    const position = this.#host.origins[name] ?? this.#host.position;
    this.errors.push(new InputError("E_ANSIBLE_VAR", `${name} ${message}`, { position, hint }));
  }

  text(...names: readonly string[]): string | undefined {
    const [name, value] = this.#first(names);
    if (value === undefined) return undefined;
    if (typeof value === "string" && value !== "" && !/[\0\r\n]/.test(value)) return value;
    this.report(name, "is not a text on one line", "put it in quotes");
    return undefined;
  }

  secret(...names: readonly string[]): Secret | undefined {
    const text = this.text(...names);
    return text === undefined ? undefined : new Secret(text);
  }

  port(): number | undefined {
    const [name, value] = this.#first(["ansible_port", "ansible_ssh_port"]);
    if (value === undefined) return undefined;
    const port = /^[0-9]{1,5}$/.test(String(value)) ? Number(value) : 0;
    if (port >= 1 && port <= 65_535) return port;
    this.report(name, "is not a port", "write a number, 1 to 65535");
    return undefined;
  }

  connection(): HostAddress["connection"] | undefined {
    const connector = this.#connector();
    const [name, value] = this.#first(["ansible_connection"]);
    if (value === undefined) return connector;
    // "smart" is Ansible's own default; paramiko is another way to speak SSH.
    if (value === "ssh" || value === "smart" || value === "paramiko" || value === "paramiko_ssh")
      return connector ?? "ssh";
    if (value === "local") return "local";
    const hint = value === "openssh" || value === "ssh2" ? `write edge_connection: ${value}` : "write ssh or local";
    this.report(name, `is ${JSON.stringify(value)}`, hint);
    return undefined;
  }

  /** Which of our two connectors speaks SSH; Ansible has one, and would refuse these names in ansible_connection. */
  #connector(): "openssh" | "ssh2" | undefined {
    const [name, value] = this.#first(["edge_connection"]);
    if (value === undefined || value === "openssh" || value === "ssh2") return value;
    this.report(name, `is ${JSON.stringify(value)}`, "write openssh or ssh2, or leave it out");
    return undefined;
  }

  truth(name: string): boolean | undefined {
    const [, value] = this.#first([name]);
    if (value === undefined) return undefined;
    if (typeof value === "boolean") return value;
    const word = String(value).toLowerCase();
    if (["true", "yes", "on", "1"].includes(word)) return true;
    if (["false", "no", "off", "0"].includes(word)) return false;
    this.report(name, "is neither true nor false", "write true or false");
    return undefined;
  }

  #first(names: readonly string[]): readonly [string, Value | undefined] {
    for (const name of names) {
      const value = this.#host.vars[name];
      if (value === undefined || value === null) continue;
      if (typeof value !== "string" || !value.includes("{{")) return [name, revealed(value)];
      this.report(name, "holds a template, which cannot be known before the connection", "write the value itself");
      return [name, undefined];
    }
    return ["", undefined];
  }
}
