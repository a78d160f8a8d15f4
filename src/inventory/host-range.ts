const RANGE = /^(.*?)\[([0-9]+|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?\](.*)$/;
/** More hosts than this from one line is a typing error. */
const MAX_HOSTS = 10_000;

/**
 * Expands Ansible's ranges: `pi[01:03].local` gives pi01.local, pi02.local, pi03.local; `[a:c]` letters; `[0:10:5]` steps.
 * @throws RangeError when a range runs backwards, mixes letters and digits, or is too long
 */
export function expandHosts(pattern: string): string[] {
  const [, head, from, to, stride = "1", tail] = RANGE.exec(pattern) ?? [];
  if (head === undefined || from === undefined || to === undefined || tail === undefined) return [pattern];
  const step = Number(stride);
  const words = /^[0-9]/.test(from) ? numbers(pattern, from, to, step) : letters(pattern, from, to, step);
  const hosts = words.flatMap((word) => expandHosts(tail).map((rest) => `${head}${word}${rest}`));
  if (hosts.length > MAX_HOSTS) throw new RangeError(`${pattern} stands for more than ${MAX_HOSTS} hosts`);
  return hosts;
}

function numbers(pattern: string, from: string, to: string, step: number): string[] {
  const [first, last] = [Number(from), Number(to)];
  if (Number.isNaN(last) || first > last || step < 1) throw new RangeError(`the range of ${pattern} has no members`);
  if ((last - first) / step > MAX_HOSTS) throw new RangeError(`${pattern} stands for more than ${MAX_HOSTS} hosts`);
  const width = from.startsWith("0") && from.length > 1 ? from.length : 0;
  const words: string[] = [];
  for (let n = first; n <= last; n += step) words.push(String(n).padStart(width, "0"));
  return words;
}

function letters(pattern: string, from: string, to: string, step: number): string[] {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)];
  const alphabet = /^[a-z]{2}$|^[A-Z]{2}$/.test(from + to);
  if (!alphabet || first > last || step < 1) throw new RangeError(`the range of ${pattern} has no members`);
  const words: string[] = [];
  for (let code = first; code <= last; code += step) words.push(String.fromCharCode(code));
  return words;
}
