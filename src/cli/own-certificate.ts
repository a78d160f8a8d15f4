import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pairProblem } from "../edge/pair-problems.js";
import { InputError, InputErrors } from "../util/errors.js";
import type { Fleet, FleetHost } from "./fleet.js";

/**
 * Looks at the files that settings name for HTTPS, before any host is called. Their content is in no message.
 * @throws InputErrors naming the setting's place for each that no host could use
 */
export function checkOwnCertificates({ inventory, hosts }: Fleet, now: number): void {
  const folder = dirname(inventory.file);
  const errors = hosts.flatMap((one) => problemsOf(one, folder, now));
  // What a group gives to many hosts is said once.
  const byText = new Map(errors.map((error) => [`${error.position?.line} ${error.message}`, error]));
  if (byText.size > 0) throw new InputErrors([...byText.values()]);
}

type FileSetting = "tls_certificate" | "tls_key" | "https_acme_ca";

function problemsOf(one: FleetHost, folder: string, now: number): InputError[] {
  const { values } = one.settings;
  const errors: InputError[] = [];
  const read = (name: FileSetting): string | undefined => {
    const file = values[name];
    if (file === undefined || file.includes("{{")) return undefined;
    try {
      return readFileSync(resolve(folder, file), "utf8");
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be read";
      errors.push(
        problem(one, name, `${name} ${resolve(folder, file)} ${why}`, "the path is from the inventory's folder"),
      );
      return undefined;
    }
  };
  const [certificate, key, ca] = [read("tls_certificate"), read("tls_key"), read("https_acme_ca")];
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----"))
    errors.push(problem(one, "https_acme_ca", "https_acme_ca holds no certificate in PEM form", "give the CA's root"));
  if (certificate === undefined || key === undefined) return errors;
  const names = [...values.https_cert_domain, ...(values.public_name === undefined ? [] : [values.public_name])];
  const found = pairProblem(certificate, key, names, now);
  if (found === undefined) return errors;
  const name = found.file === "key" ? "tls_key" : "tls_certificate";
  return [...errors, problem(one, name, `${name} ${values[name]} ${found.text}`, found.hint)];
}

function problem({ host }: FleetHost, name: FileSetting, text: string, hint: string): InputError {
  return new InputError("E_CERTIFICATE", text, { hint, position: host.origins[name] ?? host.position });
}
