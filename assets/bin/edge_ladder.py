"""What edge-transcode and edge-encoder share: which renditions a stream gets, and the one FFmpeg that makes them.

Everything here is a function of its arguments. A ladder is a list of rungs, largest last; the native one is the stream as
published. Sizes are pixels, bit rates kbit/s, times seconds.
"""

# H.264 works in squares of 16 pixels.
BLOCK = 16

# FFmpeg's name of each encoder that may be chosen, best first, with what has to be there before it is tried.
ENCODERS = (
    ("nvenc", "h264_nvenc", ("/dev/nvidia0",)),
    ("qsv", "h264_qsv", ("/dev/dri/renderD128",)),
    ("vaapi", "h264_vaapi", ("/dev/dri/renderD128",)),
    ("v4l2m2m", "h264_v4l2m2m", ("/dev/video11",)),
    ("libx264", "libx264", ()),
)
# Of x264, fastest first. Slower ones than these give little more for much more.
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")

# What the encoder of a Raspberry Pi 1 to 4 (bcm2835-codec) holds: H.264 level 4.0.
V4L2_BLOCKS_PER_SECOND = 245760
V4L2_LARGEST = (1920, 1088)

# A rung's peak over its mean bit rate, and the seconds of it that a player has to hold (VBV).
PEAK = 1.06
BUFFER_SECONDS = 1.5
# One sound for all rungs; copied where it is AAC already.
AUDIO_KBIT = 128


def even(number):
    """The nearest even whole number: 4:2:0 halves both sides."""
    return max(2, int(number / 2 + 0.5) * 2)


