#!/usr/bin/env node
/**
 * Builds what ships: dist/ from src/, and the player's library from node_modules.
 * One entry with code splitting: every `await import()` of the source becomes a chunk of its own, so that `--version`
 * loads a few kilobytes. Dependencies are bundled (one file to read instead of dozens); they stay in package.json,
 * where a reader and `npm audit` look for them.
 */
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { toCommonJs } from "./common-js.mjs";
import { packedPlaybooks } from "./packed-playbooks.mjs";
import { buildPlayerLibrary } from "./player-library.mjs";
import { thirdPartyLicenses } from "./third-party.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const entry = join(root, "src/cli/main.ts");
const output = join(root, "dist");

/** Native parts of ssh2: optional, absent after `npm install --ignore-scripts`, and looked up in a try block there. */
const NATIVE = ["cpu-features", "*.node"];

/** What CommonJS dependencies expect to be there and an ES module does not have; of chunks that become CommonJS it goes again. */
const COMMONJS_NAMES = [
  'import { createRequire as __createRequire } from "node:module";',
  'import { dirname as __dirnameOf } from "node:path";',
  'import { fileURLToPath as __toPath } from "node:url";',
  "const require = __createRequire(import.meta.url);",
  "const __dirname = __dirnameOf(__toPath(import.meta.url));",
].join(" ");

/** Ink's door to React's developer tools, which are not shipped: it opens only with DEV=true. */
const withoutDevtools = {
  name: "without-devtools",
  setup(build) {
    build.onLoad({ filter: /ink\/build\/devtools\.js$/ }, () => ({ contents: "export {};" }));
  },
};

/** ssh2's agents for HTTP, which nobody here uses, load Node's HTTP and TLS. */
const withoutHttp = {
  name: "without-http",
  setup(build) {
    build.onLoad({ filter: /ssh2\/lib\/http-agents\.js$/ }, () => ({ contents: "module.exports = {};" }));
  },
};

/** Shell text of ours. */
const SHELL_TEXT = /\bsh`((?:[^`\\]|\\.)*)`/gs;

/** Programs go without the comments and the indentation of library text; what ships needs enough of the latter to tell blocks. */
const shellText = {
  name: "shell-text",
  setup(build) {
    build.onLoad({ filter: /src\/(modules\/lib|engine)\/[^/]+\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(SHELL_TEXT, (_whole, text) => `sh\`${shortened(text)}\``),
      loader: "ts",
    }));
  },
};

function shortened(text) {
  return text
    .split("\n")
    .filter((line) => !/^\s*#(?!(apply|end)$)/.test(line))
    .map((line) => line.replace(/^ +/, (blanks) => " ".repeat(blanks.length / 2)))
    .join("\n");
}

async function bundle() {
  await rm(output, { recursive: true, force: true });
  const { metafile } = await build({
    metafile: true,
    // The second has a chunk of its own that way, and no line of ours in it: it can be minified.
    entryPoints: [
      { in: entry, out: "cli/main" },
      { in: "yaml", out: "chunks/yaml" },
    ],
    outdir: output,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    jsx: "automatic",
    chunkNames: "chunks/[name]-[hash]",
    external: NATIVE,
    plugins: [withoutDevtools, withoutHttp, shellText],
    banner: { js: COMMONJS_NAMES },
    // React's production build; its development build is slower and warns.
    define: { "process.env.NODE_ENV": '"production"' },
    // Names in stack traces are worth their bytes; longer ways to say the same are not.
    minifySyntax: true,
    legalComments: "linked",
    logLevel: "warning",
  });
  await toCommonJs({ root, output, outputs: metafile.outputs, isOthers, banner: COMMONJS_NAMES });
  await writeFile(join(output, "THIRD-PARTY-LICENSES.txt"), await thirdPartyLicenses(root, metafile));
  await writeFile(join(output, "playbooks.json.gz"), gzipSync(await packedPlaybooks(root, output), { level: 9 }));
  await chmod(join(output, "cli/main.js"), 0o755);
}

/** Whether a chunk is dependencies, but for a few lines of ours that nothing else shares. */
function isOthers({ inputs }) {
  const bytes = (mine) =>
    Object.entries(inputs)
      .filter(([path]) => path.includes("node_modules/") !== mine)
      .reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  return bytes(false) > 20 * bytes(true);
}

try {
  const [library] = await Promise.all([buildPlayerLibrary(root), bundle()]);
  console.log(`built dist/ and ${library}`);
} catch (error) {
  // esbuild has printed what is wrong, with positions; a stack of the bundler adds nothing.
  if (!(error instanceof Error && "errors" in error)) console.error(error);
  process.exitCode = 1;
}
