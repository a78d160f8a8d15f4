// What is published, from the XML of nginx-rtmp's rtmp_stat.

/** The streams of the application `hls` that have a publisher. */
function publishers(xml) {
  const found = [];
  xml
    .split("<application>")
    .slice(1)
    .forEach((application) => {
      if (tag(application, "name") !== "hls") {
        return;
      }
      application
        .split("<stream>")
        .slice(1)
        .forEach((part) => {
          const stream = part.split("</stream>")[0];
          // Outside of <client>, so that the first tags are those of the stream.
          const own = stream.replace(/<client>[\s\S]*?<\/client>/g, "");
          if (own.indexOf("<publishing/>") >= 0) {
            found.push(publisher(own, players(stream)));
          }
        });
    });
  return found;
}

function publisher(own, clients) {
  const video = own.split("<video>")[1] || "";
  const audio = own.split("<audio>")[1] || "";
  return {
    name: tag(own, "name"),
    ms: Number(tag(own, "time")),
    bits_per_second: Number(tag(own, "bw_in")),
    bytes: Number(tag(own, "bytes_in")),
    rtmp_players: clients,
    video:
      video === ""
        ? null
        : {
            codec: tag(video, "codec"),
            width: Number(tag(video, "width")),
            height: Number(tag(video, "height")),
            frames_per_second: Number(tag(video, "frame_rate")),
          },
    audio:
      audio === ""
        ? null
        : {
            codec: tag(audio, "codec"),
            channels: Number(tag(audio, "channels")),
            hertz: Number(tag(audio, "sample_rate")),
          },
  };
}

/** Clients that play, but for this host's own: encoders, and the relay (127.0.0.1:1982/out). */
function players(stream) {
  return (stream.match(/<client>[\s\S]*?<\/client>/g) || []).filter(
    (client) => client.indexOf("<publishing/>") < 0 && !/^(127\.|::1)/.test(tag(client, "address")),
  ).length;
}

/** Since when, in milliseconds, the targets of push are connected, by their loopback ports: relays of the application `out`. */
function pushes(xml) {
  const found = {};
  xml
    .split("<application>")
    .slice(1)
    .filter((application) => tag(application, "name") === "out")
    .forEach((application) => {
      (application.match(/<client>[\s\S]*?<\/client>/g) || []).forEach((client) => {
        const hop = tag(client, "address").match(/^127\.0\.0\.1:([0-9]+)$/);
        if (hop !== null) {
          found[hop[1]] = Number(tag(client, "time"));
        }
      });
    });
  return found;
}

/** The text of the first such element, empty without one. */
function tag(xml, name) {
  const match = xml.match(new RegExp(`<${name}>([^<]*)</${name}>`));
  return match === null ? "" : match[1];
}

export default { publishers, pushes, tag };
