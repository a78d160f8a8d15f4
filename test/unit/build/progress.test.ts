import t from "tap";
import { BuildProgress, parseBuildLine } from "../../../src/build/progress.js";

t.test("lines of build.sh", async (t) => {
  t.same(parseBuildLine("@@step smoke test"), { kind: "step", name: "smoke test" });
  t.same(parseBuildLine("@@progress 12 243 ngx_rtmp.o\r"), {
    kind: "progress",
    done: 12,
    total: 243,
    file: "ngx_rtmp.o",
  });
  t.same(parseBuildLine("@@progress 0 243"), { kind: "progress", done: 0, total: 243, file: "" });
  t.match(parseBuildLine("@@progress 300 243 a.o"), { done: 243 });
  for (const other of ["", "built /opt/edge", "@@progress", "@@progress x 3 a.o", "@@progress 0 0", " @@step x"]) {
    t.equal(parseBuildLine(other), undefined, JSON.stringify(other));
  }
});

t.test("the rest of the time, by the pace of this run", async (t) => {
  let now = 1_000_000;
  const progress = new BuildProgress(() => now);
  t.equal(progress.feed("some text"), undefined);
  t.match(progress.feed("@@step compile"), { step: "compile", total: 0, etaSeconds: undefined });
  t.match(progress.feed("@@progress 100 200"), { step: "compile", done: 100, etaSeconds: undefined });
  now += 1000;
  t.match(progress.feed("@@progress 110 200 a.o"), { etaSeconds: undefined }, "too early");
  now += 9000;
  t.match(progress.feed("@@progress 120 200 b.o"), { done: 120, file: "b.o", etaSeconds: 40 }, "20 files in 10 s");
  t.match(progress.feed("@@progress 119 200 c.o"), { done: 120, etaSeconds: 40 }, "never backwards");
  now += 1000;
  t.match(progress.feed("@@progress 200 200 z.o"), { etaSeconds: 0 });
  t.match(progress.feed("@@step install"), { step: "install", done: 200, etaSeconds: undefined });
  t.match(progress.state, { step: "install" });
});
