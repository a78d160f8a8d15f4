import { InputError, InputErrors } from "../util/errors.js";
import { didYouMean } from "../util/suggest.js";
import type { Fleet } from "./fleet.js";

/** As a value of build_on: this machine. */
const LOCAL = "local";

/**
 * Looks whether the hosts that `build_on` names are there, before any is called.
 * @throws InputErrors naming the setting's place for each that the inventory does not have
 */
export function checkBuilders({ inventory, hosts }: Fleet): void {
  const known = inventory.hosts.map((host) => host.name);
  const errors = new Map<string, InputError>();
  for (const { host, settings } of hosts) {
    const name = settings.values.build_on;
    if (name === undefined || name === LOCAL || name.includes("{{") || known.includes(name)) continue;
    const position = host.origins.build_on;
    errors.set(
      name,
      new InputError("E_BUILD_ON", `build_on: ${name} is no host of ${inventory.file}`, {
        ...(position === undefined ? {} : { position }),
        hint: didYouMean(name, known) ?? `Its hosts are ${known.join(", ")}; \`${LOCAL}\` is this machine.`,
      }),
    );
  }
  if (errors.size > 0) throw new InputErrors([...errors.values()]);
}
