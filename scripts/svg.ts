const LINE_HEIGHT = 18;
const CHAR_WIDTH = 7.83;
const MARGIN = 16;
const PLAIN = "#d0d7de";
const GROUND = "#0d1117";
/** The eight colours of a terminal, readable on a dark ground. */
const COLOURS = ["#8b949e", "#ff7b72", "#7ee787", "#f2cc60", "#79c0ff", "#d2a8ff", "#76e3ea", "#ffffff"];

interface Style {
  readonly colour: string;
  readonly bold: boolean;
  readonly inverse: boolean;
}

const reset: Style = { colour: PLAIN, bold: false, inverse: false };

/** A terminal's screen as a picture. @param screen its lines, with SGR sequences (ECMA-48) */
export function screenSvg(screen: string, columns: number, title: string): string {
  const lines = screen.trimEnd().split("\n");
  const width = Math.ceil(columns * CHAR_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  let style = reset;
  const rows = lines.map((line, index) => {
    const y = MARGIN + (index + 1) * LINE_HEIGHT - 5;
    const row = rowSvg(line, y, style);
    style = row.style;
    return row.svg;
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

/** Each piece of one style has a place of its own, so that columns line up whatever font the reader has. */
function rowSvg(line: string, y: number, before: Style): { readonly svg: string; readonly style: Style } {
  let style = before;
  let column = 0;
  let svg = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read here
  for (const [index, part] of line.split(/\u001b\[([\d;]*)m/).entries()) {
    if (index % 2 === 1) {
      style = part.split(";").reduce(styled, style);
      continue;
    }
    const length = [...part].length;
    if (part.trim() !== "" || (style.inverse && length > 0)) svg += pieceSvg(part, length, column, y, style);
    column += length;
  }
  return { svg, style };
}

function pieceSvg(text: string, length: number, column: number, y: number, { colour, bold, inverse }: Style): string {
  const x = (MARGIN + column * CHAR_WIDTH).toFixed(1);
  const width = (length * CHAR_WIDTH).toFixed(1);
  const back = inverse
    ? `<rect x="${x}" y="${y - LINE_HEIGHT + 5}" width="${width}" height="${LINE_HEIGHT}" fill="${colour}"/>`
    : "";
  const weight = bold ? ' font-weight="bold"' : "";
  return `${back}<text x="${x}" y="${y}" textLength="${width}" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="${inverse ? GROUND : colour}"${weight}>${escapeXml(text)}</text>`;
}

function styled(style: Style, code: string): Style {
  const number = Number(code);
  if (number === 0) return reset;
  if (number === 1) return { ...style, bold: true };
  if (number === 22) return { ...style, bold: false };
  if (number === 7) return { ...style, inverse: true };
  if (number === 27) return { ...style, inverse: false };
  if (number === 39) return { ...style, colour: PLAIN };
  if (number === 2) return { ...style, colour: COLOURS[0] ?? PLAIN };
  const colour = COLOURS[number % 10];
  const foreground = (number >= 30 && number <= 37) || (number >= 90 && number <= 97);
  return foreground && colour !== undefined ? { ...style, colour } : style;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
