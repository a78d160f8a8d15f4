/** One of two runs that put builds of one name into one cache, and look at it all the while. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ArtifactCache } from "../../../src/build/artifacts.js";
import { buildFiles, describe, ID, tarOf } from "./artifact-fixture.js";

const [directory, name] = process.argv.slice(2);
if (directory === undefined || name === undefined) process.exit();
let warnings = 0;
let reads = 0;
for (let round = 0; round < 150; round++) {
  // Not the same bytes each time: a description must never stand beside another one's archive.
  const bytes = gzipSync(tarOf(buildFiles(`${name} ${round} ${"x".repeat(20_000)}`)));
  const cache = new ArtifactCache({ directory, onWarning: () => warnings++ });
  const part = join(directory, `from-host-${name}`);
  writeFileSync(part, describe(bytes));
  cache.accept(part, join(directory, `${ID}.json`));
  writeFileSync(part, bytes);
  cache.accept(part, join(directory, `${ID}.tar.gz`));
  for (let look = 0; look < 5; look++) {
    if (cache.has(join(directory, `${ID}.tar.gz`))) reads++;
  }
}
console.log(`reads ${reads}, warnings ${warnings}`);
