"""Certificates as files, for edge-certs: read, judged, made and put in place."""

import calendar
import contextlib
import hashlib
import ipaddress
import json
import os
import re
import subprocess
import tempfile
import time

# What the CA said, and what it gave, for the next time.
MEMORY = "/var/lib/edge/certs/memory.json"
# Days; Apple's limit for certificates that people trust by hand.
SELF_SIGNED_DAYS = 825


class Refused(Exception):
    """What does not go, why, and what to do."""


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def read_json(path):
    try:
        return json.loads(read(path) or b"{}")
    except ValueError:
        return {}


def write(path, data, mode, group=0):
    """Whole or not at all."""
    fresh = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        os.fchown(file.fileno(), 0, group)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.rename(fresh, path)


def write_json(path, value, mode):
    write(path, json.dumps(value).encode() + b"\n", mode)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def openssl(*words, data=b""):
    done = subprocess.run(["openssl", *words], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Refused((done.stderr.decode(errors="replace").strip().splitlines() or ["openssl failed"])[0])
    return done.stdout


def blocks(data):
    """The certificates of a PEM file."""
    return re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", data, re.DOTALL)


def facts_of(data):
    """What the first certificate of a PEM file says."""
    form = ["-noout", "-serial", "-subject", "-issuer", "-dates", "-fingerprint", "-sha256", "-ext", "subjectAltName"]
    text = openssl("x509", *form, "-nameopt", "RFC2253", data=data).decode(errors="replace")
    field = {key.lower(): value for key, value in re.findall(r"^([A-Za-z0-9 ]+?)=(.*)$", text, re.MULTILINE)}
    when = lambda value: calendar.timegm(time.strptime(re.sub(" +", " ", value), "%b %d %H:%M:%S %Y GMT"))  # noqa: E731
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", text)
    return {
        "names": [plain_name(name) for name in names],
        "issuer": issuer_of(field.get("issuer", "")),
        "self_signed": field.get("issuer") == field.get("subject"),
        "serial": field.get("serial", ""),
        "fingerprint": re.sub("[^0-9a-f]", "", field.get("sha256 fingerprint", "").lower()),
        "not_before": when(field["notbefore"]),
        "not_after": when(field["notafter"]),
    }


def issuer_of(text):
    """`Let's Encrypt R11` of `CN=R11,O=Let's Encrypt,C=US`."""
    parts = dict(part.partition("=")[::2] for part in re.split(r"(?<!\\),", text))
    found = [parts.get(key, "").replace("\\", "") for key in ("O", "CN")]
    return re.sub(r"[^ -~]", "?", " ".join(part for part in found if part))[:120]


def plain_name(name):
    """Addresses in the one form that comparing takes."""
    if ":" not in name:
        return name.lower()
    return str(ipaddress.ip_address(name))


def is_address(name):
    return ":" in name or re.fullmatch(r"[0-9.]+", name) is not None


def good_pair(chain, key):
    """Raises Refused unless the chain is in order and the key is the first certificate's."""
    found = blocks(chain)
    if not found:
        raise Refused("the certificate's file holds no certificate in PEM form")
    ends = [openssl("x509", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253", data=one).decode() for one in found]
    subjects = [re.search("^subject=(.*)$", text, re.MULTILINE)[1] for text in ends]
    issuers = [re.search("^issuer=(.*)$", text, re.MULTILINE)[1] for text in ends]
    for place, (issuer, subject) in enumerate(zip(issuers, subjects[1:])):
        if issuer != subject:
            which = (place + 2, place + 1)
            raise Refused("certificate %d of the file is not the one that vouches for certificate %d" % which)
    if openssl("x509", "-noout", "-pubkey", data=chain) != openssl("pkey", "-pubout", "-passin", "pass:", data=key):
        raise Refused("the private key is not that of the certificate")
    if facts_of(chain)["not_after"] < time.time():
        raise Refused("the certificate has ended")


def self_signed(names, scratch):
    """(chain, key) for these names, vouched for by nobody; `scratch` is a folder that nobody else reads."""
    lists = ["%s:%s" % ("IP" if is_address(name) else "DNS", name) for name in names]
    form = "\n".join([
        "[req]", "distinguished_name = name", "x509_extensions = own", "prompt = no",
        "[name]", "CN = %s" % names[0][:64],
        # CA:FALSE, so that whoever trusts it trusts it for these names alone.
        "[own]", "basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
        "extendedKeyUsage = serverAuth", "subjectAltName = %s" % ", ".join(lists), "",
    ])
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        with open(folder + "/form", "w", encoding="utf-8") as file:
            file.write(form)
        words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder + "/key"]
        days = str(SELF_SIGNED_DAYS)
        chain = openssl("req", "-x509", "-sha256", "-config", folder + "/form", "-days", days, *words)
        return chain, read(folder + "/key")


def in_words(record):
    if not record:
        return "no certificate"
    kinds = {"own": "its own certificate", "self-signed": "a self-signed certificate"}
    whose = kinds.get(record["kind"], "a certificate of " + record["issuer"])
    return "%s for %s until %s" % (whose, ", ".join(record["names"][:4]) or "no name", day(record["not_after"]))


def day(at):
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def minute(at):
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def left(record):
    """Part of the lifetime that is left; below 0 when it is over."""
    return (record["not_after"] - time.time()) / max(1, record["not_after"] - record["not_before"])


def covers(names, name):
    return name in names or (not is_address(name) and "*." + name.partition(".")[2] in names)


def wanted_names(config):
    return {plain_name(name) for name in config["names"]}
