import { execFileSync, spawnSync } from "node:child_process";
import t from "tap";

const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "no python3";

/** What expressions over edge_ca (and edge_pem as p) give; those that refuse give the words. */
function evaluate(setup: string, expressions: readonly string[]): unknown[] {
  const program = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, "assets/bin")
from edge_ca import *
import edge_pem as p
def said(call):
    try:
        return call()
    except p.Refused as refusal:
        return str(refusal)
${setup}
print(json.dumps([${expressions.map((one) => `said(lambda: ${one})`).join(", ")}]))
`;
  return JSON.parse(execFileSync("python3", ["-c", program], { encoding: "utf8" }));
}

const SERVER = "https://ca.example/dir";
const CONFIG = `
now = 1800000000
config = {"names": ["B.example", "a.example"], "server": "${SERVER}", "mail": "", "profile": "", "private_ca": False}
def tries(outcome, ages, names=("a.example", "b.example"), server="${SERVER}"):
    return {"attempts": [{"at": now - age, "server": server, "names": list(names), "outcome": outcome} for age in ages]}
`;

t.test("how often a CA is asked", { skip }, async (t) => {
  const found = evaluate(CONFIG, [
    "waits({}, config, now)",
    "waits(tries('failed', [10, 20, 30, 40]), config, now)",
    "waits(tries('failed', [10, 20, 30, 40, 50], ['b.example']), config, now)",
    "waits(tries('failed', [10, 20, 30, 40, 50, 60, 70], ['b.example']), config, now)",
    "waits(tries('failed', [10, 20, 30, 40, 3601]), config, now)",
    "waits(tries('failed', [10, 20, 30, 40, 50], ['c.example']), config, now)",
    "waits(tries('failed', [10, 20, 30, 40, 50], server='https://other.example/'), config, now)",
    "waits(tries('ok', [86400, 90000, 100000, 200000, 300000]), config, now)",
    "waits(tries('ok', [86400, 90000, 100000, 200000, 700000]), config, now)",
    "waits(tries('ok', [1, 2, 3, 4, 5], ['a.example']), config, now)",
    `waits({"before": {"${SERVER}": {"at": now + 60, "why": "it answers 429"}}}, config, now)`,
    `waits({"before": {"${SERVER}": {"at": now - 1, "why": "it answers 429"}}}, config, now)`,
    "waits(tries('failed', [1] * 9), {**config, 'server': 'https://acme-staging.example/'}, now)",
  ]);
  const none = [0, ""];
  const [fresh, four, five, seven, old, others, elsewhere, weekly, oldWeek, fewer, told, over, staging] = found;
  t.same([fresh, four, old, others, elsewhere, oldWeek, fewer, over, staging], Array(9).fill(none));
  t.same(five, [1800000000 - 50 + 3600, "b.example failed 5 times within an hour, as often as a CA takes"]);
  t.match(seven, [1800000000 - 50 + 3600], "the fifth of the last ones has to be an hour ago");
  t.match(weekly, [1800000000 - 300000 + 604800, /5 certificates for these names within a week/]);
  t.same(told, [1800000060, "the CA said so (it answers 429)"]);
});

t.test("what went wrong, in our words", { skip }, async (t) => {
  const challenge = `Certbot failed to authenticate some domains (authenticator: webroot). The Certificate Authority reported these problems:
  Domain: a.example
  Type:   connection
  Detail: 192.0.2.7: Fetching http://a.example/.well-known/acme-challenge/x: Timeout during connect (likely firewall problem)

  Domain: B.example
  Type:   dns
  Detail: DNS problem: NXDOMAIN looking up A for B.example

