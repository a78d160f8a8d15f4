import { provisions } from "./provision.js";

// ARMv6, as a Pi Zero has it; armel stands in for Raspberry Pi OS, whose packages are on no Debian mirror.
provisions({
  architecture: "armel",
  machine: "armv6l",
  userland: "armel/armv5te",
  cpuLevel: "armv6",
  program: /Tag_CPU_arch: v5TE/,
});
