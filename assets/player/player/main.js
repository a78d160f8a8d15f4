// The player page: /?stream=STREAM, /index.html?stream=STREAM, and /embed?stream=STREAM for frames of other pages.

import { readAddress } from "./address.js";
import { startAnalytics } from "./analytics.js";
import { loadConfig } from "./config.js";
import { createControls } from "./controls.js";
import { offerEmbedding } from "./embed.js";
import { applyColours, offerOtherWindow, preparePoster, say, setState, showTitle, showWatermark } from "./stage.js";
import { watch } from "./watch.js";

async function main() {
  const config = await loadConfig();
  applyColours(config);
  showWatermark(config);
  const address = readAddress(location, config);
  if (address.problem !== undefined) {
    say(address.problem);
    return;
  }
  const { name, embedded } = address;
  showTitle(name);
  setState("waiting");
  if (config.posters) preparePoster(address.poster);
  // A signed address is its viewer's, not for everybody.
  if (!embedded && !config.hls_signed) offerEmbedding(name);
  offerOtherWindow(address);
  const analytics = config.analytics === null ? undefined : startAnalytics(config.analytics, name);
  await watch(
    address,
    createControls(() => analytics?.started()),
  );
}

main().catch((error) => say(`The player did not start: ${error.message}`));
