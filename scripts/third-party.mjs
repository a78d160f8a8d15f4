/**
 * The licences of the packages that are bundled into dist/: their authors want the notices to travel along, and bundling
 * drops comments.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Lines that differ from package to package: whose it is, and how the licence is called. */
const TITLE = /^#* *(\(?the )?(mit|isc) licen[sc]e( \(mit\))?\)?:? *$/i;
const HEAD = /^ *(copyright (\(c\)|\u00a9|\d)|\(c\) |\u00a9)|^#* *(\(?the )?(mit|isc) licen[sc]e( \(mit\))?\)?:? *$/i;
const FILE = /^(licen[sc]e|copying|notice)/i;

/**
 * @param {string} root the package's folder
 * @param {import("esbuild").Metafile} metafile what was bundled
 * @returns {Promise<string>} the text of THIRD-PARTY-LICENSES.txt, the same for the same packages
 */
export async function thirdPartyLicenses(root, metafile) {
  const folders = new Set(Object.keys(metafile.inputs).flatMap((path) => folderOf(path) ?? []));
  const packages = await Promise.all([...folders].map((folder) => describe(join(root, folder))));
  const unique = [...new Map(packages.map((one) => [one.title, one])).values()];
  packages.splice(0, packages.length, ...unique.sort((a, b) => (a.title < b.title ? -1 : 1)));
  const bare = packages.filter(({ license }) => license === "").map(({ title }) => title);
  if (bare.length > 0) throw new Error(`bundled without a licence: ${bare.join(", ")}`);
  const list = packages.map(({ title, license }) => `${title}  ${license}`).join("\n");
  // Most texts are one licence with another name on top: each wording stands here once, below the names that it is for.
  const wordings = new Map();
  for (const { title, text } of packages) {
    const { heads, body } = divide(text);
    const key = body.replace(/[\s*"'\u201c\u201d]+/g, " ").trim();
    const wording = wordings.get(key) ?? { body, names: new Set() };
    wording.names.add([title, ...heads].join("\n  "));
    wordings.set(key, wording);
  }
  const texts = [...wordings.values()].map(
    ({ names, body }) => `\n${"=".repeat(80)}\n${[...names].join("\n")}\n\n${body}\n`,
  );
  return `Bundled into the programs of this directory:\n\n${list}\n${texts.join("")}`;
}

/** Title and copyright lines of a licence, and the rest. */
function divide(text) {
  const lines = text.split("\n");
  const heads = lines.filter((line) => HEAD.test(line) && !TITLE.test(line)).map((line) => line.trim());
  return {
    heads,
    body: lines
      .filter((line) => !HEAD.test(line))
      .join("\n")
      .trim(),
  };
}

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for a file of ours. */
function folderOf(path) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

async function describe(folder) {
  const { name, version, license, licenses, author } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => FILE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  const by = typeof author === "object" ? author.name : author;
  const text = texts.map((one) => `${one.replaceAll("\r\n", "\n").trim()}\n`).join("\n");
  return {
    title: `${name} ${version}`,
    // The old form is a list of objects.
    license: license ?? (licenses ?? []).map(({ type }) => type).join(" OR "),
    text: text === "" ? `Its package holds no licence text. By ${by ?? "its contributors"}.\n` : text,
  };
}
