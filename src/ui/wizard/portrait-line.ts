import type { HostPortrait } from "../../wizard/types.js";

const GB = 1e9;
const sudoWords: Record<HostPortrait["sudo"], string> = {
  root: "as root",
  passwordless: "sudo without a password",
  password: "sudo asks for a password",
  none: "no sudo",
};

/** A host in one line, with a separator of the caller's: `Raspberry Pi 4 Model B · Debian 13 · arm64 · 4 cores · 3.7 GB · 25 GB free · as root`. */
export function portraitLine(portrait: HostPortrait, separator: string): string {
  const { model, os, architecture, cores, memoryMb, diskFreeBytes, sudo } = portrait;
  return [
    model,
    os,
    architecture,
    cores === 1 ? "1 core" : `${cores} cores`,
    memoryMb < 1000 ? `${memoryMb} MB` : `${(memoryMb / 1024).toFixed(1)} GB`,
    `${(diskFreeBytes / GB).toFixed(diskFreeBytes < 10 * GB ? 1 : 0)} GB free`,
    sudoWords[sudo],
  ].join(separator);
}
