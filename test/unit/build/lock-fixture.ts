import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { parseLock, type SourceLock } from "../../../src/build/sources.js";

export const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

export const tar = Buffer.from("the bytes of a tar, as far as hashes care ".repeat(500));
export const tarGz = gzipSync(tar, { level: 6 });
/** The same tar as a forge might compress it next year. */
export const recompressed = gzipSync(tar, { level: 1 });
export const plain = Buffer.from("a file pinned by its own hash");

const base = { license: "BSD-2-Clause", date: "2026-01-02", cves: { fixed: [], affecting: ["CVE-2026-1"] } };

/** A lock with one file pinned by its tar (rtmp-1.tar.gz) and one by its bytes (nginx-1.tar.xz). */
export function lockJson(urls: { rtmp: string[]; nginx: string[] }) {
  return {
    edge_lock: {
      format: 1,
      profiles: {
        upstream: { versions: { nginx: "1", rtmp: "1" } },
        "debian-trixie": { versions: { nginx: "1", rtmp: "1" }, optional: ["rtmp"] },
      },
      components: {
        nginx: { "1": { ...base, version: "1", file: "nginx-1.tar.xz", urls: urls.nginx, sha256: sha256(plain) } },
        rtmp: {
          "1": { ...base, version: "1", file: "rtmp-1.tar.gz", urls: urls.rtmp, tar_sha256: sha256(tar) },
        },
      },
    },
  };
}

export function testLock(urls: { rtmp?: string[]; nginx?: string[] } = {}): SourceLock {
  const nowhere = ["http://127.0.0.1:1/x"];
  return parseLock(JSON.stringify(lockJson({ rtmp: urls.rtmp ?? nowhere, nginx: urls.nginx ?? nowhere })), "lock.json");
}
