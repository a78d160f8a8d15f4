/**
 * Bits of `vcgencmd get_throttled`, now and since boot.
 * https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
 */
const bits: readonly (readonly [bit: number, words: string])[] = [
  [0, "under-voltage now: use the original power supply"],
  [1, "its clock rate is capped now"],
  [2, "it is throttled now"],
  [3, "it is at its soft temperature limit now"],
  [16, "under-voltage since it was started"],
  [17, "its clock rate was capped since it was started"],
  [18, "it was throttled since it was started"],
  [19, "it was at its soft temperature limit since it was started"],
];

/** What `throttled=0x50005` means, in words; what is so now is not said to have been so as well. */
export function powerWords(answer: string): readonly string[] {
  const value = Number.parseInt(/0x([0-9a-f]{1,8})/i.exec(answer)?.[1] ?? "0", 16);
  const set = (bit: number) => (value & (1 << bit)) !== 0;
  return bits.filter(([bit]) => set(bit) && !(bit >= 16 && set(bit - 16))).map(([, words]) => words);
}
