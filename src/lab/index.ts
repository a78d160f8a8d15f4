/** Throw-away Debian hosts on this machine, for `edge-setup try` and the lab tests. */
export { ensureBase, ensurePackages } from "./base.js";
export { findFrozen, freezeHost } from "./freeze.js";
export { bootHost } from "./host.js";
export { installPackages, missingPackages, requireLabMachine } from "./requirements.js";
export { removeOrphansSync as removeOrphans } from "./teardown.js";
export type {
  BootOptions,
  LabArchitecture,
  LabExecResult,
  LabHost,
  LabLayer,
  LabLayerRequest,
  LabProgress,
  LabRelease,
} from "./types.js";
