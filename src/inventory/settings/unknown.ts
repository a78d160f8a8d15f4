import { InputError, type Position } from "../../util/errors.js";
import { suggest } from "../../util/suggest.js";
import { knownAnsibleVars, unsupportedAnsibleVars } from "../ansible-vars.js";
import { settings, settingsByName, settingsByPredecessor } from "./index.js";

/** Variables that are neither settings nor Ansible's, and are right. */
const OWN_PREFIX = "x_";
/** As Ansible's documentation names what a vault holds for other variables to refer to. */
const VAULT_PREFIX = "vault_";
const SECRETS = "edge_secrets";

/** The error for a variable that is not a setting; undefined when it is one of Ansible's or of the user's own. */
export function unknownVariable(name: string, position: Position): InputError | undefined {
  if (name.startsWith(OWN_PREFIX) || name.startsWith(VAULT_PREFIX) || name === SECRETS || knownAnsibleVars.has(name))
    return undefined;
  const predecessor = settingsByPredecessor.get(name);
  if (predecessor !== undefined) {
    const hint =
      predecessor.status.kind === "refused"
        ? `remove it: ${predecessor.status.why}`
        : `write ${predecessor.name} instead`;
    return error("E_SETTING_RENAMED", `${name} is a variable of restreamer-edge`, hint, position);
  }
  if (name.startsWith("ansible_")) return unknownAnsibleVariable(name, position);
  if (name.startsWith("edge_") && settingsByName.has(name.slice("edge_".length)))
    return error(
      "E_SETTING_UNKNOWN",
      `${name} is the name that tasks use, and has no effect here`,
      `write ${name.slice("edge_".length)} instead`,
      position,
    );
  const near = nearestSetting(name);
  return error(
    "E_SETTING_UNKNOWN",
    `${name} is not a setting`,
    near === undefined
      ? `docs/settings.md lists all; begin variables of your own with ${OWN_PREFIX}`
      : `write ${near} instead`,
    position,
  );
}

function unknownAnsibleVariable(name: string, position: Position): InputError {
  const instead = unsupportedAnsibleVars.get(name);
  if (instead !== undefined)
    return error("E_ANSIBLE_VAR", `${name} is Ansible's, and edge-setup does not follow it`, instead, position);
  const near = suggest(name, [...knownAnsibleVars]);
  return error(
    "E_ANSIBLE_VAR",
    `${name} is not a connection variable that edge-setup knows`,
    near === undefined ? "docs/settings.md lists those it knows" : `write ${near} instead`,
    position,
  );
}

/** Also finds names in upper case, with a dash, or with the prefixes of restreamer-edge's later versions. */
function nearestSetting(name: string): string | undefined {
  const plain = name.toLowerCase().replaceAll("-", "_");
  const names = settings.filter((s) => s.status.kind !== "refused").map((s) => s.name);
  const stripped = plain.replace(/^(rtmp_srv_app_hls_|rtmp_srv_|http_srv_|rtmp_server_|http_server_)/, "");
  for (const word of [plain, stripped, `rtmp_${stripped}`, `hls_${stripped}`, `http_${stripped}`])
    if (names.includes(word)) return word;
  return suggest(plain, names);
}

function error(code: string, message: string, hint: string, position: Position): InputError {
  return new InputError(code, message, { hint, position });
}
