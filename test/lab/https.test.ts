import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as tlsConnect } from "node:tls";
import t, { type Test } from "tap";
import type { LabExecResult } from "../../src/lab/index.js";
import { bootEdge, type LabEdge } from "./support/edge.js";
import { labImpossible, runProgram } from "./support/lab.js";
import { type Pebble, startPebble } from "./support/pebble.js";
import { startPublisher } from "./support/publisher.js";
import { changeSettings, getFrom, readSecrets, until } from "./support/streams.js";

t.setTimeout(600_000);

const LIVE = "live.example.test";
const TV = "tv.example.test";
const RECORD = "/var/lib/edge/certificate.json";
const ELSEWHERE = "10.99.0.9";
/** What a test changes, back as it is without. */
const NONE = {
  ...{ https: undefined, https_cert_domain: undefined, https_cert_mail: undefined, https_acme_server: undefined },
  ...{ https_acme_ca: undefined, tls_certificate: undefined, tls_key: undefined, https_hsts: undefined },
  ...{ https_redirect: undefined, https_cert_profile: undefined },
};

async function impossible(): Promise<string | false> {
  const { code } = await runProgram(["sh", "-c", "command -v pebble pebble-challtestsrv"]);
  return labImpossible() || (code === 0 ? false : "needs pebble");
}

