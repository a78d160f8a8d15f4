/** Colours of a terminal with a dark ground, by SGR number; each has enough contrast to it. */
const COLOURS: Readonly<Record<number, string>> = {
  30: "#6e7681",
  31: "#ff7b72",
  32: "#7ee787",
  33: "#f2cc60",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
  37: "#d0d7de",
};
const PLAIN = "#d0d7de";
const DIM = "#8b949e";
const GROUND = "#0d1117";

/** Pixels. */
const LINE_HEIGHT = 18;
const CHAR_WIDTH = 7.83;
const MARGIN = 16;

interface Style {
  readonly colour: string;
  readonly bold: boolean;
}

const NORMAL: Style = { colour: PLAIN, bold: false };

/**
 * A screen as `tmux capture-pane -e` gives it (text and SGR sequences) as an SVG picture.
 * @param title what the picture shows, for those who do not see it
 * @param columns width of the terminal
 */
export function screenSvg(screen: string, title: string, columns: number): string {
  const lines = screen.replaceAll("\r", "").trimEnd().split("\n");
  const width = Math.ceil(columns * CHAR_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  let style = NORMAL;
  const rows = lines.map((line, index) => {
    const { spans, end } = paint(line, style);
    style = end;
    return `<text x="${MARGIN}" y="${MARGIN + (index + 1) * LINE_HEIGHT - 5}" xml:space="preserve">${spans}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${GROUND}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13" fill="${PLAIN}">`,
    ...rows,
    "</g></svg>",
    "",
  ].join("\n");
}

/** One line as tspans, each at its column, so that a font with other widths cannot shift what stands below each other. */
function paint(line: string, start: Style): { spans: string; end: Style } {
  let style = start;
  let column = 0;
  let spans = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read here
  for (const [index, part] of line.split(/\u001b\[([\d;]*)m/).entries()) {
    if (index % 2 === 1) style = restyled(style, part);
    else if (part !== "") {
      const x = (MARGIN + column * CHAR_WIDTH).toFixed(1);
      const weight = style.bold ? ' font-weight="bold"' : "";
      spans += `<tspan x="${x}" fill="${style.colour}"${weight}>${escapeXml(part)}</tspan>`;
      column += part.length;
    }
  }
  return { spans, end: style };
}

function restyled(style: Style, codes: string): Style {
  let next = style;
  for (const text of codes.split(";")) next = applied(next, Number(text || "0"));
  return next;
}

function applied(style: Style, code: number): Style {
  if (code === 0) return NORMAL;
  if (code === 1 || code === 7) return { ...style, bold: true };
  if (code === 2) return { ...style, colour: DIM };
  if (code === 22 || code === 27) return { ...style, bold: false, colour: style.colour === DIM ? PLAIN : style.colour };
  if (code === 39) return { ...style, colour: PLAIN };
  const colour = COLOURS[code >= 90 ? code - 60 : code];
  return colour === undefined ? style : { ...style, colour };
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
