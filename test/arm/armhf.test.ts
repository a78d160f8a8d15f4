import { provisions } from "./provision.js";

// ARMv7, as a Pi 2 has it.
provisions({
  architecture: "armhf",
  machine: "armv7l",
  userland: "armhf/armv7-a",
  cpuLevel: "armv7-a",
  program: /Tag_CPU_arch: v7/,
});
