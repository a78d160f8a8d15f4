/** Removes the lab hosts of test runs that were killed. */
import { removeOrphans } from "../../../src/lab/index.js";

for (const id of removeOrphans()) console.log(`removed ${id}, left by a test that was killed`);
