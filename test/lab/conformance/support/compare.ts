import type { Counts, Outcome, Told } from "./told.js";

/** Something that the two engines do not have in common. */
export interface Difference {
  /** Id of the case, or the name of the file where no case can be told. */
  readonly about: string;
  /** Which run: `check`, `apply`, `apply again`, `check again`. */
  readonly run: string;
  /** `status of TASK`, `result NAME.field`, `file /srv/cases/x`. */
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

type Found = Pick<Difference, "what" | "ours" | "theirs"> & { readonly task?: string };

/** Compares what was told of each task and item, host by host, and in which order. */
export function compareTold(ours: Outcome, theirs: Outcome): Found[] {
  const hosts = [...new Set([...ours.told, ...theirs.told].map(({ host }) => host))].sort();
  return hosts.flatMap((host) => compareHost(of(host, ours), of(host, theirs), hosts.length > 1 ? ` on ${host}` : ""));
}

function of(host: string, { told }: Outcome): ReadonlyMap<string, Told> {
  const seen = new Map<string, number>();
  return new Map(
    told
      .filter((one) => one.host === host)
      .map((one) => {
        const name = one.item === undefined ? one.task : `${one.task} [${one.item}]`;
        const number = (seen.get(name) ?? 0) + 1;
        seen.set(name, number);
        return [number === 1 ? name : `${name} (${number})`, one] as const;
      }),
  );
}

function compareHost(ours: ReadonlyMap<string, Told>, theirs: ReadonlyMap<string, Told>, where: string): Found[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])];
  const found = names.flatMap((name): Found[] => {
    const [our, their] = [ours.get(name), theirs.get(name)];
    const task = (our ?? their)?.task ?? "";
    const pair = (what: string, give: (told: Told) => string): Found[] => {
      const [a, b] = [our, their].map((told) => (told === undefined ? "nothing" : give(told)));
      const about = { what: `${what} of ${name}${where}`, task };
      return a === b ? [] : [{ ...about, ours: withWhy(a ?? "", our), theirs: withWhy(b ?? "", their) }];
    };
    const status = pair("status", (told) => (told.ignored ? `${told.status}, ignored` : told.status));
    if (our === undefined || their === undefined || status.length > 0) return status;
    return compareDiffs(name + where, task, our, their);
  });
  const order = [...theirs.keys()].filter((name) => ours.has(name));
  const ourOrder = [...ours.keys()].filter((name) => theirs.has(name));
  if (order.join("\n") === ourOrder.join("\n")) return found;
  return [...found, { what: `order of tasks${where}`, ours: ourOrder.join("; "), theirs: order.join("; ") }];
}

function withWhy(text: string, told: Told | undefined): string {
  return told === undefined || told.why === "" ? text : `${text} (${told.why})`;
}

function compareDiffs(name: string, task: string, ours: Told, theirs: Told): Found[] {
  // What Ansible shows of owners and modes is a dump of its own: that there is one is what counts.
  const isText = ours.diff !== "other" && theirs.diff !== "other";
  const text = ({ diff }: Told) =>
    diff === undefined ? "none" : isText && diff !== "other" ? `\n${diff.join("\n")}` : "one";
  const [a, b] = [text(ours), text(theirs)];
  return a === b ? [] : [{ what: `diff of ${name}`, task, ours: a, theirs: b }];
}

/** Compares the numbers of the recap. */
export function compareRecap(ours: Outcome, theirs: Outcome): Found[] {
  const hosts = [...new Set([...Object.keys(ours.recap), ...Object.keys(theirs.recap)])].sort();
  return hosts.flatMap((host) => {
    const [a, b] = [ours.recap[host], theirs.recap[host]].map(countsText);
    return a === b ? [] : [{ what: `recap of ${host}`, ours: a ?? "", theirs: b ?? "" }];
  });
}

const NOTHING: Counts = { ok: 0, changed: 0, failed: 0, skipped: 0, rescued: 0, ignored: 0, unreachable: 0 };

function countsText(counts: Counts | undefined): string {
  // A host without any task is in the recap of one engine only.
  const { ok, changed, failed, skipped, rescued, ignored, unreachable } = counts ?? NOTHING;
  return `ok=${ok} changed=${changed} failed=${failed} skipped=${skipped} rescued=${rescued} ignored=${ignored} unreachable=${unreachable}`;
}
