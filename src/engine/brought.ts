import type { Brought } from "../modules/types.js";
import type { CallOutcome } from "./compiled.js";
import type { Receiver } from "./receiver.js";

/** What `fetch` gives: the host's word, and what became of the file here. @param real false where nothing is to come */
export function broughtOutcome(
  { source, dest, now, strict }: Brought,
  said: CallOutcome,
  receiver: Receiver | undefined,
  real: boolean,
): CallOutcome {
  if (said.status === "ok" && said.reason === SAME && now !== undefined) {
    return { ...said, more: { file: source, dest, checksum: now.sha1, md5sum: now.md5 } };
  }
  if (said.status === "ok") return { ...said, more: { file: source, msg: said.reason } };
  if (said.status !== "changed" || !real) return said;
  const got = receiver?.finish(strict) ?? { problem: "the host sends nothing" };
  if ("problem" in got) {
    return { ...said, status: "failed", reason: `${source}: ${got.problem}`, more: { file: source, dest } };
  }
  const { sha1, md5 } = got;
  return {
    ...said,
    more: { dest, checksum: sha1, md5sum: md5, remote_checksum: sha1, remote_md5sum: null },
  };
}

/** As the library says it. */
const SAME = "sha1 equal";