Hint: The Certificate Authority failed to download the temporary challenge files.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org.`;
  const limit =
    "An unexpected error occurred:\\nError creating new order :: too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2027-01-15 08:10:00 UTC: see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers";
  const found = evaluate(`${CONFIG}\nchallenge = """${challenge}"""\nlimit = "${limit}"`, [
    "failure_of(challenge, '', now)",
    "failure_of(limit, '', now)",
    "failure_of('An unexpected error occurred:\\nurn:ietf:params:acme:error:rateLimited :: too many requests', 'HTTP 429\\nRetry-After: 120\\nx: y', now)",
    "failure_of('An unexpected error occurred:\\ntoo many failed authorizations recently', '', now)['until'] - now",
    "failure_of('Another instance of Certbot is already running.', '', now)",
    "failure_of('An unexpected error occurred:\\nThe CSR is \\x1b[31m bad\\nAsk for help', '', now)['text']",
    "failure_of('', '', now)['text']",
    "retry_after('Fri, 15 Jan 2027 08:10:00 GMT', now)",
    "retry_after('99999999999', now) - now",
    "retry_after('soon', now)",
  ]);
  const [failed, limited, header, silent, busy, odd, nothing, date, far, never] = found;
  t.match(failed, {
    names: ["a.example", "b.example"],
    text: /^The CA could not prove a.example \(and 1 more\): 192.0.2.7: .*firewall problem\)\. Let port 80 through/,
    until: 0,
  });
  t.match(limited, {
    names: [],
    until: 1800000600,
    text: "The CA takes no more of this for now: too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s.",
  });
  t.match(header, { until: 1800000120 });
  t.equal(silent, 3600);
  t.match(busy, { text: /certbot is at work on this host already/ });
  t.equal(odd, "certbot failed: The CSR is ?[31m bad. /var/log/letsencrypt/letsencrypt.log has more.");
  t.match(nothing, /it said nothing/);
  t.same([date, far, never], [1800000600, 30 * 86_400, 0]);
});

t.test("where names lead, seen from the host", { skip }, async (t) => {
  const judge = (found: string, own: string) => `judge_addresses("a.example", ${found}, ${own})`;
  const [same, local, other, six, noSix, router, mixed] = evaluate("", [
    judge("['198.51.100.7', '2001:db8::7']", "['127.0.0.1', '198.51.100.7', '2001:db8::7', 'fe80::1']"),
    judge("['127.0.1.1']", "['192.168.1.2']"),
    judge("['8.8.8.8']", "['127.0.0.1', '9.9.9.9', '192.168.1.2']"),
    judge("['9.9.9.9', '2001:db8::8']", "['9.9.9.9', '2001:db8::7']"),
    judge("['9.9.9.9', '2001:db8::8']", "['9.9.9.9', 'fe80::1']"),
    judge("['8.8.8.8']", "['192.168.1.2', '172.17.0.1']"),
    judge("['10.1.1.1']", "['192.168.1.2']"),
  ]) as [string, string[]][];
  t.same(
    [same, local],
    [
      ["", []],
      ["", []],
    ],
  );
  t.match(other, [/^a.example leads to 8.8.8.8, and this host has 9.9.9.9, 192.168.1.2: correct its A record/]);
  t.match(six, [/has the AAAA record 2001:db8::8, and this host has 2001:db8::7. CAs try IPv6 first/]);
  t.match(noSix, [/and this host has no IPv6 address/]);
  t.same(router, ["", ["8.8.8.8"]], "a router's, to be told");
  t.match(mixed, [/leads to 10.1.1.1, and this host has 192.168.1.2/]);
});

t.test("the clock, the version, and what certbot is told", { skip }, async (t) => {
  const found = evaluate(CONFIG, [
    "clock_problem('Fri, 15 Jan 2027 08:00:00 GMT', now)",
    "clock_problem('Fri, 15 Jan 2027 08:04:00 GMT', now)",
    "clock_problem('Fri, 15 Jan 2027 10:00:00 GMT', now)",
    "clock_problem(None, now)",
    "check_version((2, 1), ['a.example'], '')",
    "check_version((5, 3), ['a.example', '192.0.2.7'], 'shortlived')",
    "check_version((5, 4), ['192.0.2.7', '2001:db8::7'], 'shortlived')",
    "check_version((2, 1), ['a.example'], 'shortlived')",
    "request_words({**config, 'mail': 'x@example.org', 'profile': 'shortlived'}, ['192.0.2.7', 'a.example'], False)",
    "request_words({**config, 'server': 'https://acme-staging.example/'}, ['a.example'], True)",
  ]) as (string | string[])[];
  const [good, near, wrong, unknown, plain, old, addresses, profile, words, dry] = found;
  t.same([good, near, unknown, plain, addresses], ["", "", "", null, null]);
  t.match(wrong, /^The clock of this host says 2027-01-15 08:00 UTC, and the CA's 2027-01-15 10:00 UTC: set it/);
  t.match(old, /^A certificate for an address \(192.0.2.7\) needs certbot 5.4 or later, and this host has certbot 5.3/);
  t.match(profile, /^https_cert_profile: shortlived needs certbot 4.0 or later, and this host has certbot 2.1/);
  const line = [words].flat().join(" ");
  t.match(
    line,
    "--email x@example.org --required-profile shortlived --force-renewal --ip-address 192.0.2.7 --domain a.ex",
  );
  t.match([dry].flat().join(" "), "--register-unsafely-without-email --dry-run --break-my-certs --domain a.example");
});

t.test("a CA that cannot be asked", { skip }, async (t) => {
  const folder = t.testdir({});
  const setup = `${CONFIG}
