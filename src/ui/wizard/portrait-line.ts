import { coreWords, memoryAndSwapWords, storageWords } from "../../util/machine-words.js";
import type { HostPortrait } from "../../wizard/types.js";

const sudoWords: Record<HostPortrait["sudo"], string> = {
  root: "as root",
  passwordless: "sudo without a password",
  password: "sudo asks for a password",
  none: "no sudo",
};

/** A host in one line, with a separator of the caller's: `Raspberry Pi 4 Model B · Debian 13 · arm64 · 4 cores · 3.7 GB · 25 GB free (SD card) · as root`. */
export function portraitLine(portrait: HostPortrait, separator: string): string {
  const { model, os, architecture, sudo } = portrait;
  return [
    model,
    os,
    architecture,
    coreWords(portrait.cores, portrait.cpuLevel, portrait.userland),
    memoryAndSwapWords(portrait.memoryMb, portrait.swapMb),
    storageWords(portrait.storage, portrait.diskFreeBytes),
    sudoWords[sudo],
  ].join(separator);
}
