import { copyFile, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runProgram } from "../../support/lab.js";
import { type KnownHost, onHost } from "./hosts.js";

const WRAPPER = join(import.meta.dirname, "python3");
/** What modules import, of ansible-core's package. */
const PARTS = ["__init__.py", "_vendor", "release.py", "module_utils", "modules"];
/** On a host; it goes with the host. */
const PLACE = "/run/conformance";

/** Where this machine's ansible-core is. */
async function ansiblePackage(): Promise<string> {
  const { stdout: program } = await runProgram(["sh", "-c", "command -v ansible-playbook"]);
  const [, python = "python3"] = /^#!\s*(\S+)/.exec(await readFile(program.trim(), "utf8")) ?? [];
  const { code, stdout, stderr } = await runProgram([python, "-c", "import ansible; print(ansible.__file__)"]);
  if (code !== 0) throw new Error(stderr);
  return dirname(stdout.trim());
}

/** Makes Ansible's modules cheap to start on this machine. @returns the Python for them */
export async function localPython(folder: string): Promise<string> {
  const python = join(folder, "python3");
  await mkdir(join(folder, "lib"));
  await symlink(await ansiblePackage(), join(folder, "lib/ansible"));
  await copyFile(WRAPPER, python);
  return python;
}

/** The same on a host. */
export const HOST_PYTHON = join(PLACE, "python3");

export async function installPython(host: KnownHost): Promise<void> {
  const tar = 'tar -C "$1" -cf - --exclude=__pycache__ --transform "s,^,lib/ansible/," $2 -C "$3" python3 | base64 -w0';
  const transformed = tar.replace("python3 |", '--transform "s,^lib/ansible/python3,python3," python3 |');
  const words = ["sh", "-c", transformed, "sh", await ansiblePackage(), PARTS.join(" "), dirname(WRAPPER)];
  const { code, stdout, stderr } = await runProgram(words);
  if (code !== 0) throw new Error(stderr);
  await onHost(host, `mkdir -p ${PLACE} && base64 -d | tar -C ${PLACE} -xf - --no-same-owner`, stdout);
}