t.test("HTTPS", { skip: await impossible() }, async (t) => {
  const edge = await bootEdge(t);
  const { host, desk } = edge;
  const pebble = await startPebble(t, host, desk.folder);
  await host.exec(`echo nameserver ${pebble.nameServer} > /etc/resolv.conf`);
  await writeFile(join(desk.folder, "resolv.conf"), `nameserver ${pebble.nameServer}\n`);
  const ofCa = {
    ...{ https: true, https_cert_mail: "ops@example.org", https_acme_server: pebble.directory },
    https_acme_ca: pebble.caFile,
  };

  /** `edge-setup WORDS` on a machine whose DNS is Pebble's. */
  async function run(...words: string[]): Promise<LabExecResult> {
    const { argv, env } = desk.command(...words);
    const mount = 'mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"';
    return runProgram(["unshare", "-m", "sh", "-c", mount, desk.folder, ...argv], { cwd: desk.folder, env });
  }
  async function apply(settings: Readonly<Record<string, unknown>>): Promise<LabExecResult> {
    await changeSettings(desk, settings);
    return run("apply", "--no-input", "--yes", "--no-verify");
  }
  async function applied(t: Test, settings: Readonly<Record<string, unknown>>): Promise<void> {
    const { code, stdout, stderr } = await apply(settings);
    t.equal(code, 0, code === 0 ? "applied" : stdout + stderr);
  }
  /** Applies, and again: the second time nothing may change, and no CA be asked. */
  async function settled(t: Test, settings: Readonly<Record<string, unknown>>): Promise<void> {
    await applied(t, settings);
    const asked = pebble.requests();
    t.match((await apply({})).stdout, /changed=0/, "a second apply changes nothing");
    t.equal(pebble.requests(), asked, "and asks nobody");
  }
  const record = async () => JSON.parse((await host.exec(`cat ${RECORD}`)).stdout);

  await t.test("self-signed, for a network without names", async (t) => {
    await settled(t, { https: true });
    const shown = await look(edge, undefined);
    t.match(shown, { protocol: "TLSv1.3", alpn: "h2" });
    t.match(shown.names, host.address);
    t.match(shown.names, "DNS:edge.local");
    t.equal((await look(edge, undefined, { maxVersion: "TLSv1.2" })).protocol, "TLSv1.2");
    const old = { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await t.rejects(look(edge, undefined, old), "nothing older");
    const plain = await getFrom(host)(new URL(`http://${host.address}/index.html?stream=a`));
    t.match(plain, { status: 308, headers: { location: `https://${host.address}/index.html?stream=a` } });
    t.equal((await getFrom(host)(new URL(`http://${host.address}/healthz`))).status, 204);
    t.match((await run("status")).stdout, /edge {2}ok .*certificate self-signed 8\d\d d for /);
    const rights = await host.exec(
      "stat -Lc '%a %U %G' /etc/edge/tls /etc/edge/tls/live/privkey.pem; setpriv --reuid=edge --regid=edge --init-groups cat /etc/edge/tls/live/privkey.pem",
    );
    t.equal(rights.stdout, "750 root edge-tls\n640 root edge-tls\n", "its key is for those that show it");
    t.match(rights.stderr, "Permission denied");
    // A thousand days later.
    const age = `import json; p = "${RECORD}"; r = json.load(open(p)); r["not_before"] -= 10 ** 9; json.dump(r, open(p, "w"))`;
    await host.exec("python3 - && systemctl start edge-certs", { input: age });
    t.not((await look(edge, undefined)).serial, shown.serial, "it is made anew before it ends");
  });

  await t.test("of a CA, in one apply", async (t) => {
    await settled(t, { ...ofCa, https_cert_domain: [LIVE, TV] });
    const shown = await look(edge, pebble);
    t.equal(shown.names, `DNS:${LIVE}, DNS:${TV}`);
    t.match(await record(), { kind: "acme", serial: shown.serial, names: [LIVE, TV] });
    const verify = await run("verify");
    t.match(verify.stdout, /warn +the certificate is good.* Pebble .*, 1\d+ days left.*does not trust it/);
    t.match(verify.stdout, `308 to https://${host.address}/`);
    t.equal(verify.code, 0, verify.code === 0 ? "proven" : verify.stdout);
    const units = await host.exec(
      "systemctl is-enabled certbot.timer edge-certs.timer; systemctl show certbot.service",
    );
    t.match(units.stdout, /^enabled\nenabled\n/);
    t.match(units.stdout, "REQUESTS_CA_BUNDLE=/var/lib/edge/certs/ca-bundle.pem", "and renews by itself");
  });

  await t.test("a renewal during a stream loses neither a segment nor a request", async (t) => {
    const { token } = await readSecrets(desk);
    const camera = startPublisher(`rtmp://${host.address}/hls/cam?token=${token}`);
    t.teardown(() => camera.stop());
    const viewer = watchOverTls(edge, pebble, "cam");
    await until("segments", async () => viewer.seen().segments >= 2);
    const before = await look(edge, pebble);
    const rtmp = (await host.exec("cat /run/edge-rtmp/nginx.pid /run/edge-rtmp/started")).stdout;
    const renewal = await host.exec(
      "REQUESTS_CA_BUNDLE=/var/lib/edge/certs/ca-bundle.pem certbot renew --force-renewal --no-random-sleep-on-renew 2>&1",
    );
    t.equal(renewal.code, 0, renewal.stdout);
    const after = await look(edge, pebble);
    t.not(after.serial, before.serial, "the new one is shown");
    t.equal((await record()).serial, after.serial);
    const seen = viewer.seen().segments;
    await until("more segments", async () => viewer.seen().segments >= seen + 3);
    const { problems, requests } = await viewer.stop();
    t.same(problems, [], `${requests} requests`);
    t.equal(camera.exitCode(), null, "the camera goes on");
    t.equal(
      (await host.exec("cat /run/edge-rtmp/nginx.pid /run/edge-rtmp/started")).stdout,
      rtmp,
      "RTMP knows nothing of it",
    );
  });

  await t.test("what the CA cannot do is told, and the edge goes on with what it has", async (t) => {
    const { serial } = await look(edge, pebble);
    const refused = async (settings: Readonly<Record<string, unknown>>, said: RegExp) => {
      const asked = pebble.requests();
      const { code, stderr } = await apply(settings);
      t.match(stderr, said);
      t.equal(code, 1);
      t.equal(pebble.requests(), asked, "nobody was asked");
    };
    await pebble.lead("bad.example.test", { v4: ELSEWHERE });
    await refused(
      { https_cert_domain: [LIVE, "bad.example.test"] },
      /No CA was asked: bad.example.test leads to 10.99.0.9/,
    );
    await pebble.lead("bad.example.test", { v4: host.address, v6: "fd99::9" });
    await refused({}, /bad.example.test has the AAAA record fd99::9, and the host has/);
    await refused({ https_cert_domain: [host.address] }, /needs certbot 5.4 or later, and this host has \d/);
    const block = ["OUTPUT", "-d", host.address, "-p", "tcp", "--dport", "80", "-j", "DROP"];
    execFileSync("iptables", ["-I", ...block]);
    try {
      await refused({ https_cert_domain: [LIVE, "new.example.test"] }, /port 80 of \S+ \(\S+\) does not answer.*/);
      // The way of ansible-playbook, where this machine looks at nothing: port 80 answers on the host, and not for the CA.
      await changeSettings(desk, { https_cert_domain: [LIVE, TV] });
      const { code, stderr } = await host.exec("/opt/edge/bin/edge-certs renew");
      t.equal(code, 1);
      t.match(stderr, /^The CA could not prove \S+.*: .*Let port 80 through firewalls/);
      t.match(stderr, /The edge goes on with a certificate of Pebble .* for live.example.test, tv.example.test until/);
    } finally {
      execFileSync("iptables", ["-D", ...block]);
    }
    const memory = "/var/lib/edge/certs/memory.json";
    const more = `import json; m = json.load(open("${memory}")); m["attempts"] += m["attempts"][-1:] * 4; json.dump(m, open("${memory}", "w"))`;
    await host.exec("cp -p /var/lib/edge/certs/memory.json /root; python3 -", { input: more });
    const limited = await host.exec("/opt/edge/bin/edge-certs renew");
    t.match(limited.stderr, /^No CA is asked before .* UTC: \S+ failed 5 times within an hour/, "limits are kept to");
    await host.exec("mv /root/memory.json /var/lib/edge/certs/");

    const down = [
      "INPUT",
      "-s",
      host.address,
      "-p",
      "tcp",
      "--dport",
      "14000",
      "-j",
      "REJECT",
      "--reject-with",
      "tcp-reset",
    ];
    execFileSync("iptables", ["-I", ...down]);
    try {
      const { code, stderr } = await apply({ https_cert_domain: [LIVE] });
      t.equal(code, 1);
      t.match(stderr, /The CA at \S+ cannot be reached: Connection refused. Apply again when it can./);
      // What is wanted is there again, and by a tool that takes every renewal for late.
      t.equal((await apply({ https_cert_domain: [LIVE, TV] })).code, 0);
      const late =
        "cd /opt/edge/bin; sed 's/^LATE = .*/LATE = 2/' edge-certs > late; python3 late obtain; echo $?; rm late";
      t.match(
        (await host.exec(late)).stdout,
        /^warning: the certificate ends \S+ and could not be renewed: The CA .*\n0\n/,
      );
    } finally {
      execFileSync("iptables", ["-D", ...down]);
    }
    await pebble.lead(LIVE, { v4: ELSEWHERE });
    t.match(
      (await host.exec("/opt/edge/bin/edge-certs renew")).stderr,
      /live.example.test leads to 10.99.0.9, and this host/,
    );
    await pebble.lead(LIVE, { v4: host.address });
    t.equal((await look(edge, pebble)).serial, serial);
  });

  await t.test("names come and go; the CA revokes", async (t) => {
    await applied(t, { https_cert_domain: [LIVE] });
    t.equal((await look(edge, pebble)).names, `DNS:${LIVE}`);
    await applied(t, { https_cert_domain: [LIVE, "new.example.test"] });
    const { names, serial } = await look(edge, pebble);
    t.equal(names, `DNS:${LIVE}, DNS:new.example.test`);
    const dry = await run("certs", "renew", "--dry-run", "--no-input");
    t.match(dry, { code: 0, stdout: /the CA would give one; nothing was kept/ });
    t.equal((await look(edge, pebble)).serial, serial);
    const revoke = await run("certs", "revoke", "--yes", "--no-input");
    t.equal(revoke.code, 0, revoke.stdout + revoke.stderr);
    t.equal(await pebble.statusOf(serial), "Revoked");
    t.match(await record(), { kind: "self-signed", stands_in: true });
    t.match((await run("status")).stdout, /PROBLEM the certificate is self-signed, as the CA has not given one/);
    await applied(t, {});
    t.not((await look(edge, pebble)).serial, serial, "the next apply asks anew");
  });

  await t.test("an own one, of a file", async (t) => {
    makeOwn(desk.folder, "own.example.test");
    const own = { ...NONE, https: true, tls_certificate: "own.pem", tls_key: "own.key", https_hsts: "1h" };
    await settled(t, { ...own, https_cert_domain: ["own.example.test"] });
    t.match(await record(), { kind: "own", names: ["own.example.test"] });
    t.match(await look(edge, undefined), { names: "DNS:own.example.test" });
    t.equal((await host.exec("ls /etc/letsencrypt/renewal")).stdout, "", "certbot renews nothing any more");
    const headers = await host.exec("curl -skI https://127.0.0.1/; curl -sI http://127.0.0.1/");
    t.match(headers.stdout, /^strict-transport-security: max-age=3600\r$/m);
    t.equal(headers.stdout.match(/strict-transport/gi)?.length, 1, "and not over plain HTTP");
    execFileSync("openssl", ["genpkey", "-algorithm", "ed25519", "-out", join(desk.folder, "own.key")], {
      stdio: "ignore",
    });
    const wrong = await apply({});
    t.equal(wrong.code, 2);
    t.match(wrong.stderr, /edges.yml:1:\d+: tls_key own.key is not the key of the certificate/);
    const everywhere = await runProgram(["grep", "-rl", "PRIVATE KEY", desk.state]);
    t.equal(everywhere.stdout, "", "no log has a key");
  });

  await t.test("off, nothing of it is left", async (t) => {
    await applied(t, { ...NONE, https: true, https_redirect: false });
    t.match(await record(), { kind: "self-signed", stands_in: false });
    t.equal((await getFrom(host)(new URL(`http://${host.address}/index.html`))).status, 200);
    await settled(t, NONE);
    const left = await host.exec(
      `ls -d /etc/edge/tls /etc/edge/certs.json /etc/edge/acme-ca.pem /opt/edge/bin/*cert* /opt/edge/bin/edge_ca.py /var/lib/edge/certificate.json \
        /etc/systemd/system/*certs* /etc/systemd/system/certbot.service.d /etc/letsencrypt/live/edge; getent group edge-tls; ss -Hltn 'sport = :443'`,
    );
    t.equal(left.stdout, "");
  });
});

interface Shown {
  readonly names: string;
  readonly serial: string;
  readonly protocol: string | null;
  readonly alpn: string | false | null;
}

/** What the edge shows to a browser; with Pebble given, one that trusts that alone. */
function look({ host }: LabEdge, pebble: Pebble | undefined, options: object = {}): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const trust = pebble === undefined ? { rejectUnauthorized: false } : { ca: pebble.root };
    const secure = tlsConnect({
      ...{ host: host.address, port: 443, servername: LIVE, ALPNProtocols: ["h2", "http/1.1"] },
      ...{ ...trust, ...options },
    });
    secure.once("error", reject);
    secure.once("secureConnect", () => {
      const { subjectaltname = "", serialNumber } = secure.getPeerCertificate();
      const [protocol, alpn] = [secure.getProtocol(), secure.alpnProtocol];
      secure.destroy();
      resolve({ names: subjectaltname, serial: serialNumber, protocol, alpn });
    });
  });
}

