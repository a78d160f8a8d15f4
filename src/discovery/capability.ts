/**
 * What live transcoding a machine would hold, in one sentence. The H.264 encoder of the Raspberry Pi Zero to 4 is made
 * for level 4.0: 245,760 macroblocks a second. 720p + 480p + 360p + 240p at 30 fps are 196,350 of them; 1080p alone is
 * 244,800. The Pi 5 has no such encoder. The core figure is of an EPYC at 720p30: a copied top and three renditions by
 * libx264 veryfast took 0.63 of a core.
 */
export function capability(model: string, machine: string, cores: number): string {
  const pi = /^Raspberry Pi (\d|Zero|Compute Module (\d))/.exec(model);
  const generation = pi?.[2] ?? pi?.[1];
  if (generation === "5")
    return "a Pi 5 has no H.264 encoder: it passes streams on as they are, its cores may hold one rendition";
  if (pi !== null) {
    return "passes streams on as they are; its encoder's published limit holds 720p + 480p + 360p + 240p, or 1080p alone";
  }
  if (/^(x86_64|aarch64)$/.test(machine) && cores >= 2) {
    const streams = Math.floor(cores / 2);
    const counted = streams === 1 ? "one stream" : `${streams} streams`;
    return `passes streams on as they are; its ${cores} cores hold about ${counted} of 720p with three smaller renditions`;
  }
  return "passes streams on as they are; what it could transcode is not known";
}
