"""Live streams, as the tools beside NGINX see them: by the file that NJS keeps for each publisher (assets/nginx/njs/edge.js)."""

import os
import re

PUBLISHERS = "/run/edge-rtmp/publishers"
# As in njs/edge.js. Each is a valid instance of a unit as it stands, and no path.
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
# Streams of `edge-setup verify`.
PROOF = "edge-verify-"


def live_streams():
    """Streams with a publisher, each with what tells this publisher from the one before."""
    found = {}
    try:
        names = os.listdir(PUBLISHERS)
    except FileNotFoundError:
        return found
    for name in filter(NAME.match, names):
        try:
            with open(os.path.join(PUBLISHERS, name), encoding="ascii") as file:
                worker, client, since = file.read().split()[:3]
        except (OSError, ValueError):
            continue
        # The claim of a worker that was killed is nobody's.
        if worker.isdigit() and os.path.exists("/proc/" + worker):
            found[name] = (worker, client, since)
    return found


def versions(*paths):
    """Changes with each new file that is renamed to one of these paths, or this module; None while one is missing."""
    try:
        return [(info.st_ino, info.st_mtime_ns) for info in map(os.stat, (__file__,) + paths)]
    except FileNotFoundError:
        return None
