import { Text } from "ink";
import { formatDuration } from "../../report/format.js";
import { memoryText, pictureText, rateText, tmpfsText } from "../../watch/words.js";
import { statusLook, useTheme } from "../theme.js";
import { type Column, fitColumns, sparkline } from "./columns.js";
import type { WatchRow } from "./state.js";

const SPARK_WIDTH = 16;

export interface RowProps {
  readonly row: WatchRow;
  readonly chosen: boolean;
  readonly nameWidth: number;
  readonly columns: number;
}

/** A host, or one of its streams, in one line: sign and problem first, so that they are cut last. */
export function Row({ row, chosen, nameWidth, columns }: RowProps) {
  const { symbols } = useTheme();
  const look = statusLook(statusOf(row), symbols);
  const name = row.kind === "host" ? row.host.name : row.stream.name;
  const head = `${chosen ? symbols.pointer : " "} ${row.kind === "stream" ? "  " : ""}`;
  const width = nameWidth - (row.kind === "stream" ? 2 : 0);
  const problem = row.problems.length > 0 ? `  ${row.problems.join(", ")}` : "";
  const used = head.length + 2 + Math.max(width, name.length) + 2 + problem.length;
  const values = fitColumns(row.kind === "host" ? hostColumns(row) : streamColumns(row, symbols), columns - used);
  return (
    <Text wrap="truncate">
      {head}
      <Text {...(look.color === undefined ? {} : { color: look.color })} bold={look.bold === true}>
        {look.symbol}
      </Text>{" "}
      <Text bold={row.kind === "host"}>{name.padEnd(width)}</Text>
      {problem === "" ? null : <Text bold>{problem}</Text>}
      {`  ${values}`}
    </Text>
  );
}

function statusOf(row: WatchRow): "ok" | "unreachable" | "warning" | "queued" {
  if (row.host.sample === undefined) return "queued";
  if (row.kind === "host" && row.host.sample.status === "unreachable") return "unreachable";
  return row.problems.length > 0 ? "warning" : "ok";
}

type HostRow = Extract<WatchRow, { kind: "host" }>;
type StreamRow = Extract<WatchRow, { kind: "stream" }>;

function hostColumns({ host: { sample } }: HostRow): Column[] {
  if (sample === undefined) return [{ text: "connecting", width: 0, rank: 0 }];
  if (sample.status === "unreachable") {
    const again = sample.retryMs === undefined ? "" : `again in ${formatDuration(sample.retryMs)}`;
    return [{ text: again, width: 0, rank: 0 }];
  }
  const { cpuPercent, memoryUsedMb, memoryTotalMb, temperatureC, certificateDays, connections, lastChangeMs } = sample;
  const optional = (value: number | undefined, make: (value: number) => Column): Column[] =>
    value === undefined ? [] : [make(value)];
  return [
    { text: `cpu ${cpuPercent === undefined ? "-" : `${Math.round(cpuPercent)}%`}`, width: 8, rank: 1 },
    { text: `up ${rateText(sample.uplinkBps)}`, width: 12, rank: 2 },
    { text: `segments ${tmpfsText(sample)}`, width: 19, rank: 3 },
    ...optional(temperatureC, (value) => ({ text: `${Math.round(value)} °C`, width: 5, rank: 4 })),
    ...optional(connections, (value) => ({ text: `${value} connections`, width: 14, rank: 5 })),
    { text: `mem ${memoryText(memoryUsedMb, memoryTotalMb)}`, width: 17, rank: 6 },
    ...optional(certificateDays, (value) => ({ text: `cert ${value} d`, width: 9, rank: 7 })),
    ...optional(lastChangeMs, (value) => ({ text: `changed ${formatDuration(value)} ago`, width: 19, rank: 8 })),
    { text: `in ${rateText(sample.downlinkBps)}`, width: 12, rank: 9 },
  ];
}

function streamColumns({ stream, history }: StreamRow, symbols: { readonly spark: readonly string[] }): Column[] {
  if (stream.draining) return [{ text: "held by a process that finishes", width: 0, rank: 0 }];
  const { uptimeMs, viewers, playlistAgeMs, segmentJitterMs } = stream;
  return [
    { text: rateText(stream.bitrateBps), width: 9, rank: 1 },
    { text: sparkline(history, symbols.spark, SPARK_WIDTH), width: SPARK_WIDTH, rank: 5 },
    { text: pictureText(stream), width: 27, rank: 2 },
    ...(viewers === undefined ? [] : [{ text: `${viewers} watching`, width: 11, rank: 3 }]),
    { text: `live ${uptimeMs === undefined ? "-" : formatDuration(uptimeMs)}`, width: 10, rank: 4 },
    { text: `from ${stream.publisher ?? "-"}`, width: 20, rank: 6 },
    { text: `playlist ${playlistAgeMs === undefined ? "-" : formatDuration(playlistAgeMs)}`, width: 13, rank: 7 },
    { text: `jitter ${segmentJitterMs === undefined ? "-" : `${segmentJitterMs} ms`}`, width: 14, rank: 8 },
  ];
}
