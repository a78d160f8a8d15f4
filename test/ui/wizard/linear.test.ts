import { createRequire } from "node:module";
import t from "tap";
import { dispatch } from "../../../src/cli/dispatch.js";
import { type LinearIo, runLinearWizard } from "../../../src/ui/prompts/linear-wizard.js";
import { loadEnquirer } from "../../../src/ui/prompts/load-enquirer.js";
import { noAnswers, questions } from "../../../src/wizard/questions.js";
import { fakeServices } from "./fake-services.js";

/** Answers by a part of the question; everything else takes its default. The last answer to a question stays. */
function scripted(answers: Readonly<Record<string, readonly string[]>>) {
  const lines: string[] = [];
  const asked: string[] = [];
  const left = new Map(Object.entries(answers).map(([part, texts]) => [part, [...texts]]));
  const io: LinearIo = {
    ask: (message, initial) => {
      asked.push(message);
      for (const [part, texts] of left) {
        if (!message.includes(part)) continue;
        const text = texts.shift();
        if (text !== undefined) return Promise.resolve(text);
      }
      return Promise.resolve(initial);
    },
    say: (text) => lines.push(text),
  };
  return { io, lines, asked };
}

t.test("the same questions in lines, to the same answers", async (t) => {
  const { io, lines, asked } = scripted({ "Hosts.": ["a b", "raspberrypi.local"], "Segment length": ["4s"] });
  const outcome = await runLinearWizard(questions, fakeServices(), noAnswers, io);
  t.match(outcome, {
    action: "apply",
    answers: { hosts: [{ name: "raspberrypi.local" }], user: "pi", settings: { hls_fragment: "4s" } },
  });
  const said = lines.join("\n");
  t.match(said, /Found: raspberrypi\.local, answers to its name/);
  t.match(said, /Not taken: "a b" is not a host/);
  t.match(said, /raspberrypi\.local: Raspberry Pi 4 Model B, Debian 13\.1, arm64/);
  t.match(said, /30 to create, 2 to change, 5 to keep, about 11m00s/);
  t.match(said, /edge-setup init --host raspberrypi\.local --user pi --hls-fragment 4s --apply --yes/);
  t.match(asked[0], /^Question 1 of \d+\. Hosts\./);
  t.match(said, /^[\x20-\x7e\n]*$/, "nothing but text");
});

t.test("back goes to the question before; cancel leaves", async (t) => {
  const { io, asked } = scripted({
    "Hosts.": ["raspberrypi.local"],
    "Streams at once": ["back", "7"],
    "apply, save": ["cancel"],
  });
  t.same(await runLinearWizard(questions, fakeServices(), noAnswers, io), { action: "cancel" });
  const fragments = asked.filter((message) => message.includes("Segment length"));
  t.equal(fragments.length, 2);
});

t.test("a host that cannot be reached is asked about again", async (t) => {
  let tries = 0;
  const services = fakeServices({
    checkHost: async (...words) => {
      tries += 1;
      return tries === 1
        ? { status: "failed", code: "E_AUTH", text: "does not let pi in", hint: "Give a key." }
        : fakeServices().checkHost(...words);
    },
  });
  const { io, lines } = scripted({ "Hosts.": ["raspberrypi.local"] });
  t.match(await runLinearWizard(questions, services, noAnswers, io), { action: "apply" });
  t.match(lines.join("\n"), /Failed: does not let pi in Give a key\./);
});

t.test("Ctrl-C at a prompt leaves", async (t) => {
  const io: LinearIo = { ask: () => Promise.reject(undefined), say: () => undefined };
  t.same(await runLinearWizard(questions, fakeServices(), noAnswers, io), { action: "cancel" });
});

t.test("questions have no colours with --no-color, which is NO_COLOR", async (t) => {
  const env = process.env;
  const before = { ...env };
  t.teardown(() => {
    process.env = before;
  });
  delete env.NO_COLOR;
  env.FORCE_COLOR = "1";
  t.capture(process.stdout, "write");
  t.equal(await dispatch("watch", ["--no-color", "--help"]), 0);
  t.equal(env.NO_COLOR, "1");
  await loadEnquirer();
  t.equal(env.FORCE_COLOR, undefined, "and nobody else hears of it");
  const colours = createRequire(import.meta.resolve("enquirer"))("ansi-colors") as { readonly enabled: boolean };
  t.equal(colours.enabled, false);
});
