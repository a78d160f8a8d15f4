/** Light modules around the code, so that readers find it (ISO/IEC 18004). */
const QUIET = 4;

/**
 * A QR code of a text as lines of half blocks, two modules a character. Drawn in black on white by the caller: a code in
 * the terminal's own colours cannot be read on a dark ground by every camera.
 */
export async function qrLines(text: string): Promise<readonly string[]> {
  const { encode } = await import("uqr");
  const { data, size } = encode(text, { border: QUIET });
  const dark = (row: number, column: number) => data[row]?.[column] === true;
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = "";
    for (let column = 0; column < size; column++) {
      const [top, bottom] = [dark(row, column), dark(row + 1, column)];
      line += top ? (bottom ? "█" : "▀") : bottom ? "▄" : " ";
    }
    lines.push(line);
  }
  return lines;
}
