import { generateSecret, saveSecrets } from "../inventory/secrets.js";
import { type ExitCode, exitCodes, formatPosition, InputError } from "../util/errors.js";
import { applyFleet } from "./apply-fleet.js";
import type { CommandContext } from "./commands.js";
import type { Fleet, FleetHost } from "./fleet.js";
import { asker, askPasswords } from "./reach.js";
import { vaultOf } from "./vault-passwords.js";

const NAME = "rtmp_publish_token";

/**
 * The host whose token is to be renewed.
 * @throws InputError when its token is written in the inventory, and so the operator's to change; or when its secrets
 * are kept elsewhere, as an apply from here would replace all of them
 */
export function inspectRotation(fleet: Fleet, name: string): FleetHost {
  const one = fleet.hosts.find(({ host }) => host.name === name);
  if (one === undefined) throw new InputError("E_LIMIT", `${name} is not a host of this inventory`);
  if (fleet.secrets.created.includes(name)) {
    throw new InputError("E_SECRETS", `the secrets of ${name} are not in ${fleet.secrets.file}`, {
      hint: "Renew its token from where it was set up.",
    });
  }
  if (one.host.vars[NAME] === undefined) return one;
  const origin = one.host.origins[NAME];
  throw new InputError(
    "E_SECRETS",
    `${name}: ${NAME} is set${origin === undefined ? "" : ` at ${formatPosition(origin)}`}`,
    {
      hint: "Change it there, and apply.",
    },
  );
}

/** Gives a host a new publish token, applies it, and shows it. What is published now goes on. */
export async function rotateToken(context: CommandContext, fleet: Fleet, name: string): Promise<ExitCode> {
  inspectRotation(fleet, name);
  const token = generateSecret();
  await saveSecrets(fleet.inventory.file, new Map([[name, { [NAME]: token }]]), { vault: vaultOf(context.flags) });
  const flags = { ...context.flags, limit: name, yes: true, "no-verify": true };
  const code = await applyFleet({ ...context, flags, words: [] }, await askPasswords(flags, asker(flags)));
  if (code === exitCodes.ok) {
    process.stdout.write(
      `\nThe new publish token of ${name}: ${token.reveal()}\nA stream key looks so: mystream?token=${token.reveal()}\n`,
    );
  } else {
    process.stderr.write(
      `\nThe new token is kept in the secrets file, and ${name} may still have the old one: edge-setup apply -l ${name}\n`,
    );
  }
  return code;
}
