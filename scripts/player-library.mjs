/**
 * The player's library: Clappr's core and its HLS playback with hls.js, from npm instead of a CDN, as one module for the
 * page and a worker for hls.js. Clappr compiles templates with `new Function` and writes <style> elements, both of which
 * the page's Content-Security-Policy forbids: the first is replaced here, the second become a stylesheet.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const ENTRY = `
import { Events, Loader, Log, Player } from "@clappr/core";
import HlsPlayback from "@clappr/hlsjs-playback/src/hls.js";
Loader.registerPlayback(HlsPlayback);
const HlsEvents = HlsPlayback.HLSJS.Events;
export { Events, HlsEvents, Log, Player };
`;

/** Of Clappr's templates the page needs none: they are for text tracks and for sources that nothing can play. */
const TEMPLATE = /var tmpl = function tmpl\(text, data\) \{\n[\s\S]*?\n\};\n(?=tmpl\.settings = settings;)/;
const TEMPLATE_INSTEAD = `var tmpl = function tmpl(text) { return function () { return text.replace(/<%[^]*?%>/g, ""); }; };\n`;
const STYLER = /return Zepto\("<style class=\\"clappr-style\\"><\/style>"\)\.html\([^;]*\);/;
const STYLER_INSTEAD = `return [document.createComment("in clappr.css")];`;
/** Its own styles, but for the reset, which the player is told not to include. */
const STYLE = /^var style_default(?:\$\d+)? = (".*");$/gm;

/**
 * @param {string} root the package's folder
 * @returns a line that says what was built
 */
export async function buildPlayerLibrary(root) {
  const output = join(root, "assets/player/vendor");
  const modules = join(root, "node_modules");
  const version = async (name) => JSON.parse(await readFile(join(modules, name, "package.json"), "utf8")).version;
  const core = join(modules, "@clappr/core/dist/clappr-core.esm.js");
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const clappr = await version("@clappr/core");
  const styles = [...(await readFile(core, "utf8")).matchAll(STYLE)].map((match) => JSON.parse(match[1]));
  if (styles.length === 0) throw new Error("the styles of @clappr/core are not where they were");
  await writeFile(join(output, "clappr.css"), `${styles.join("\n")}\n`);
  await build({
    stdin: { contents: ENTRY, resolveDir: root },
    outfile: join(output, "clappr.js"),
    bundle: true,
    format: "esm",
    target: "es2020",
    minify: true,
    // The licences are beside it.
    legalComments: "none",
    // Without subtitles, DRM and alternate audio, none of which an edge serves.
    alias: { "hls.js": join(modules, "hls.js/dist/hls.light.mjs") },
    define: { CLAPPR_CORE_VERSION: JSON.stringify(clappr) },
    plugins: [withoutEval],
    logLevel: "warning",
  });
  await copyFile(join(modules, "hls.js/dist/hls.worker.js"), join(output, "hls.worker.js"));
  await copyFile(join(modules, "hls.js/LICENSE"), join(output, "hls.LICENSE"));
  await copyFile(join(modules, "@clappr/core/LICENSE"), join(output, "clappr.LICENSE"));
  await writeFile(join(output, "libraries.json"), `${JSON.stringify(await librariesOf(modules, output), null, 2)}\n`);
  return `assets/player/vendor (Clappr ${clappr}, hls.js ${await version("hls.js")})`;
}

/** Which libraries are in which file, for a bill of materials (src/supply); it stays here. */
async function librariesOf(modules, output) {
  const places = [
    ["@clappr/core", "clappr.js"],
    ["@clappr/hlsjs-playback", "clappr.js"],
    ["hls.js", "clappr.js"],
  ];
  return Promise.all(
    places.map(async ([name, file]) => {
      const { version, license } = JSON.parse(await readFile(join(modules, name, "package.json"), "utf8"));
      const sha256 = createHash("sha256")
        .update(await readFile(join(output, file)))
        .digest("hex");
      return { name, version, license, file, sha256 };
    }),
  );
}

const withoutEval = {
  name: "without-eval",
  setup(build) {
    build.onLoad({ filter: /clappr-core\.esm\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const contents = text.replace(TEMPLATE, TEMPLATE_INSTEAD).replace(STYLER, STYLER_INSTEAD);
      if (/new Function\(|<style/.test(contents))
        throw new Error("Clappr compiles or styles in a way that is new here");
      return { contents, loader: "js" };
    });
  },
};
