import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FileHashes } from "../modules/types.js";
import { EdgeError, TaskError } from "../util/errors.js";
import { AnsibleHashes } from "./ansible-hashes.js";

/** What a host says of the file that it is about to send. */
export interface Offer {
  /** Bytes. */
  readonly size: number;
  readonly sha1: string;
}

/** Puts a whole file in its place; what it throws is told of the task. Renamed unless given. */
export type PlaceFile = (part: string, dest: string) => void;

/** A file of a host on its way to this machine: beside its place until it is whole. */
export class Receiver {
  readonly #dest: string;
  readonly #temporary: string;
  readonly #offer: Offer;
  readonly #place: PlaceFile;
  readonly #hashes = new AnsibleHashes();
  #file: number | undefined;
  #size = 0;
  #problem: string | undefined;

  /** Makes missing directories, as Ansible does. What goes wrong is told at the end. */
  constructor(dest: string, offer: Offer, place: PlaceFile = renameSync) {
    this.#dest = dest;
    this.#place = place;
    this.#offer = offer;
    this.#temporary = join(dirname(dest), `.edge-setup.${randomBytes(6).toString("hex")}`);
    this.#try(() => {
      mkdirSync(dirname(dest), { recursive: true });
      this.#file = openSync(this.#temporary, "wx");
    });
  }

  /** @throws TaskError for more than was said, for there may be no end to it */
  write(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > this.#offer.size) {
      throw new TaskError(
        "E_PROTOCOL",
        `The host sends more for ${this.#dest} than the ${this.#offer.size} bytes it said.`,
      );
    }
    const file = this.#file;
    if (file === undefined || this.#problem !== undefined) return;
    this.#hashes.update(bytes);
    this.#try(() => {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    });
  }

  /**
   * Puts the file in its place when it is what the host said.
   * @param strict false leaves hashes alone (`validate_checksum: false`)
   */
  finish(strict: boolean): { readonly problem: string } | FileHashes {
    const hashes = this.#hashes.digests();
    if (this.#size < this.#offer.size) this.#problem ??= `only ${this.#size} of ${this.#offer.size} bytes came`;
    if (strict && hashes.sha1 !== this.#offer.sha1) this.#problem ??= "checksum mismatch: it changed on its way";
    const file = this.#file;
    if (file !== undefined && this.#problem === undefined) {
      this.#try(() => {
        fsyncSync(file);
        this.#place(this.#temporary, this.#dest);
      });
    }
    this.drop();
    return this.#problem === undefined ? hashes : { problem: this.#problem };
  }

  /** Leaves nothing behind. */
  drop(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    rmSync(this.#temporary, { force: true });
  }

  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#problem ??= error instanceof EdgeError ? text : `it cannot be written: ${text}`;
    }
  }
}
