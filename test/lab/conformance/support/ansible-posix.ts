import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDir } from "../../../../src/lab/paths.js";
import { runProgram } from "../../support/lab.js";

/** Where ansible-playbook looks for ansible.posix. */
const PLACE = join(dirname(cacheDir()), "ansible-posix");
const COLLECTION = "ansible_collections/ansible/posix";

/** In a folder of its own: Debian's package of all collections, of which this one is 2 of 260 MB. */
const FETCH = `
cd "$1" || exit
apt-get -qq download ansible || { apt-get -qq update && apt-get -qq download ansible; } || exit
dpkg-deb --fsys-tarfile ./ansible_*.deb | tar -xf - --no-same-owner --strip-components=5 './usr/lib/python3/dist-packages/${COLLECTION}'
`;

let place: Promise<string> | undefined;

/**
 * The folder with the collection ansible.posix, which ansible-core comes without: fetched once, and kept.
 * @throws Error when apt has no package `ansible`
 */
export function posixCollection(): Promise<string> {
  place ??= fetched();
  return place;
}

async function fetched(): Promise<string> {
  if (existsSync(join(PLACE, COLLECTION))) return PLACE;
  await mkdir(dirname(PLACE), { recursive: true });
  const folder = await mkdtemp(`${PLACE}-`);
  try {
    const { code, stderr } = await runProgram(["sh", "-c", FETCH, "sh", folder]);
    const found = join(folder, COLLECTION);
    if (code !== 0 || !existsSync(found)) throw new Error(`the collection ansible.posix was not fetched: ${stderr}`);
    await mkdir(dirname(join(PLACE, COLLECTION)), { recursive: true });
    await rename(found, join(PLACE, COLLECTION)).catch((error: NodeJS.ErrnoException) => {
      // Another run was faster.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return PLACE;
}
