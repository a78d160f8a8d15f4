import { readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { transform } from "esbuild";

/** The one chunk that Node.js compiles by itself: code that came from a cache has no `import()`. */
const IMPORTER = "import.js";

/** Stack traces tell a line of about that many characters. */
const LINE = 160;

/** In the place of `import.meta.url`. */
const URL_NAME = "__url";
const ITS_URL = `const ${URL_NAME}=require("node:url").pathToFileURL(__filename).href;`;

/**
 * Makes the chunks of a bundle small, and CommonJS, of which src/cli/code-cache.ts can keep the compiled code. Those that
 * wait at their top (Ink's), and those that import them from the start, stay ES modules.
 * @param outputs paths of chunks, from `root`, with what esbuild tells of them
 * @param isOthers whether an output is dependencies: their names are made short, ours appear in stack traces
 * @param banner what esbuild put before each chunk, for what CommonJS has by itself
 */
export async function toCommonJs({ root, output, outputs, isOthers, banner }) {
  const paths = Object.keys(outputs).filter((path) => path.endsWith(".js"));
  const read = async (path) => [path, (await readFile(join(root, path), "utf8")).replace(banner, "")];
  const texts = new Map(await Promise.all(paths.map(read)));
  const stay = await esModules(outputs, texts);
  const renamed = (text) => {
    const names = [...stay].map((path) => basename(path));
    return names.reduce((all, name) => all.replaceAll(`/${name}"`, `/${name.replace(/js$/, "mjs")}"`), text);
  };
  await Promise.all(
    paths.map(async (path) => {
      const text = renamed(texts.get(path));
      const small = { ...(isOthers(outputs[path]) ? { minify: true, keepNames: true } : { minifyWhitespace: true }) };
      if (!stay.has(path)) return writeFile(join(root, path), await commonJs(text, small));
      const { code } = await transform(`${banner}\n${text}`, { ...OPTIONS, ...small, format: "esm" });
      await writeFile(join(root, path.replace(/js$/, "mjs")), code);
      await rm(join(root, path));
    }),
  );
  await writeFile(join(output, "chunks", IMPORTER), "module.exports = (path) => import(path);\n");
  await writeFile(join(output, "package.json"), '{"type":"commonjs"}\n');
}

const OPTIONS = { platform: "node", target: "node20", lineLimit: LINE, legalComments: "none" };

async function commonJs(text, small) {
  const asked = text.replace(/\bimport\(("\.\/[^"]+\.mjs")\)/g, `require("./${IMPORTER}")($1)`);
  const { code } = await transform(asked, {
    ...OPTIONS,
    ...small,
    format: "cjs",
    define: { "import.meta.url": URL_NAME },
    supported: { "dynamic-import": false },
  });
  if (!code.includes(URL_NAME)) return code;
  const [, shebang = "", rest] = /^(#!.*\n)?([\s\S]*)$/.exec(code);
  return `${shebang}${ITS_URL}${rest}`;
}

/** Outputs with a top-level `await`, and those that import one with `import ... from`. */
async function esModules(outputs, texts) {
  const found = new Set();
  for (const [path, text] of texts) if (await waits(text)) found.add(path);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const path of texts.keys()) {
      const { imports } = outputs[path];
      if (imports.some((one) => one.kind === "import-statement" && found.has(one.path))) found.add(path);
    }
  }
  return found;
}

async function waits(text) {
  try {
    await transform(text, { format: "cjs", logLevel: "silent" });
    return false;
  } catch (error) {
    if (error.errors?.every(({ text }) => text.startsWith("Top-level await"))) return true;
    throw error;
  }
}
