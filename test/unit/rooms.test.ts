import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";

const src = resolve(dirname(fileURLToPath(import.meta.url)), "../../src");

interface Import {
  readonly from: string;
  readonly room: string;
  readonly target: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const from = relative(src, file);
  const room = from.split("/")[0] ?? "";
  const found: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"/gm)) {
    found.push({
      from,
      room,
      target: resolveTarget(file, match[2] ?? ""),
      typeOnly: match[1] !== undefined,
      lazy: false,
    });
  }
  for (const match of text.matchAll(/\bimport\("([^"]+)"\)/g)) {
    found.push({ from, room, target: resolveTarget(file, match[1] ?? ""), typeOnly: false, lazy: true });
  }
  return found;
}

/** `src` path for our own modules, the bare name for packages. */
function resolveTarget(file: string, specifier: string): string {
  return specifier.startsWith(".") ? relative(src, resolve(dirname(file), specifier)) : specifier;
}

const imports = sources(src).flatMap(importsOf);

function offenders(rule: (one: Import) => boolean): string[] {
  return imports.filter(rule).map((one) => `${one.from} imports ${one.target}`);
}

t.ok(imports.length > 50, "the sources are found");
t.same(
  offenders((one) => ["playbook", "modules"].includes(one.room) && one.target.startsWith("transport/")),
  [],
  "the language and the modules know no transport",
);
t.same(
  offenders(
    (one) =>
      one.room === "engine" &&
      one.target.startsWith("transport/") &&
      !["transport/transport.js", "transport/become.js"].includes(one.target) &&
      !one.typeOnly,
  ),
  [],
  "the engine knows transport only as an interface",
);
t.same(
  offenders(
    (one) =>
      one.room === "report" && /^(engine|transport|playbook|inventory|edge|build|lab|modules|cli)\//.test(one.target),
  ),
  [],
  "reporters know run events only",
);
t.same(
  offenders(
    (one) =>
      one.room === "ui" &&
      !one.typeOnly &&
      /^(engine|transport|playbook|inventory|edge|build|lab|modules|cli|discovery|store)\//.test(one.target),
  ),
  [],
  "the views know run events and the wizard's table only",
);
t.same(
  offenders(
    (one) =>
      ["wizard", "discovery", "store"].includes(one.room) &&
      !one.typeOnly &&
      /^(transport|engine|ui|cli)\//.test(one.target),
  ),
  [],
  "questions, discovery and store know transport as types at most, and no display",
);
t.same(
  offenders(
    (one) =>
      one.room === "watch" &&
      (/^(ui|cli|engine|playbook|inventory|lab)\//.test(one.target) ||
        (one.target.startsWith("transport/") && !one.typeOnly && one.target !== "transport/become.js")),
  ),
  [],
  "the watch knows transport only as an interface, and no display",
);
t.same(
  offenders(
    (one) =>
      one.room === "bundle" &&
      (/^(transport|ui|cli|playbook|inventory|lab|edge|store)\//.test(one.target) ||
        (one.target.startsWith("engine/") && one.target !== "engine/tar.js")),
  ),
  [],
  "a bundle knows files and apt, and no host",
);
t.same(
  offenders(
    (one) =>
      one.room === "supply" &&
      (/^(ui|cli|engine|playbook|inventory|lab|edge|store)\//.test(one.target) ||
        (one.target.startsWith("transport/") && !one.typeOnly && one.target !== "transport/become.js")),
  ),
  [],
  "what is known of supplies knows transport only as an interface, and no display",
);
t.same(
  offenders((one) => one.target.startsWith("ui/") && !["ui", "cli"].includes(one.room)),
  [],
  "nobody but the command line imports the ui",
);
t.same(
  offenders((one) => ["ink", "react", "enquirer"].includes(one.target) && one.room !== "ui"),
  [],
  "only the ui imports its libraries",
);
t.same(
  offenders((one) => ["node-ssh", "ssh2"].includes(one.target) && one.room !== "transport"),
  [],
  "only the transport imports the SSH libraries",
);
t.same(
  offenders((one) => one.room !== "cli" && one.target.startsWith("cli/")),
  [],
  "nothing looks back at the command line",
);

/** Packages that come with a file: what it imports at once, and what that imports. */
function packagesWith(file: string): string[] {
  const open = [file];
  const seen = new Set<string>();
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    const now = imports.filter(
      ({ from, typeOnly, lazy }) => from.replace(/\.tsx?$/, ".js") === one && !typeOnly && !lazy,
    );
    for (const { target } of now.filter(({ target }) => !target.startsWith("node:") && !seen.has(target))) {
      seen.add(target);
      open.push(target);
    }
  }
  return [...seen].filter((target) => !target.endsWith(".js"));
}

// Each would cost the milliseconds that a help text may take. A wrong flag is found before its command is read.
for (const file of ["main", "version", "dispatch", "help"])
  t.same(packagesWith(`cli/${file}.js`), [], `cli/${file}.ts reads no package: --version, --help, a wrong flag`);
t.ok(packagesWith("cli/commands/plan.js").includes("yaml"), "a command reads those that it needs");
