/**
 * Time in a picture: 32 blocks in a row, white for 1, of the milliseconds since 1970 modulo 2^32, and below them the same inverted, so
 * that a picture that is blurred, torn or not there at all is told from one that says a time.
 */
export const FRAME = { width: 640, height: 360, perSecond: 30 } as const;

const BITS = 32;
const BLOCK = { width: FRAME.width / BITS, height: 40 } as const;
const WHITE = 235;
const BLACK = 16;

/** A yuv420p picture of this moment. `base` is the picture around the code, which is written over. */
export function stamp(base: Buffer, ms: number): Buffer {
  for (let bit = 0; bit < BITS; bit++) {
    const on = Math.floor(ms / 2 ** bit) % 2 === 1;
    for (let y = 0; y < 2 * BLOCK.height; y++) {
      const from = y * FRAME.width + bit * BLOCK.width;
      base.fill(on === y < BLOCK.height ? WHITE : BLACK, from, from + BLOCK.width);
    }
  }
  return base;
}

/** A grey ramp without colour, whose size is that of a yuv420p picture. */
export function blankFrame(): Buffer {
  const { width, height } = FRAME;
  const frame = Buffer.alloc((width * height * 3) / 2, 128);
  for (let y = 0; y < height; y++) frame.fill(BLACK + Math.floor((y * 200) / height), y * width, (y + 1) * width);
  return frame;
}

/** Milliseconds from the picture to `now`, of its luminances (one byte a pixel, FRAME's size); undefined where it says no time. */
export function age(luma: Uint8Array, now: number): number | undefined {
  let low = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const x = (bit + 0.5) * BLOCK.width;
    const upper = luma[(BLOCK.height / 2) * FRAME.width + x] ?? 0;
    const lower = luma[BLOCK.height * 1.5 * FRAME.width + x] ?? 0;
    if (Math.abs(upper - lower) < 100) return undefined;
    if (upper > lower) low += 2 ** bit;
  }
  return (((now - low) % 2 ** BITS) + 2 ** BITS) % 2 ** BITS;
}

/**
 * Script for a page: samples the first <video> of it four times a second into `globalThis.ages` and notes each "waiting" and each
 * "playing" in `globalThis.events`, both with their time.
 */
export const PAGE_PROBE = `(() => {
  globalThis.ages = [];
  globalThis.events = [];
  const canvas = document.createElement("canvas");
  canvas.width = ${FRAME.width};
  canvas.height = ${FRAME.height};
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const watched = new WeakSet();
  setInterval(() => {
    const video = document.querySelector("video");
    if (video === null) return;
    if (!watched.has(video)) {
      watched.add(video);
      for (const type of ["waiting", "playing"]) video.addEventListener(type, () => events.push({ type, at: Date.now() }));
      if (!video.paused && video.readyState >= 3) events.push({ type: "playing", at: Date.now() });
    }
    if (video.readyState < 2) return;
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const now = Date.now();
    const rgba = context.getImageData(0, 0, canvas.width, ${2 * BLOCK.height}).data;
    let low = 0;
    for (let bit = 0; bit < ${BITS}; bit++) {
      const x = (bit + 0.5) * ${BLOCK.width};
      const upper = rgba[4 * (${BLOCK.height / 2} * canvas.width + x)];
      const lower = rgba[4 * (${BLOCK.height * 1.5} * canvas.width + x)];
      if (Math.abs(upper - lower) < 100) return;
      if (upper > lower) low += 2 ** bit;
    }
    const wrap = 2 ** ${BITS};
    ages.push({ ms: (((now - low) % wrap) + wrap) % wrap, at: now });
  }, 250);
})()`;
