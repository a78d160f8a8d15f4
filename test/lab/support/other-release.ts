import { appendFile, cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { LabHost } from "../../../src/lab/index.js";
import { cacheWithoutBuilds, type Desk, makeDesk } from "./cli.js";

const root = resolve(import.meta.dirname, "../../..");
const PARTS = ["dist", "playbooks", "assets", "systemd", "nginx-build", "package.json"];

export interface OtherRelease {
  /** A desk in the same folder, with the same inventory, for the other release of edge-setup. */
  readonly desk: Desk;
  remove(): Promise<void>;
}

/**
 * A release of edge-setup with another recipe, so that another build is wanted: the one in use, copied, and its binary
 * changed by a program of sed.
 * @param version of NGINX, as the build's manifest has it
 * @param sed texts of one length
 */
export function otherRelease(
  host: LabHost,
  folder: string,
  { version, sed }: { readonly version: string; readonly sed: string },
): Promise<OtherRelease> {
  return changed(host, folder, (place) => writeFile(join(place, "nginx-build", "build.sh"), standIn(version, sed)));
}

/** This release with one line more in a unit file. */
export function otherUnitFile(host: LabHost, folder: string, unit: string): Promise<OtherRelease> {
  return changed(host, folder, (place) => appendFile(join(place, "systemd", `${unit}.j2`), "# another line\n"));
}

async function changed(host: LabHost, folder: string, change: (place: string) => Promise<void>): Promise<OtherRelease> {
  const place = await mkdtemp(join(tmpdir(), "edge-release-"));
  for (const part of PARTS) await cp(join(root, part), join(place, part), { recursive: true });
  await symlink(join(root, "node_modules"), join(place, "node_modules"));
  await change(place);
  return {
    desk: makeDesk(folder, host, join(place, "dist/cli/main.js"), cacheWithoutBuilds(place)),
    remove: () => rm(place, { recursive: true, force: true }),
  };
}

function standIn(version: string, sed: string): string {
  return `#!/bin/sh
set -eu
artifact=
while [ $# -gt 0 ]; do
  case $1 in --prefix) prefix=$2 ;; --artifact) artifact=$2 ;; esac
  shift
done
rm -rf "$prefix.partial"
cp -a "$(readlink -f /opt/edge/nginx)" "$prefix.partial"
LC_ALL=C sed -i '${sed}' "$prefix.partial/sbin/nginx"
sed -i -e 's/"nginx": "[^"]*"/"nginx": "${version}"/' -e 's/"build": "[^"]*"/"build": "'"\${prefix##*/}"'"/' "$prefix.partial/manifest.json"
mv "$prefix.partial" "$prefix"
[ -n "$artifact" ] || exit 0
mkdir -p "\${artifact%/*}"
tar -C "$prefix" -cf - --owner=0 --group=0 --numeric-owner . | gzip -n >"$artifact"
sum=$(sha256sum <"$artifact")
sed '1a "sha256": "'"\${sum%% *}"'", "size": '"$(stat -c %s "$artifact")", "$prefix/manifest.json" >"\${artifact%.tar.gz}.json"
`;
}