def blocks(width, height):
    """Macroblocks of one picture."""
    return -(-width // BLOCK) * -(-height // BLOCK)


def rate_of(text):
    """Frames a second of a text such as `30000/1001`; None where it says nothing useful."""
    try:
        over, _, under = text.partition("/")
        rate = float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return rate if 1 <= rate <= 120 else None


def source_of(probe):
    """What ffprobe's JSON says of a stream: {"width", "height", "rate", "video", "audio"}; `video` None without a picture."""
    source = {"width": 0, "height": 0, "rate": None, "video": None, "audio": None}
    for stream in probe.get("streams", []):
        if stream.get("codec_type") == "video" and source["video"] is None:
            source["video"] = stream.get("codec_name")
            source["width"], source["height"] = int(stream.get("width") or 0), int(stream.get("height") or 0)
            source["rate"] = rate_of(stream.get("avg_frame_rate", "")) or rate_of(stream.get("r_frame_rate", ""))
        elif stream.get("codec_type") == "audio" and source["audio"] is None:
            source["audio"] = stream.get("codec_name")
    return source


def plan(source, profiles, budget=None, largest=None):
    """
    The rungs of a source, smallest first, and a sentence for each profile that it does not get.

    `height` of a profile is the short side, so a portrait picture is made smaller alike. Nothing is scaled up: a profile of the
    source's size or more is dropped. The native rung is there when it is listed, when it stands for a dropped one, and when
    nothing else is left. `budget` (macroblocks a second of all encoded rungs) and `largest` (width, height) are the encoder's.
    """
    notes, rungs = [], []
    width, height, rate = source["width"], source["height"], source["rate"] or 30
    if source["video"] != "h264" or width <= 0 or height <= 0:
        return [], ["no ladder: the video is %s, not H.264" % (source["video"] or "missing")]
    short = min(width, height)
    native = "native" in [profile["name"] for profile in profiles]
    for profile in sorted((p for p in profiles if p["name"] != "native"), key=lambda p: p["height"]):
        if profile["height"] >= short:
            notes.append("no %s: the source has %d lines" % (profile["name"], short))
            native = True
            continue
        size = scaled(width, height, profile["height"])
        if largest and (max(size) > largest[0] or min(size) > largest[1]):
            notes.append("no %s: %dx%d is above what the encoder takes" % ((profile["name"],) + size))
            continue
        rungs.append({"name": profile["name"], "width": size[0], "height": size[1], "kbit": profile["video_bitrate"], "copy": False})
    while budget is not None and rungs and load(rungs, rate) > budget:
        notes.append("no %s: at %g frames a second it is more than this host encodes" % (rungs[-1]["name"], round(rate, 2)))
        rungs.pop()
    if native or not rungs:
        rungs.append({"name": "native", "width": width, "height": height, "kbit": None, "copy": True})
    return rungs, notes


def small(profiles, source):
    """The same profiles in sizes that fit below any source."""
    highest = max([profile["height"] for profile in profiles if profile["name"] != "native"] or [1])
    short = min(source["width"], source["height"])
    return [
        dict(profile, height=even(profile["height"] * short / highest / 1.5)) if profile["name"] != "native" else profile
        for profile in profiles
    ]


def scaled(width, height, short):
    """A size with this short side and, to the nearest even number, the same shape."""
    if width >= height:
        return (even(width * short / height), even(short))
    return (even(short), even(height * short / width))


def load(rungs, rate):
    """Macroblocks a second that are encoded."""
    return sum(blocks(rung["width"], rung["height"]) for rung in rungs if not rung["copy"]) * rate


def passthrough(version):
    """FFmpeg's option for "the source's own time stamps", by its version as (major, minor)."""
    return ["-fps_mode", "passthrough"] if version >= (5, 1) else ["-vsync", "passthrough"]


def filters(rungs, encoder):
    """
    The filter graph: each rung is scaled from the one above it, which takes a third less work than scaling each from the source.
    Outputs are [v0], [v1], ... in the order of the encoded rungs.
    """
    encoded = [rung for rung in rungs if not rung["copy"]]
    order = sorted(range(len(encoded)), key=lambda i: -blocks(encoded[i]["width"], encoded[i]["height"]))
    parts, at = [], "0:v:0"
    upload = ",format=nv12,hwupload" if encoder == "vaapi" else ""
    for place, index in enumerate(order):
        rung = encoded[index]
        text = "[%s]scale=%d:%d:flags=bilinear,format=yuv420p" % (at, rung["width"], rung["height"])
        if place + 1 < len(order):
            parts.append("%s,split=2[s%d][n%d]" % (text, index, index))
            parts.append("[s%d]null%s[v%d]" % (index, upload, index))
            at = "n%d" % index
        else:
            parts.append("%s%s[v%d]" % (text, upload, index))
    return ";".join(parts)


def encoder_options(index, rung, encoder, preset):
    """Options of one encoded video stream, by its index in the output."""
    words = {
        "c": dict((short, name) for short, name, _ in ENCODERS)[encoder],
        "b": "%dk" % rung["kbit"],
        "maxrate": "%dk" % int(rung["kbit"] * PEAK),
        "bufsize": "%dk" % int(rung["kbit"] * BUFFER_SECONDS),
        # Pictures that need later ones would shift the rung against the native one, and cost time.
        "bf": "0",
        # A key frame where the source has one, and nowhere else: all rungs are cut at the same pictures.
        "force_key_frames": "source",
        "g": "600",
        # RTMP counts milliseconds; the default, one over the frame rate, would round them away.
        "enc_time_base": "1/1000",
        # Each segment begins with SPS and PPS of its own.
        "flags": "-global_header",
    }
    if encoder == "libx264":
        # One thread each: the rungs are as many threads as there is work for, and more cost more in all.
        words.update({"preset": preset, "sc_threshold": "0", "threads": "1"})
    elif encoder == "nvenc":
        words.update({"preset": "p1", "no-scenecut": "1", "forced-idr": "1"})
    elif encoder == "qsv":
        words.update({"preset": "veryfast", "forced_idr": "1"})
    return [word for name, value in words.items() for word in ("-%s:v:%d" % (name, index), value)]


def ladder_argv(given, rungs, encoder, preset, version, audio, outputs):
    """
    One FFmpeg, one decode, one sound: the native rung copied, the others encoded.
    `given`: words of the input; `audio`: the source's audio codec or None; `outputs`: the words after all streams.
    """
    encoded = [rung for rung in rungs if not rung["copy"]]
    words = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
    if encoder == "vaapi":
        words += ["-vaapi_device", "/dev/dri/renderD128"]
    # Decoding takes a fraction of one core; more threads would only take more.
    words += ["-copytb", "1", "-filter_complex_threads", "1", "-threads", "1"] + given
    if encoded:
        words += ["-filter_complex", filters(rungs, encoder)]
    number = 0
    for index, rung in enumerate(rungs):
        if rung["copy"]:
            words += ["-map", "0:v:0", "-c:v:%d" % index, "copy"]
        else:
            words += ["-map", "[v%d]" % number] + encoder_options(index, rung, encoder, preset)
            number += 1
    if audio is not None:
        words += ["-map", "0:a:0", "-c:a", "copy"] if audio == "aac" else ["-map", "0:a:0", "-c:a", "aac", "-b:a", "%dk" % AUDIO_KBIT, "-ac", "2"]
    return words + passthrough(version) + outputs


def version_of(text):
    """(major, minor) of the first line of `ffmpeg -version`; Debian's is `ffmpeg version 5.1.9-0+deb12u1 ...`."""
    numbers = text.split("version ", 1)[-1].lstrip("n").split("-")[0].split(".")
    try:
        return (int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0)
    except ValueError:
        # A build from a repository: newer than all that matters here.
        return (99, 0)
