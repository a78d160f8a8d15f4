import type { HostSample, StreamSample } from "../../watch/types.js";
import { hostProblems, streamProblems } from "../../watch/words.js";

/** Bitrates that are remembered of each stream: the longest sparkline. */
export const HISTORY = 60;

export interface WatchState {
  /** In the inventory's order. */
  readonly hosts: readonly WatchedState[];
}

export interface WatchedState {
  readonly name: string;
  /** Undefined until the host has answered, or failed, for the first time. */
  readonly sample: HostSample | undefined;
  /** Bits per second by stream, oldest first. */
  readonly history: ReadonlyMap<string, readonly number[]>;
}

/** One row of the dashboard. */
export type WatchRow =
  | { readonly kind: "host"; readonly key: string; readonly host: WatchedState; readonly problems: readonly string[] }
  | {
      readonly kind: "stream";
      readonly key: string;
      readonly host: WatchedState;
      readonly stream: StreamSample;
      readonly history: readonly number[];
      readonly problems: readonly string[];
    };

export function emptyWatch(names: readonly string[]): WatchState {
  return { hosts: names.map((name) => ({ name, sample: undefined, history: new Map() })) };
}

/** The state after a host was looked at. Pure. */
export function reduceWatch(state: WatchState, sample: HostSample): WatchState {
  return {
    hosts: state.hosts.map((host) =>
      host.name === sample.host ? { ...host, sample, history: remember(host.history, sample) } : host,
    ),
  };
}

/** Of streams that are gone nothing is kept. */
function remember(history: WatchedState["history"], sample: HostSample): WatchedState["history"] {
  if (sample.status === "unreachable") return history;
  return new Map(
    sample.streams.map(({ name, bitrateBps }) => {
      const known = history.get(name) ?? [];
      return [name, bitrateBps === undefined ? known : [...known, bitrateBps].slice(-HISTORY)];
    }),
  );
}

/** What is shown of the state, in order: each host, and its streams below it. Pure. */
export function watchRows(
  state: WatchState,
  { filter, problemsOnly }: { readonly filter: string; readonly problemsOnly: boolean },
): readonly WatchRow[] {
  return state.hosts.flatMap((host): WatchRow[] => {
    const streams = (host.sample?.streams ?? []).map(
      (stream): WatchRow => ({
        kind: "stream",
        key: `${host.name}/${stream.name}`,
        host,
        stream,
        history: host.history.get(stream.name) ?? [],
        problems: streamProblems(stream),
      }),
    );
    const own: WatchRow = {
      kind: "host",
      key: host.name,
      host,
      problems: host.sample === undefined ? [] : hostProblems(host.sample),
    };
    const wanted = (row: WatchRow) => (!problemsOnly || row.problems.length > 0) && row.key.includes(filter);
    const shown = streams.filter(wanted);
    // A stream is shown below its host, whatever is filtered.
    return shown.length > 0 || wanted(own) ? [own, ...shown] : [];
  });
}
