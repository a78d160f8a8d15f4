/** Boots a host and waits for the end of this process; the lab test ends it in several ways. */
import { bootHost } from "../../../src/lab/index.js";

const host = await bootHost({ name: "lab-crash" });
console.log(host.address);
setInterval(() => {}, 60_000);
