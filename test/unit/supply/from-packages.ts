/**
 * The answer of an edge as it would be with `nginx_from: packages`.
 * @param nginx version of its package, and of that of stream
 * @param njs version of its package
 * @param more further packages that the build runs files of
 */
export function fromPackages(answer: string, nginx: string, njs: string, more: readonly string[] = []): string {
  const packages = JSON.stringify(["nginx", "libnginx-mod-stream", "libnginx-mod-http-js", ...more]);
  const installed = [
    `ii \tnginx\t${nginx}\tnginx\t${nginx}\tamd64`,
    `ii \tnginx\t${nginx}\tlibnginx-mod-stream\t${nginx}\tamd64`,
    `ii \tlibnginx-mod-js\t${njs}\tlibnginx-mod-http-js\t${njs}\tamd64`,
    ...more.map((name) => `ii \t${name}\t1:1.2.2+dfsg-6\t${name}\t1:1.2.2+dfsg-6\tamd64`),
  ];
  return answer
    .replace('"profile": "debian"', `"profile": "packages",\n  "packages": ${packages}`)
    .replace(/"nginx_patches": "[^"]*"/, '"nginx_patches": null')
    .replace("part\tpackages\n", `part\tpackages\n${installed.join("\n")}\n`);
}
