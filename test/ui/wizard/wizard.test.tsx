import t from "tap";
import { WizardApp } from "../../../src/ui/wizard/wizard-app.js";
import { noAnswers, questions } from "../../../src/wizard/questions.js";
import type { WizardOutcome, WizardServices } from "../../../src/wizard/types.js";
import { keys, renderScreen, type ScreenOptions, WIPES } from "../harness.js";
import { fakeServices } from "./fake-services.js";

async function openWizard(services: WizardServices, size: ScreenOptions = { columns: 100, rows: 24 }) {
  const ended: WizardOutcome[] = [];
  const screen = await renderScreen(
    <WizardApp
      questions={questions}
      services={services}
      initial={noAnswers}
      onEnd={(outcome) => ended.push(outcome)}
    />,
    size,
  );
  return { screen, ended };
}

type Screen = Awaited<ReturnType<typeof openWizard>>["screen"];

/** Enter until a page, as somebody who is content with every default. */
async function enterUntil(screen: Screen, page: string): Promise<string> {
  for (let presses = 0; presses < 20; presses++) {
    const now = await screen.screen();
    if (now.includes(page)) return now;
    const before = now;
    await screen.press(keys.enter, (text) => text !== before);
  }
  throw new Error(`no ${page} after 20 times Enter`);
}

/** A plan is applied only once it could be seen. */
async function enterUntilEnded(screen: Screen, ended: readonly WizardOutcome[]): Promise<void> {
  for (let presses = 0; presses < 2000 && ended.length === 0; presses++) await screen.press(keys.enter, () => true);
}

t.test("a first Pi needs Enter and nothing typed, to the plan and its apply", async (t) => {
  const { screen, ended } = await openWizard(fakeServices(), { columns: 140, rows: 24 });
  t.match(await screen.waitFor("raspberrypi.local"), /answers to its name on this network/);
  const login = await enterUntil(screen, "How are they reached?");
  t.match(login, /2\/6/);
  const tested = await screen.waitFor("Raspberry Pi 4 Model B");
  t.match(tested, /Debian 13\.1 · arm64 · 4 cores · 3\.7 GB · 25 GB free \(SD card\) · sudo without a password/);
  t.match(tested, /▲ under-voltage now: use the original power supply/);
  t.match(tested, /SSH user +pi/, "the first user of Raspberry Pi OS is filled in");
  const stream = await enterUntil(screen, "What is streamed?");
  t.match(stream, /it holds 720p \+ 480p/, "the capability in words");
  t.match(stream, /recommended/);
  const review = await enterUntil(screen, "+ 30 create");
  t.match(review, /~ 2 change {2}= 5 keep · about 11m00s on this kind of machine/);
  t.match(review, /~ FFmpeg: missing/);
  t.match(review, /edge-setup init --host raspberrypi\.local --user pi --apply --yes/);
  await enterUntilEnded(screen, ended);
  t.match(ended, [{ action: "apply", answers: { hosts: [{ name: "raspberrypi.local" }], user: "pi", settings: {} } }]);
  t.notOk(WIPES.test(screen.bytes()));
  await screen.unmount();
});

t.test("back goes to every page before, and answers stay", async (t) => {
  const { screen } = await openWizard(fakeServices());
  await screen.waitFor("raspberrypi.local");
  await enterUntil(screen, "What is streamed?");
  await screen.press(keys.right, "< 1s >");
  await screen.press(keys.esc, "How are they reached?");
  await screen.press(keys.esc, "Which hosts become edges?");
  await screen.waitFor("▸ ◯ raspberrypi.local");
  await enterUntil(screen, "What is streamed?");
  t.match(await screen.waitFor("Segment length"), /< 1s >/);
  await screen.unmount();
});

t.test("what was typed wrongly stays, with the reason under it", async (t) => {
  const { screen } = await openWizard(fakeServices());
  await screen.waitFor("raspberrypi.local");
  screen.type("pi@bad host");
  await screen.waitFor("pi@bad host");
  const wrong = await screen.press(keys.enter, "is not a host: write [user@]host[:port]");
  t.match(wrong, /pi@bad host/);
  await screen.press(keys.ctrlU, (text) => !text.includes("pi@bad"));
  await enterUntil(screen, "What is streamed?");
  await screen.press(keys.down, /▸ Streams at once/);
  await screen.press("x", "4x");
  t.match(await screen.press(keys.enter, "Streams at once:"), /4x[\s\S]*✖ Streams at once: /);
  await screen.unmount();
});

