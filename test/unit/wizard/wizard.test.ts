import t from "tap";
import { parse } from "yaml";
import { commandTable } from "../../../src/cli/commands.js";
import { parseFlags } from "../../../src/cli/options.js";
import { questionOptions } from "../../../src/cli/question-options.js";
import { InputErrors } from "../../../src/util/errors.js";
import { Secret } from "../../../src/util/secret.js";
import { pagesOf, questionsOf } from "../../../src/wizard/flow.js";
import { answersFromFlags } from "../../../src/wizard/from-flags.js";
import { hostWord, parseHostWords } from "../../../src/wizard/host-words.js";
import { noAnswers, questions } from "../../../src/wizard/questions.js";
import { equivalentCommand } from "../../../src/wizard/to-command.js";
import { edgesYml } from "../../../src/wizard/to-inventory.js";
import type { Answers } from "../../../src/wizard/types.js";

const pi: Answers = { hosts: [{ kind: "ssh", name: "raspberrypi.local" }], user: "pi", settings: {} };

for (const [word, host] of [
  ["pi@192.0.2.7:2222", { kind: "ssh", name: "192.0.2.7", user: "pi", port: 2222 }],
  ["[2001:db8::1]", { kind: "ssh", name: "2001:db8::1" }],
  ["church", { kind: "ssh", name: "church" }],
  ["local", { kind: "local", name: "local" }],
] as const) {
  t.test(`${word} is a host, and is written the same`, async (t) => {
    t.same(parseHostWords(word), { hosts: [host] });
    t.equal(hostWord(host), word);
  });
}

for (const word of ["pi@", "a b", "host:99999", "-oProxyCommand=x", "", "a;reboot", "throw-away,church"]) {
  t.match(parseHostWords(word), { problem: /./ }, `"${word}" is refused`);
}

const replayed: readonly Answers[] = [
  pi,
  { hosts: [{ kind: "local", name: "local" }], settings: { hls_fragment: "1s" } },
  {
    hosts: [
      { kind: "ssh", name: "192.0.2.7", user: "ops", port: 2222 },
      { kind: "ssh", name: "vps-1", user: "root" },
    ],
    privateKey: "/home/o/my key",
    settings: { http_server_port: 8080, nginx_sources: "debian", hls_bitrate: 3000 },
  },
  { ...pi, settings: { public_name: "live.example.org", hls_fragment: "4s", hls_streams: 2, rtmp_server_port: 1936 } },
];

for (const answers of replayed) {
  t.test(
    `replayed without a question: ${equivalentCommand(answers, { inventoryFile: "edges.yml", apply: true })}`,
    async (t) => {
      const command = equivalentCommand(answers, { inventoryFile: "edges.yml", apply: true });
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
      t.same(words.slice(0, 2), ["edge-setup", "init"]);
      const { flags } = parseFlags(
        words.slice(2),
        commandTable.find((one) => one.name === "init")?.options ?? [],
        questionOptions(),
      );
      t.same(answersFromFlags(questions, flags), answers);
      t.equal(flags.apply, true);
    },
  );
}

t.test("a secret is in no command and in no inventory", async (t) => {
  const answers: Answers = {
    ...pi,
    publishToken: new Secret("a-token-of-mine-1234"),
    sshPassword: new Secret("hunter2"),
  };
  const command = equivalentCommand(answers, { inventoryFile: "other.yml", apply: false });
  t.equal(command, "edge-setup init --host raspberrypi.local --user pi --inventory other.yml --ask-pass");
  t.notMatch(edgesYml(answers, undefined, "edges.yml"), /a-token|hunter2/);
});

t.test("edges.yml: only what differs from the defaults, and what was there stays", async (t) => {
  const fresh = edgesYml({ ...pi, settings: { hls_fragment: "1s" } }, undefined, "edges.yml");
  t.same(parse(fresh), { edges: { hosts: { "raspberrypi.local": { ansible_user: "pi", hls_fragment: "1s" } } } });
  const existing = [
    "# Our edges",
    "all: { vars: { site: church } }",
    "edges:",
    "  vars: { hls_fragment: 2s } # all of them",
    "  hosts:",
    "    vps-1: { ansible_host: 203.0.113.7 }",
    "    raspberrypi.local: { ansible_port: 2222 } # the old one",
    "",
  ].join("\n");
  const merged = edgesYml(pi, existing, "edges.yml");
  t.same(parse(merged).edges.hosts, {
    "vps-1": { ansible_host: "203.0.113.7" },
    "raspberrypi.local": { ansible_port: 2222, ansible_user: "pi" },
  });
  for (const comment of ["# Our edges", "# all of them", "# the old one"]) t.match(merged, comment);
  t.equal(edgesYml(pi, merged, "edges.yml"), merged, "a second time changes nothing");
});

