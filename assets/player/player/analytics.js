// Google Analytics, only where the edge's operator has given an id: player_ga_account.

export function startAnalytics(id, name) {
  window.dataLayer = window.dataLayer ?? [];
  tell("js", new Date());
  // Not the whole address: a signed one is the viewer's own.
  const page = `${location.origin}${location.pathname}?stream=${name}`;
  tell("config", id, { page_location: page });
  const script = document.createElement("script");
  script.async = true;
  script.src = `https://www.googletagmanager.com/gtag/js?id=${id}`;
  document.head.append(script);
  return { started: () => tell("event", "video_start", { video_title: name, video_provider: "edge" }) };
}

/** Google's script tells its own commands from other data by their being `arguments`. */
function tell() {
  // biome-ignore lint/complexity/noArguments: see above
  window.dataLayer.push(arguments);
}
