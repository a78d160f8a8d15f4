/**
 * Reads tap's raw output on stdin and prints what a log needs: one line a test file, and each failure with its
 * diagnostics, as they come. Writes the counts, `PASSED FAILED SKIPPED`, to the file that is its argument.
 */
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [, , countsFile] = process.argv;
const counts = { pass: 0, fail: 0, skip: 0, todo: 0 };
/** Indentation of the failure whose diagnostics are being printed. */
let diagnosed;

for await (const line of createInterface({ input: process.stdin })) {
  const summary = /^# \{ total: .*\}$/.exec(line);
  if (summary) {
    for (const name of Object.keys(counts))
      counts[name] = Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0);
  } else if (diagnosed !== undefined && line.startsWith(`${diagnosed}  `)) {
    console.log(line);
    if (line === `${diagnosed}  ...`) diagnosed = undefined;
  } else {
    diagnosed = undefined;
    const indent = /^( *)not ok /.exec(line)?.[1];
    const failed = indent !== undefined && !line.includes("# TODO");
    // A subtest that only sums up the failures inside it says nothing new; a file may have ended by a signal.
    if (failed && !(indent !== "" && line.includes("# time="))) diagnosed = indent;
    if (failed || /^ok /.test(line) || /^ *# (slow|up after) /.test(line)) console.log(line);
  }
}
if (countsFile) writeFileSync(countsFile, `${counts.pass} ${counts.fail} ${counts.skip + counts.todo}\n`);