t.test("a file that is no inventory is refused, not overwritten", async (t) => {
  t.throws(() => edgesYml(pi, "edges: [1, 2]\n", "edges.yml"), { code: "E_INVENTORY", message: /edges is not a map/ });
  t.throws(() => edgesYml(pi, "edges: {\n", "edges.yml"), { code: "E_INVENTORY" });
  t.throws(() => edgesYml(pi, "edges\n", "edges.yml"), { code: "E_INVENTORY", message: /it is not a map/ });
  t.throws(() => edgesYml(pi, "$ANSIBLE_VAULT;1.1;AES256\n3132\n", "edges.yml"), {
    message: /it is encrypted as a whole/,
  });
});

t.test("every flag that cannot be right is named at once", async (t) => {
  const flags = { host: "a b", "http-server-port": "99999", "publish-token-file": "/nonexistent" };
  try {
    answersFromFlags(questions, flags);
    t.fail("not refused");
  } catch (error) {
    if (!(error instanceof InputErrors)) throw error;
    const messages = error.errors.map((one) => one.message).join("\n");
    t.match(messages, /--host: "a b" is not a host/);
    t.match(messages, /--http-server-port: Web port/);
    t.match(messages, /--publish-token-file \/nonexistent cannot be read/);
  }
});

t.test("a token comes from a file; a weak one is refused", async (t) => {
  const read = (text: string) => () => text;
  const given = answersFromFlags(questions, { host: "pi", "publish-token-file": "f" }, read("a-token-of-mine-1234\n"));
  t.equal(given.publishToken?.reveal(), "a-token-of-mine-1234");
  t.throws(() => answersFromFlags(questions, { host: "pi", "publish-token-file": "f" }, read("datarhei")));
});

t.test("pages follow the answers", async (t) => {
  const pages = (answers: Answers) => pagesOf(questions, { answers, checks: {} });
  t.same(pages(pi), ["hosts", "login", "stream", "secrets", "domain", "review"]);
  t.same(pages({ ...noAnswers, hosts: [{ kind: "throw-away", name: "throw-away" }] }), ["hosts", "review"]);
  const two: Answers = { ...pi, hosts: [...pi.hosts, { kind: "ssh", name: "b", user: "x" }] };
  t.notOk(pages(two).includes("domain"), "two hosts have no name in common");
  const local: Answers = { ...noAnswers, hosts: [{ kind: "local", name: "local" }] };
  t.same(questionsOf(questions, "login", { answers: local, checks: {} }), [], "this machine needs no user");
});

t.test("every question has a default that it takes itself", async (t) => {
  const context = { answers: pi, checks: {} };
  for (const question of questions.filter((one) => one.key !== "hosts")) {
    t.equal(question.validate(question.default(context), context), undefined, question.key);
  }
});

t.test("HTTPS by the domain", async (t) => {
  const named = { host: "pi", "public-name": "live.example.org" };
  const ofCa = answersFromFlags(questions, { ...named, https: "letsencrypt", "https-cert-mail": "ops@example.org" });
  t.same(ofCa.settings, {
    public_name: "live.example.org",
    https: true,
    https_cert_domain: ["live.example.org"],
    https_cert_mail: "ops@example.org",
  });
  t.match(
    equivalentCommand(ofCa, { inventoryFile: "edges.yml", apply: false }),
    "--public-name live.example.org --https letsencrypt --https-cert-mail ops@example.org",
  );
  t.match(edgesYml(ofCa, undefined, "edges.yml"), "https_cert_domain:\n        - live.example.org\n");
  const own = answersFromFlags(questions, { host: "pi", https: "self-signed" });
  t.same(own.settings, { https: true });
  for (const [https, message] of [
    ["letsencrypt", /for a domain, and none is given/],
    ["yes", /not one of no, letsencrypt, self-signed/],
  ] as const)
    t.throws(() => answersFromFlags(questions, { host: "pi", https }), { errors: [{ message }] });
  const rename = (text: string) => questions.find(({ key }) => key === "public_name")?.write(text, ofCa).settings;
  t.match(rename("tv.example.org"), { https_cert_domain: ["tv.example.org"], https_cert_mail: "ops@example.org" });
  t.same(rename(""), {}, "no domain, no certificate for it");
  const question = questions.find(({ key }) => key === "https");
  const offered = (answers: Answers) => question?.default({ answers, checks: {} });
  t.same([offered(own), offered(ofCa)], ["no", "letsencrypt"]);
});
