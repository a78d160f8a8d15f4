/**
 * Makes docs/run.svg from a real run: `npm run picture`. Runs `edge-setup try --once` on a terminal of its own
 * (script(1) of util-linux), so colours and words are those that a user sees; secrets die with the host.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const COLUMNS = 118;
const LINE_HEIGHT = 18;
const CHAR_WIDTH = 7.83;
const MARGIN = 16;
/** The colours of src/report/format.ts, readable on the dark ground of the picture. */
const COLOURS: Readonly<Record<string, string>> = {
  "31": "#ff7b72",
  "32": "#7ee787",
  "33": "#f2cc60",
  "36": "#79c0ff",
  "2": "#8b949e",
  "1": "#ffffff",
};
const PLAIN = "#d0d7de";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist/cli/main.js");
const command = `stty cols ${COLUMNS}; node ${program} try --once --progress plain`;
const output = execFileSync("script", ["-qec", command, "/dev/null"], { encoding: "utf8", maxBuffer: 16 << 20 });

const lines = shorten(output.replaceAll("\r", "").trimEnd().split("\n"));
const height = lines.length * LINE_HEIGHT + 2 * MARGIN + LINE_HEIGHT;
const width = Math.ceil(COLUMNS * CHAR_WIDTH + 2 * MARGIN);
const rows = ["$ edge-setup try --once", ...lines].map(
  (line, index) =>
    `<text x="${MARGIN}" y="${MARGIN + (index + 1) * LINE_HEIGHT - 4}" xml:space="preserve">${paint(line)}</text>`,
);
writeFileSync(
  join(root, "docs/run.svg"),
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>edge-setup try: a bare Debian host becomes a streaming edge, proven by a played-back stream</title>",
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="${PLAIN}">`,
    ...rows,
    "</g></svg>",
    "",
  ].join("\n"),
);

/** The middle of a long run is more of the same: the first tasks, the compile, the proof and the card stay. */
function shorten(all: readonly string[]): string[] {
  const start = all.slice(0, 12);
  const compile = all.findIndex((line) => line.includes("100%"));
  return [
    ...start,
    "…",
    ...all.slice(compile, compile + 2),
    "…",
    ...all.slice(all.findIndex((line) => line.includes("done in"))),
  ];
}

/** ANSI colours as tspans; lines are cut at the terminal's width. */
function paint(line: string): string {
  let left = COLUMNS;
  let colour = PLAIN;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read here
  return line.split(/\u001b\[(\d*)m/).reduce((svg, part, index) => {
    if (index % 2 === 1) {
      colour = COLOURS[part] ?? PLAIN;
      return svg;
    }
    const shown = part.slice(0, Math.max(0, left));
    left -= shown.length;
    return shown === "" ? svg : `${svg}<tspan fill="${colour}">${escapeXml(shown)}</tspan>`;
  }, "");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
