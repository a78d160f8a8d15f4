/**
 * Orders two versions as dpkg does (deb-version(7)): epoch, upstream version, revision; `~` is before the end of a text.
 * Plain versions such as 1.30.6 are ordered by the same rules.
 * @returns below 0, 0, above 0
 */
export function compareVersions(a: string, b: string): number {
  const [one, two] = [partsOf(a), partsOf(b)];
  return one.epoch - two.epoch || compareText(one.upstream, two.upstream) || compareText(one.revision, two.revision);
}

function partsOf(version: string) {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/.exec(version) ?? [];
  const dash = rest.lastIndexOf("-");
  return {
    epoch: Number(epoch),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

/** Runs of other characters and runs of digits, in turn. */
function compareText(a: string, b: string): number {
  let [left, right] = [a, b];
  while (left !== "" || right !== "") {
    const [textA, textB] = [/^\D*/.exec(left)?.[0] ?? "", /^\D*/.exec(right)?.[0] ?? ""];
    for (let at = 0; at < Math.max(textA.length, textB.length); at += 1) {
      const difference = weight(textA, at) - weight(textB, at);
      if (difference !== 0) return difference;
    }
    left = left.slice(textA.length);
    right = right.slice(textB.length);
    const [digitsA, digitsB] = [/^\d*/.exec(left)?.[0] ?? "", /^\d*/.exec(right)?.[0] ?? ""];
    const difference = Number(digitsA) - Number(digitsB);
    if (difference !== 0) return difference;
    left = left.slice(digitsA.length);
    right = right.slice(digitsB.length);
  }
  return 0;
}

/** `~` before the end, the end before letters, letters before the rest. */
function weight(text: string, at: number): number {
  const character = text[at];
  if (character === undefined) return 0;
  if (character === "~") return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}
