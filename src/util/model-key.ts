/**
 * What durations are remembered under: the same for all machines of one kind.
 * @param board device tree model, with its revision: `Raspberry Pi 4 Model B Rev 1.4`; empty where there is none
 */
export function modelKey(board: string, machine: string, cpus: number): string {
  const model = board
    .replace(/\0.*$/s, "")
    .replace(/ Rev [\d.]+$/, "")
    .trim();
  return (model === "" ? `${machine}, ${cpus} CPU` : model).slice(0, 64);
}
