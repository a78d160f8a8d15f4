import { createHash, type Hash } from "node:crypto";
import type { FileHashes } from "../modules/types.js";

/** The hashes that Ansible tells of a file. */
export class AnsibleHashes {
  readonly #sha1 = createHash("sha1");
  readonly #md5 = md5();

  update(bytes: Uint8Array): void {
    this.#sha1.update(bytes);
    this.#md5?.update(bytes);
  }

  digests(): FileHashes {
    return { sha1: this.#sha1.digest("hex"), md5: this.#md5?.digest("hex") ?? null };
  }
}

/** A machine in FIPS mode has none. */
function md5(): Hash | undefined {
  try {
    return createHash("md5");
  } catch {
    return undefined;
  }
}