function makeOwn(folder: string, name: string): void {
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "40"];
  const files = [
    "-keyout",
    "own.key",
    "-out",
    "own.pem",
    "-subj",
    `/CN=${name}`,
    "-addext",
    `subjectAltName=DNS:${name}`,
  ];
  execFileSync("openssl", [...words, ...files], { cwd: folder, stdio: "ignore" });
}

/** A viewer over HTTPS who asks five times a second, and minds every answer that is not what it should be. */
function watchOverTls({ host }: LabEdge, { root }: Pebble, stream: string) {
  const stopping = new AbortController();
  const problems: string[] = [];
  const fetched = new Set<string>();
  let requests = 0;
  const get = (path: string) =>
    new Promise<string>((resolve, reject) => {
      requests++;
      const options = { host: host.address, path, servername: LIVE, ca: root, agent: false, timeout: 5000 };
      const request = httpsRequest({ ...options, headers: { Host: LIVE } }, (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}`)),
        );
        response.on("error", reject);
      });
      request
        .on("error", reject)
        .on("timeout", () => request.destroy(new Error("no answer")))
        .end();
    });
  const done = (async () => {
    for (; !stopping.signal.aborted; await sleep(200)) {
      const began = fetched.size > 0;
      const playlist = await get(`/hls/${stream}.m3u8`).catch((error: Error) => {
        if (began) problems.push(`playlist: ${error.message}`);
        return "";
      });
      const listed = playlist.split("\n").filter((line) => line.endsWith(".ts"));
      if (began && listed.length > 0 && !listed.some((uri) => fetched.has(uri)))
        problems.push("segments were never listed");
      for (const uri of listed.filter((one) => !fetched.has(one))) {
        fetched.add(uri);
        const body = await get(`/hls/${uri}`).catch((error: Error) => problems.push(`${uri}: ${error.message}`));
        if (body === "") problems.push(`${uri} is empty`);
      }
    }
  })();
  return {
    seen: () => ({ segments: fetched.size }),
    async stop() {
      stopping.abort();
      await done;
      return { problems, requests };
    },
  };
}
