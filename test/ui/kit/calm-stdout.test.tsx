import { Box, Static, Text } from "ink";
import { useEffect, useState } from "react";
import t from "tap";
import { Line } from "../../../src/ui/components/line.js";
import { useTerminalSize } from "../../../src/ui/hooks/use-terminal-size.js";
import { renderScreen, WIPES } from "../harness.js";

/** As the displays are: finished lines above, and a live region of rows - 2 lines that are as wide as the screen. */
function Sample({ count }: { readonly count: number }) {
  const { columns, rows } = useTerminalSize();
  const [done, setDone] = useState(0);
  useEffect(() => setDone(count), [count]);
  const items = Array.from({ length: done }, (_, index) => `finished ${index + 1}`);
  return (
    <>
      <Static items={items}>{(item) => <Text key={item}>{item}</Text>}</Static>
      <Box flexDirection="column">
        {Array.from({ length: rows - 2 }, (_, index) => (
          <Line key={index}>{`live ${index + 1} of ${rows - 2} `.padEnd(columns, "x")}</Line>
        ))}
      </Box>
    </>
  );
}

for (const [columns, rows] of [
  [40, 10],
  [100, 12],
  [60, 29],
  [60, 20],
  [140, 50],
] as const) {
  t.test(`a resize to ${columns}x${rows} and back leaves no garbage and wipes nothing`, async (t) => {
    const screen = await renderScreen(<Sample count={5} />, { columns: 100, rows: 30 });
    await screen.waitFor("finished 5");
    screen.resize(columns, rows);
    await screen.waitFor(`live ${rows - 2} of ${rows - 2}`);
    screen.resize(100, 30);
    await screen.waitFor("live 28 of 28");
    const [visible, all] = [await screen.screen(), await screen.everything()];
    const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;
    t.notOk(WIPES.test(screen.bytes()), "neither screen nor scrollback is cleared");
    t.equal(count(visible, /live 1 of 28/g), 1);
    t.equal(count(visible, new RegExp(`live \\d+ of ${rows - 2} `, "g")), 0, "nothing of the frame between is left");
    for (const number of [1, 2, 3, 4, 5]) t.equal(count(all, new RegExp(`finished ${number}`, "g")), 1);
    await screen.unmount();
  });
}

/** A layout that takes its time, as on a slow machine. */
function Slow() {
  const { columns, rows } = useTerminalSize();
  const until = performance.now() + 60;
  while (performance.now() < until);
  return (
    <Box flexDirection="column">
      {Array.from({ length: rows - 2 }, (_, index) => (
        <Line key={index}>{`slow ${index + 1} of ${rows - 2} `.padEnd(columns, "x")}</Line>
      ))}
    </Box>
  );
}

t.test(
  "a frame of the old size is never written to a new one, however slow the layout and fast the resizes",
  async (t) => {
    const screen = await renderScreen(<Slow />, { columns: 120, rows: 20 });
    await screen.waitFor("slow 18 of 18");
    screen.resize(60, 14);
    await screen.waitFor("slow 12 of 12");
    t.notMatch(await screen.screen(), /of 18/);
    t.equal((await screen.screen()).split("\n").length, 12, "each line of the frame is one on the screen");
    screen.resize(90, 16);
    screen.resize(50, 11);
    screen.resize(100, 18);
    await screen.waitFor("slow 16 of 16");
    t.notMatch(await screen.screen(), /of (?:18|12|14|9) /);
    await screen.unmount();
  },
);
