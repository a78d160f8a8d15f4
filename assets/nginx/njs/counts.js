// How often publishers were accepted and refused since the unit started. In a file, as njs keeps nothing between requests; it is
// read and written without a pause between, by the unit's one worker, so no count is lost.
// biome-ignore-all lint/style/useNodejsImportProtocol: njs has no "node:" modules
import fs from "fs";

const FILE = "/run/edge-rtmp/publish-counts.json";

/** Each outcome with its count: all are there from the beginning, so that rates can be calculated. */
function read() {
  const counts = { accepted: 0, malformed: 0, wrong_token: 0, banned: 0, name_taken: 0 };
  try {
    const kept = JSON.parse(fs.readFileSync(FILE, "utf8"));
    Object.keys(counts).forEach((outcome) => {
      counts[outcome] = Number(kept[outcome]) || 0;
    });
  } catch (_e) {
    // None yet.
  }
  return counts;
}

function add(outcome) {
  const counts = read();
  counts[outcome]++;
  fs.writeFileSync(FILE, JSON.stringify(counts), { mode: 0o640 });
}

export default { add, read };
