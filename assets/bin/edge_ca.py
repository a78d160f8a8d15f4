"""The CA, for edge-certs: what has to be right before it is asked, how often it may be, and what went wrong."""

import calendar
import email.utils
import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from edge_pem import MEMORY, Refused, is_address, minute, plain_name, read, read_json, wanted_names, write, write_json

# Certificates that vouch for the CA, with those that the host trusts anyway.
CA_BUNDLE = "/var/lib/edge/certs/ca-bundle.pem"
# certbot's.
WEBROOT = "/var/lib/edge/acme"
CERT_NAME = "edge"
CERTBOT_LOG = "/var/log/letsencrypt/letsencrypt.log"

HOUR, DAY = 3600, 86400
# Seconds that the host's clock may differ from the CA's.
CLOCK_TOLERANCE = 300
# Let's Encrypt's limits (letsencrypt.org/docs/rate-limits): failed validations of a name, certificates of the same
# names.
FAILURES, FAILURES_IN = 5, HOUR
DUPLICATES, DUPLICATES_IN = 5, 7 * DAY
# Seconds for one connection, and for certbot's whole work.
PATIENCE = 10
CERTBOT_PATIENCE = 300


def ask(config, dry):
    """One certificate from the CA, into certbot's folder; with `dry` it is thrown away. Raises Refused."""
    memory = read_json(MEMORY)
    now = time.time()
    until, why = waits(memory, config, now)
    if until and not dry:
        raise Refused("No CA is asked before %s: %s." % (minute(until), why))
    names = sorted(wanted_names(config))
    check_version(certbot_version(), names, config["profile"])
    check_ca(config)
    for name in names:
        check_name(config, name)
    code, said = certbot("certonly", *request_words(config, names, dry), config=config)
    if code == 0:
        if not dry:
            note(config, "ok")
            # The account was made with it, unless there was one.
            remember(mail={config["server"]: config["mail"], **read_json(MEMORY).get("mail", {})})
        return
    failure = failure_of(said, read(CERTBOT_LOG).decode(errors="replace"), now)
    if not dry:
        if failure["names"]:
            note(config, "failed", failure["names"])
        if failure["until"]:
            told = {"at": failure["until"], "why": failure["text"]}
            remember(before={**memory.get("before", {}), config["server"]: told})
    later = " No CA is asked before %s." % minute(failure["until"]) if failure["until"] else ""
    raise Refused(failure["text"] + later)


def tell_mail(config):
    """An account keeps the mail address that it was made with, unless it is told."""
    known = read_json(MEMORY).get("mail", {})
    if not config["mail"] or known.get(config["server"]) == config["mail"]:
        return
    code, said = certbot("update_account", "--server", config["server"], "--email", config["mail"], config=config)
    if code != 0:
        raise Refused("The CA does not take the mail address: %s" % last_line(said))
    remember(mail={**known, config["server"]: config["mail"]})
    print("installed: the CA has the mail address")


