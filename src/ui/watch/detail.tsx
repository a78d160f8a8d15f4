import { formatDuration } from "../../report/format.js";
import { certificateText, memoryText, pictureText, rateText, tmpfsText } from "../../watch/words.js";
import { Line } from "../components/line.js";
import { useTheme } from "../theme.js";
import type { WatchRow } from "./state.js";

/** Lines that the detail of a row has at most. */
export const DETAIL_LINES = 6;

/** All that is known of the chosen row: what a narrow terminal leaves out above is here. */
export function Detail({
  row,
  rows,
  columns,
}: {
  readonly row: WatchRow;
  readonly rows: number;
  readonly columns: number;
}) {
  const { symbols } = useTheme();
  const title = ` ${row.kind === "host" ? row.host.name : `${row.host.name} ${symbols.separator} ${row.stream.name}`} `;
  return (
    <>
      <Line>{`${symbols.rule.repeat(2)}${title}${symbols.rule.repeat(Math.max(0, columns - title.length - 2))}`}</Line>
      {detailLines(row)
        .slice(0, rows)
        .map((line) => (
          <Line key={line}>{line}</Line>
        ))}
    </>
  );
}

function detailLines(row: WatchRow): string[] {
  const problems = row.problems.map((problem) => `problem: ${problem}`);
  const lines = row.kind === "host" ? hostLines(row) : streamLines(row);
  return [...problems, ...lines].slice(0, DETAIL_LINES);
}

function hostLines({ host: { sample } }: Extract<WatchRow, { kind: "host" }>): string[] {
  if (sample === undefined) return ["connecting"];
  if (sample.status === "unreachable") return sample.hint === undefined ? [] : [sample.hint];
  const { cpuPercent, temperatureC, certificate, connections, lastChangeMs } = sample;
  return [
    ...sample.notes,
    `cpu ${cpuPercent === undefined ? "-" : `${cpuPercent.toFixed(1)}%`}, memory ${memoryText(sample.memoryUsedMb, sample.memoryTotalMb)}` +
      (temperatureC === undefined ? "" : `, ${temperatureC.toFixed(1)} °C`),
    `up ${rateText(sample.uplinkBps)}, down ${rateText(sample.downlinkBps)}` +
      (connections === undefined ? "" : `, ${connections} connections of viewers`),
    `memory for segments ${tmpfsText(sample)}`,
    sample.units.map((unit) => `${unit.name} ${unit.active ? "runs" : "does not run"}`).join(", "),
    [
      lastChangeMs === undefined ? "never configured" : `configuration changed ${formatDuration(lastChangeMs)} ago`,
      certificate === undefined ? "no certificate" : `certificate ${certificateText(sample)}`,
    ].join(", "),
  ];
}

function streamLines({ stream }: Extract<WatchRow, { kind: "stream" }>): string[] {
  const { uptimeMs, viewers, playlistAgeMs, segmentSeconds, segmentJitterMs } = stream;
  return [
    `${pictureText(stream)}, ${rateText(stream.bitrateBps)}`,
    `from ${stream.publisher ?? "an encoder that is not known"}` +
      (uptimeMs === undefined ? "" : `, live for ${formatDuration(uptimeMs)}`),
    playlistAgeMs === undefined
      ? "no playlist yet"
      : `playlist written ${formatDuration(playlistAgeMs)} ago, longest segment ${(segmentSeconds ?? 0).toFixed(1)} s, jitter ${segmentJitterMs ?? 0} ms`,
    viewers === undefined ? "viewers are not counted by this build" : `about ${viewers} watching`,
  ];
}