t.test("a host key is asked over the page, and the page goes on where it was", async (t) => {
  const services = fakeServices({
    async checkHost(_host, _answers, asks) {
      const trusted = await asks.confirmHostKey({
        host: "raspberrypi.local",
        keyType: "ED25519",
        fingerprint: "SHA256:xyz",
      });
      return trusted
        ? fakeServices().checkHost(_host, _answers, asks, new AbortController().signal)
        : { status: "failed", code: "E_HOST_KEY_UNKNOWN", text: "the key is not trusted", hint: "ctrl-r asks again" };
    },
  });
  const { screen } = await openWizard(services);
  await screen.waitFor("raspberrypi.local");
  screen.type(keys.enter);
  t.match(await screen.waitFor("Trust and remember it?"), /ED25519 key is SHA256:xyz/);
  await screen.press("n", "✖ raspberrypi.local: the key is not trusted");
  await screen.press("\u0012", "Trust and remember it?");
  await screen.press("y", "✔ raspberrypi.local: Raspberry Pi 4");
  await screen.unmount();
});

t.test("secrets are masked until they are revealed", async (t) => {
  const { screen } = await openWizard(fakeServices());
  await screen.waitFor("raspberrypi.local");
  t.match(await enterUntil(screen, "Who may publish"), /Publish token +generated/);
  await screen.press(keys.ctrlR, /\*{20}/);
  t.notMatch(screen.bytes(), "Generated-secret-number-1");
  await screen.press(keys.ctrlV, "Generated-secret-number-1-of-this-test");
  await screen.press(keys.ctrlV, /\*{20}/);
  await screen.unmount();
});

t.test("a throw-away host skips login and plan; this machine needs no user", async (t) => {
  const { screen, ended } = await openWizard(
    fakeServices({
      detectHosts: async (onFound) => onFound({ kind: "throw-away", name: "throw-away", source: "this machine" }),
    }),
  );
  await screen.waitFor("throw-away host");
  const review = await screen.press(keys.enter, "It is gone, with everything of it");
  t.match(review, /2\/2/);
  await enterUntilEnded(screen, ended);
  t.match(ended, [{ action: "apply" }]);
  await screen.unmount();
});

t.test("ctrl-c leaves at once, ctrl-g shows the keys", async (t) => {
  const { screen, ended } = await openWizard(fakeServices());
  await screen.waitFor("raspberrypi.local");
  await screen.press("\u0007", "mark a host");
  await screen.press(keys.esc, "Which hosts become edges?");
  await screen.press(keys.ctrlC, () => ended.length === 1);
  t.same(ended, [{ action: "cancel" }]);
  await screen.unmount();
});

for (const [columns, rows] of [
  [40, 10],
  [60, 15],
] as const) {
  t.test(`every page fits into ${columns}x${rows}`, async (t) => {
    const { screen } = await openWizard(fakeServices(), { columns, rows });
    await screen.waitFor("raspberrypi.local");
    for (const page of [
      "How are they",
      "What is streamed?",
      "Who may publish",
      "Do they have a name?",
      "+ 30 create",
    ]) {
      const text = await enterUntil(screen, page);
      t.match(text, /^edge-setup · /m, `the header of "${page}" is in sight`);
      t.match(text.trimEnd().split("\n").at(-1), /⏎|left right/, `and its keys`);
    }
    t.notOk(WIPES.test(screen.bytes()));
    await screen.unmount();
  });
}

t.test("a plan that no host allows cannot be applied, and its reason is there to the end", async (t) => {
  const problem = `${"it is too old and has no room for anything at all, ".repeat(4)}and that is why`;
  const { screen, ended } = await openWizard(
    fakeServices({
      plan: (answers) =>
        Promise.resolve(
          answers.hosts.map(({ name }) => ({ host: name, create: 0, change: 0, keep: 0, tasks: [], problem })),
        ),
    }),
  );
  await screen.waitFor("raspberrypi.local");
  await enterUntil(screen, "and that is why");
  for (let presses = 0; presses < 20; presses++) await screen.press(keys.enter, () => true);
  await screen.press(keys.right, /\[ Save/);
  t.same(ended, []);
  await screen.unmount();
});

t.test("Enter while a connection is tried does not begin it anew", async (t) => {
  let tries = 0;
  let answer: (() => void) | undefined;
  const services = fakeServices({
    checkHost: (...words) => {
      tries += 1;
      return new Promise((resolve) => {
        answer = () => resolve(fakeServices().checkHost(...words));
      });
    },
  });
  const { screen } = await openWizard(services);
  await screen.waitFor("raspberrypi.local");
  await screen.press(keys.enter, "connecting");
  for (let presses = 0; presses < 5; presses++) await screen.press(keys.enter, "connecting");
  t.ok(tries <= 2, "once for what the page opened with, once for the user that was filled in");
  const before = tries;
  await screen.press(keys.enter, "connecting");
  t.equal(tries, before);
  await screen.waitFor(/connecting… [1-9]\d* s/);
  answer?.();
  await screen.waitFor("✔ raspberrypi.local");
  await screen.unmount();
});
