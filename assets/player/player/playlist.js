// Questions about a playlist, apart from playing it.

/**
 * The media playlist at an address: of a master playlist, its first one. Gives its text, null while there is nothing to
 * play, or the `status` of a refusal that waiting will not change.
 */
export async function lookAt(address) {
  const answer = await fetchText(address);
  if (answer.text === undefined || !answer.text.includes("#EXT-X-STREAM-INF")) return answer;
  const first = /^#EXT-X-STREAM-INF[^\n]*\n\s*([^#\s]\S*)/m.exec(answer.text)?.[1];
  return first === undefined ? {} : fetchText(new URL(first, address));
}

async function fetchText(address) {
  try {
    const response = await fetch(address, { cache: "no-store" });
    if (response.ok) return { text: await response.text() };
    return response.status === 403 || response.status === 410 ? { refused: response.status } : {};
  } catch {
    return {};
  }
}
