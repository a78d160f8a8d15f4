/** Facts that Ansible gathers and that are not gathered here, by their names without `ansible_`, each with the reason. */
const python = "Hosts need no Python.";
const program = "Programs that give facts are not asked: run them by a command with register.";

const NOT_GATHERED: Readonly<Record<string, string>> = {
  python,
  python_version: python,
  discovered_interpreter_python: python,
  facter: program,
  ohai: program,
};

/** Why a fact is not there; undefined for one that is, or that is none of Ansible's. @param name without `ansible_` */
export function notGathered(name: string): string | undefined {
  return Object.hasOwn(NOT_GATHERED, name) ? NOT_GATHERED[name] : undefined;
}
