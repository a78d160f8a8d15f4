/** As the script of facts and playbooks/tasks/userland.yml name them. */
const NAMES = /^(libc6|libssl3(t64)?|libpcre2-8-0|zlib1g)$/;

/**
 * The libraries that NGINX is linked with, as far as their versions decide what a program needs of them: `libc6 2.41, libssl3t64 3.5`.
 * What security updates change is not in it, or each of them would ask for a compile. playbooks/tasks/userland.yml tells Ansible
 * the same.
 * @param lines package and version, also of others
 */
export function librariesOf(lines: readonly string[]): string {
  const short = lines.flatMap((line) => {
    const [, name, version] = /^(\S+) (?:\d+:)?(\d+\.\d+)/.exec(line) ?? [];
    return name === undefined || !NAMES.test(name)
      ? []
      : [`${name} ${name.startsWith("libpcre2") ? version?.split(".")[0] : version}`];
  });
  return [...new Set(short)].sort().join(", ");
}
