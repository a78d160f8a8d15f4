// The dialog with the HTML that puts this stream into another page.

import { embedSnippet } from "./address.js";

const byId = (id) => document.getElementById(id);

export function offerEmbedding(name) {
  const [open, dialog, code, copied] = ["embed", "embed-dialog", "embed-code", "embed-copied"].map(byId);
  code.value = embedSnippet(location.origin, name);
  open.hidden = false;
  open.addEventListener("click", () => {
    copied.textContent = "";
    dialog.showModal();
    code.select();
  });
  byId("embed-close").addEventListener("click", () => dialog.close());
  byId("embed-copy").addEventListener("click", async () => {
    code.select();
    copied.textContent = (await copy(code)) ? "Copied" : "Press Ctrl-C to copy";
  });
}

/** The clipboard of today is for pages of HTTPS alone; the old command works without it. */
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.value);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
