// Plays ?stream= at a distance of ?count= segments from the end of the playlist.
const query = new URLSearchParams(location.search);
const hls = new Hls({ liveSyncDurationCount: Number(query.get("count")), maxLiveSyncPlaybackRate: 1.1 });
hls.loadSource(`/hls/${query.get("stream")}.m3u8`);
hls.attachMedia(document.querySelector("video"));
