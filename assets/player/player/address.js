// What the page's address asks for. Pure, so that tests need no browser.

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const SIGNATURE = /^[A-Za-z0-9_-]{22}$/;
const EXPIRES = /^[0-9]{10,11}$/;

/**
 * @param {URL | Location} page the page's own address
 * @param {{hls_signed: boolean, hls_nested: boolean, hls_dvr: boolean}} config
 * @returns the stream and where its parts are, or a `problem` in words for the viewer
 */
export function readAddress(page, config) {
  const asked = new URLSearchParams(page.search);
  const name = asked.get("stream") ?? "";
  if (name === "") return { problem: "Add ?stream=NAME to the address to choose a stream." };
  if (!NAME.test(name))
    return { problem: "This is not the name of a stream. Names have letters, digits, “-” and “_”." };
  const signature = asked.get("signature") ?? "";
  const expires = asked.get("expires") ?? "";
  const signed = SIGNATURE.test(signature) && EXPIRES.test(expires);
  if (config.hls_signed && !signed)
    return { problem: "This stream plays from a signed address only. Ask its publisher for one." };
  // Its parts are addressed relative to it, and so are signed too. The plain address of a nested playlist leads to it.
  const prefix = config.hls_signed ? `/s/${signature}/${expires}` : "";
  const file = config.hls_signed && config.hls_nested ? "/index.m3u8" : ".m3u8";
  const dvr = config.hls_dvr && asked.get("dvr") === "1";
  return {
    name,
    playlist: new URL(dvr ? `${prefix}/dvr/${name}.m3u8` : `${prefix}/hls/${name}${file}`, page.origin).href,
    // The long window of the disk instead of the short one of the memory, which is less behind.
    dvr,
    otherWindow: config.hls_dvr ? otherWindow(page, dvr) : null,
    poster: new URL(`${prefix}/images/${name}.jpg`, page.origin).href,
    embedded: page.pathname === "/embed",
  };
}

/** This page with the other of the stream's two windows. */
function otherWindow(page, dvr) {
  const asked = new URLSearchParams(page.search);
  if (dvr) asked.delete("dvr");
  else asked.set("dvr", "1");
  return `${page.pathname}?${asked}`;
}

/** HTML for other sites. The name is safe in an attribute: it is letters, digits, “-” and “_”. */
export function embedSnippet(origin, name) {
  return `<iframe src="${origin}/embed?stream=${name}" width="960" height="540" style="border:0" allow="autoplay" allowfullscreen></iframe>`;
}
