import { provisions } from "./provision.js";

// ARMv8, as a Pi 3 has it.
provisions({
  architecture: "arm64",
  machine: "aarch64",
  userland: "arm64/armv8-a",
  cpuLevel: "armv8-a",
  program: /Machine:\s+AArch64/,
});