import edge_ca, email.message, io, urllib.error, ssl
edge_ca.MEMORY = "${folder}/memory.json"
p.MEMORY = edge_ca.MEMORY
written = {}
edge_ca.remember = lambda **news: written.update(news)
def asked(outcome, profile=""):
    def open(request, timeout, context):
        if isinstance(outcome, Exception):
            raise outcome
        body = io.BytesIO(json.dumps(outcome).encode())
        body.headers = {"Date": None}
        return body
    edge_ca.urllib.request.urlopen = open
    check_ca({**config, "profile": profile})
def status(code, **headers):
    message = email.message.Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError("${SERVER}", code, "", message, None)
def untrusted(code):
    error = ssl.SSLCertVerificationError("x")
    error.verify_code, error.verify_message = code, "unable to get local issuer certificate"
    return urllib.error.URLError(error)
`;
  const found = evaluate(setup, [
    "asked({'meta': {}})",
    "asked(status(429, Retry_After='7200'))",
    `written["before"]["${SERVER}"]["at"] - int(time.time()) > 7100`,
    "asked(status(500))",
    "asked(untrusted(9))",
    "asked(untrusted(20))",
    "asked(urllib.error.URLError(ConnectionRefusedError(111, 'Connection refused')))",
    "asked(TimeoutError())",
    "asked({'meta': {'profiles': {'classic': '', 'shortlived': ''}}}, 'shortlived')",
    "asked({'meta': {'profiles': {'classic': ''}}}, 'shortlived')",
    "asked({}, 'shortlived')",
  ]) as (string | boolean | null)[];
  const [good, busy, remembered, broken, clock, stranger, refused, silent, offered, other, none] = found;
  t.same([good, offered, remembered], [null, null, true]);
  t.match(busy, /^The CA at \S+ has no time \(429\). No CA is asked before 20/);
  t.equal(broken, `The CA at ${SERVER} answers 500. Apply again later.`);
  t.match(clock, /^The certificate of \S+ is not valid at .* UTC, the time of this host: set its clock/);
  t.match(stranger, /^Nobody whom this host trusts vouches for .* give https_acme_ca/);
  t.equal(refused, `The CA at ${SERVER} cannot be reached: Connection refused. Apply again when it can.`);
  t.equal(silent, `The CA at ${SERVER} cannot be reached: it does not answer. Apply again when it can.`);
  t.match(other, /has no profile shortlived \(https_cert_profile\): it offers classic/);
  t.match(none, /it offers none to choose from/);
});

t.test("addresses of a host, as its kernel tells them", { skip }, async (t) => {
  const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
           +-- 198.51.100.0/31 1 0 0
              |-- 198.51.100.0
                 /24 link UNICAST
              |-- 198.51.100.7
                 /32 host LOCAL
              |-- 198.51.100.255
                 /32 link BROADCAST
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
Local:
              |-- 198.51.100.7
                 /32 host LOCAL
`;
  const six =
    "20010db8000000000000000000000007 02 40 00 82    host0\n00000000000000000000000000000001 01 80 10 80       lo\n";
  const [found, none] = evaluate(`trie, six = ${JSON.stringify(trie)}, ${JSON.stringify(six)}`, [
    "addresses_in(trie, six)",
    "addresses_in('', '')",
  ]);
  t.same(found, ["198.51.100.7", "127.0.0.1", "2001:db8::7", "::1"]);
  t.same(none, []);
});