def certbot(*words, config=None):
    """Runs certbot and gives (exit code, what it said)."""
    # Tells the hook that whoever ran certbot takes what it brings.
    env = {**os.environ, "EDGE_CERTS": "1"}
    if config and config["private_ca"]:
        env["REQUESTS_CA_BUNDLE"] = CA_BUNDLE
    try:
        done = subprocess.run(
            ["certbot", words[0], "-n", *words[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            timeout=CERTBOT_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, "certbot did not end within %d s" % CERTBOT_PATIENCE
    return done.returncode, done.stdout.decode(errors="replace")


def certbot_version():
    """(2, 1), or (0, 0) when it does not say."""
    _, text = certbot("--version")
    found = re.search(r"certbot (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def request_words(config, names, dry):
    words = ["--webroot", "-w", WEBROOT, "--cert-name", CERT_NAME, "--key-type", "ecdsa", "--agree-tos"]
    words += ["--server", config["server"], "--renew-with-new-domains"]
    words += ["--deploy-hook", "/opt/edge/bin/edge-certs deploy"]
    words += ["--email", config["mail"]] if config["mail"] else ["--register-unsafely-without-email"]
    words += ["--required-profile", config["profile"]] if config["profile"] else []
    # We ask only when it has to be; certbot would keep what is there, and not give a valid one for one of staging.
    words += ["--dry-run"] if dry else ["--force-renewal"]
    words += ["--break-my-certs"] if is_staging(config["server"]) else []
    for name in names:
        words += ["--ip-address" if is_address(name) else "--domain", name]
    return words


def waits(memory, config, now):
    """(until, why) when the CA is not to be asked yet, by what it said and by Let's Encrypt's limits; else (0, "")."""
    before = memory.get("before", {}).get(config["server"], {})
    if before.get("at", 0) > now:
        return before["at"], "the CA said so (%s)" % before["why"]
    if is_staging(config["server"]):
        return 0, ""
    attempts = [one for one in memory.get("attempts", []) if one["server"] == config["server"]]
    names = wanted_names(config)
    recent = lambda outcome, since, fits: sorted(  # noqa: E731
        one["at"] for one in attempts if one["outcome"] == outcome and one["at"] > now - since and fits(one["names"])
    )
    for name in sorted(names):
        failed = recent("failed", FAILURES_IN, lambda those, name=name: name in those)
        if len(failed) >= FAILURES:
            why = "%s failed %d times within an hour, as often as a CA takes" % (name, len(failed))
            return failed[-FAILURES] + FAILURES_IN, why
    same = recent("ok", DUPLICATES_IN, lambda those: set(those) == names)
    if len(same) >= DUPLICATES:
        why = "it gave %d certificates for these names within a week, as many as a CA does" % len(same)
        return same[-DUPLICATES] + DUPLICATES_IN, why
    return 0, ""


def note(config, outcome, names=None):
    now = time.time()
    kept = [one for one in read_json(MEMORY).get("attempts", []) if one["at"] > now - DUPLICATES_IN][-200:]
    those = sorted(names or wanted_names(config))
    attempt = {"at": int(now), "server": config["server"], "names": those, "outcome": outcome}
    remember(attempts=kept + [attempt])


def remember(**news):
    write_json(MEMORY, {**read_json(MEMORY), **news}, 0o600)


def is_staging(server):
    return "staging" in server


def check_version(version, names, profile):
    has = "this host has certbot %d.%d" % version
    addresses = [name for name in names if is_address(name)]
    if addresses and version < (5, 4):
        needs = "A certificate for an address (%s) needs certbot 5.4 or later" % addresses[0]
        raise Refused("%s, and %s. Give a name in the DNS instead." % (needs, has))
    if profile and version < (4, 0):
        raise Refused("https_cert_profile: %s needs certbot 4.0 or later, and %s. Remove it." % (profile, has))


def check_ca(config):
    """Whether the CA answers, whether clocks agree, and whether it has what is wanted."""
    server = config["server"]
    context = ssl.create_default_context(cafile=CA_BUNDLE if config["private_ca"] else None)
    try:
        request = urllib.request.Request(server, headers={"User-Agent": "edge-certs"})
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:
            date, directory = answer.headers.get("Date"), json.loads(answer.read(1000000))
    except urllib.error.HTTPError as error:
        wait = retry_after(error.headers.get("Retry-After"), time.time()) if error.code in (429, 503) else 0
        if wait:
            why = "it answers %d" % error.code
            remember(before={**read_json(MEMORY).get("before", {}), server: {"at": wait, "why": why}})
            busy = "The CA at %s has no time (%d)." % (server, error.code)
            raise Refused("%s No CA is asked before %s." % (busy, minute(wait))) from None
        raise Refused("The CA at %s answers %d. Apply again later." % (server, error.code)) from None
    except (OSError, ValueError) as error:
        raise Refused(unreachable(server, getattr(error, "reason", error))) from None
    wrong = clock_problem(date, time.time())
    if wrong:
        raise Refused(wrong)
    offered = (directory.get("meta") or {}).get("profiles") or {}
    if config["profile"] and config["profile"] not in offered:
        has = "it offers %s" % ", ".join(sorted(offered)) if offered else "it offers none to choose from"
        raise Refused("The CA at %s has no profile %s (https_cert_profile): %s." % (server, config["profile"], has))


def unreachable(server, error):
    if isinstance(error, ssl.SSLCertVerificationError):
        # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
        if error.verify_code in (9, 10):
            now = minute(time.time())
            return "The certificate of %s is not valid at %s, the time of this host: set its clock." % (server, now)
        who = "Nobody whom this host trusts vouches for %s (%s)." % (server, error.verify_message)
        return who + " For a CA of your own, give https_acme_ca."
    why = "it does not answer" if isinstance(error, TimeoutError) else str(getattr(error, "strerror", None) or error)
    return "The CA at %s cannot be reached: %s. Apply again when it can." % (server, why)


def clock_problem(date, now):
    """In words, when the host's time is not the CA's; without a date nobody knows."""
    try:
        theirs = email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return ""
    if abs(now - theirs) <= CLOCK_TOLERANCE:
        return ""
    both = (minute(now), minute(theirs))
    return "The clock of this host says %s, and the CA's %s: set it (timedatectl set-ntp true)." % both


def check_name(config, name):
    """Whether a name leads here, and whether what the CA will ask for is answered here."""
    found = [name] if is_address(name) else addresses_of(name)
    natted = []
    if config["dns_check"]:
        problem, natted = judge_addresses(name, found, own_addresses())
        if problem:
            raise Refused(problem)
    token = os.urandom(16).hex()
    folder = WEBROOT + "/.well-known/acme-challenge"
    os.makedirs(folder, 0o755, exist_ok=True)
    path = "%s/edge-%s" % (folder, token)
    write(path, token.encode(), 0o644)
    try:
        for address in found:
            problem = fetch_problem(address, name, "/.well-known/acme-challenge/edge-" + token, token)
            if not problem:
                continue
            # Many routers do not lead their own network's connections back into it; the CA comes from outside.
            if address in natted or not config["dns_check"]:
                print("note: %s (%s) from this host: %s" % (name, address, problem))
                continue
            port = config["http_port"]
            more = "" if port == 80 else " This edge has it on port %d (http_server_port)." % port
            raise Refused("The CA asks %s at port 80 of %s, and there %s.%s" % (name, address, problem, more))
    finally:
        os.unlink(path)


def addresses_of(name):
    try:
        return sorted({plain_name(one[4][0]) for one in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)})
    except socket.gaierror as error:
        none = "%s has no A or AAAA record that this host can find (%s)" % (name, error.strerror)
        raise Refused(none + ": make one that leads here.") from None


def own_addresses():
    """Of all interfaces, as the kernel's files have them: a confined unit may not ask it by netlink."""
    four, six = (read("/proc/self/net/" + name).decode() for name in ("fib_trie", "if_inet6"))
    return addresses_in(four, six)


def addresses_in(fib_trie, if_inet6):
    four = re.findall(r"\|-- (\S+)\n */32 host LOCAL", fib_trie)
    six = re.findall(r"^([0-9a-f]{32}) ", if_inet6, re.MULTILINE)
    return list(dict.fromkeys(four + [str(ipaddress.IPv6Address(int(one, 16))) for one in six]))


def is_local(address):
    """Of this machine or this link alone."""
    one = ipaddress.ip_address(address)
    return one.is_loopback or one.is_link_local


def judge_addresses(name, found, own):
    """(what is wrong, addresses of a router before this host) of where a name leads."""
    is_private = lambda one: not ipaddress.ip_address(one).is_global  # noqa: E731
    mine = [one for one in own if not is_local(one)]
    natted = []
    for address in found:
        # /etc/hosts may give the host's own name an address of its own, which says nothing about the DNS.
        if address in own or is_local(address):
            continue
        if ":" in address:
            has = [one for one in mine if ":" in one]
            here = "this host has %s" % ", ".join(has) if has else "this host has no IPv6 address"
            wrong = "%s has the AAAA record %s, and %s." % (name, address, here)
            return wrong + " CAs try IPv6 first: correct the record, or remove it.", natted
        four = [one for one in mine if ":" not in one]
        if is_private(address) or not all(map(is_private, four)):
            here = "this host has %s" % (", ".join(four) or "no IPv4 address")
            wrong = "%s leads to %s, and %s" % (name, address, here)
            return wrong + ": correct its A record, or set https_dns_check: false behind a proxy.", natted
        natted.append(address)
    return "", natted


def fetch_problem(address, name, path, expected):
    """Why a file of this edge is not there at port 80 of an address; "" when it is."""
    connection = http.client.HTTPConnection(address, 80, timeout=PATIENCE)
    host = "[%s]" % name if ":" in name else name
    try:
        connection.request("GET", path, headers={"Host": host, "User-Agent": "edge-certs"})
        answer = connection.getresponse()
        body = answer.read(1000).decode(errors="replace")
    except ConnectionRefusedError:
        return "nothing answers"
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return "no answer comes (%s): a firewall may keep it away" % why
    finally:
        connection.close()
    if answer.status == 200 and body == expected:
        return ""
    return "something else than this edge answers (HTTP %d)" % answer.status


REMEDIES = {
    "dns": "Correct its record in the DNS.",
    "connection": "Let port 80 through firewalls and routers to this host, for IPv4 and IPv6 alike.",
    "unauthorized": "Something else answers at its port 80, or its record leads elsewhere.",
    "caa": "A CAA record of it forbids this CA: correct that.",
    "rejectedidentifier": "This CA gives no certificate for it.",
}


def failure_of(said, log, now):
    """certbot's words as ours: text, the names that failed their proof, and until when the CA shall not be asked."""
    limited = re.search(r"[^\n]*(?:rateLimited|too many [a-z ]+)[^\n]*", said)
    limited = limited or re.search(r'"detail": "(too many [^"]*)"', log)
    if limited:
        text = re.sub(r"^.*? :: |, retry after .*| see https?:\S+", "", limited[0]).strip(" :")
        text = printable("The CA takes no more of this for now: %s." % text.rstrip("."))
        return {"text": text, "names": [], "until": limit_end(said, log, now)}
    failed = re.findall(r"Domain: *(\S+)\s+Type: *(\S+)\s+Detail: *([^\n]*)", said)
    if failed:
        name, kind, detail = failed[0]
        others = " (and %d more)" % (len(failed) - 1) if len(failed) > 1 else ""
        what = printable("The CA could not prove %s%s: %s." % (name, others, detail.rstrip(".")))
        text = "%s %s" % (what, REMEDIES.get(kind.lower(), ""))
        return {"text": text.strip(), "names": [one[0].lower() for one in failed], "until": 0}
    if "Another instance of Certbot is already running" in said:
        return {"text": "certbot is at work on this host already. Apply again in a minute.", "names": [], "until": 0}
    unexpected = re.search(r"An unexpected error occurred:\n([^\n]*)", said)
    text = printable(unexpected[1] if unexpected else last_line(said))
    return {"text": "certbot failed: %s. %s has more." % (text.rstrip("."), CERTBOT_LOG), "names": [], "until": 0}


def limit_end(said, log, now):
    """When the CA may be asked again: the time that it says, else its header, else in an hour."""
    told = re.search(r"retry after (\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)", said + log)
    if told:
        return calendar.timegm(time.strptime("%s %s" % told.groups(), "%Y-%m-%d %H:%M:%S"))
    headers = re.findall(r"^Retry-After: *(.+?) *$", log, re.MULTILINE | re.IGNORECASE)
    return retry_after(headers[-1] if headers else None, now) or int(now) + HOUR


def retry_after(value, now):
    """A time of a Retry-After header: seconds, or a date (RFC 9110, section 10.2.3); 0 without."""
    if value is None:
        return 0
    if value.strip().isdigit():
        return int(now) + min(int(value), 30 * DAY)
    try:
        return int(email.utils.parsedate_to_datetime(value).timestamp())
    except (TypeError, ValueError):
        return 0


def last_line(text):
    advice = ("Ask for help", "See the logfile")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(advice)]
    return printable(lines[-1]) if lines else "it said nothing"


def printable(text):
    return re.sub(r"[^ -~]", "?", text)[:400]
