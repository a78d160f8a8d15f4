/** One package as apt describes it, with as much as is needed to install it without the archive. */
export interface IndexedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Its name in the archive's pool, without the epoch of its version. */
  readonly file: string;
  /** Name under which apt keeps what it downloaded. */
  readonly archive: string;
  /** Its paragraph for an index of its own, beside which it lies. */
  readonly paragraph: string;
}

/** Fields that are for people, or for other programs than apt. */
const KEPT = new Set([
  ...["Package", "Version", "Architecture", "Multi-Arch", "Essential", "Important", "Protected", "Priority", "Source"],
  ...["Depends", "Pre-Depends", "Conflicts", "Breaks", "Replaces", "Provides", "Installed-Size", "Size", "SHA256"],
]);
const NAME = /^[a-z0-9][a-z0-9+.-]*$/;
const VERSION = /^[A-Za-z0-9.+:~-]+$/;
const ARCHITECTURE = /^[a-z0-9-]+$/;
const FILE = /^[a-z0-9][a-z0-9+.-]*_[A-Za-z0-9.+~-]+_[a-z0-9-]+\.deb$/;

/**
 * The packages of an answer of `apt-cache show`, sorted by name, each once.
 * @throws Error for what is no paragraph of a package
 */
export function parsePackages(text: string): IndexedPackage[] {
  const found = new Map<string, IndexedPackage>();
  for (const paragraph of text.split(/\n\n+/)) {
    if (paragraph.trim() === "") continue;
    const one = parsePackage(paragraph);
    found.set(one.file, one);
  }
  return [...found.values()].sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** The text of an index of these packages, for a directory that they are in. */
export function indexOf(packages: readonly IndexedPackage[]): string {
  return packages.map(({ paragraph }) => `${paragraph}\n`).join("\n");
}

function parsePackage(paragraph: string): IndexedPackage {
  const fields = paragraph
    .trim()
    .split(/\n(?![ \t])/)
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  const values = new Map(fields);
  const need = (field: string, pattern: RegExp): string => {
    const value = values.get(field) ?? "";
    if (pattern.test(value)) return value;
    throw new Error(`apt describes a package without a valid ${field}: ${JSON.stringify(paragraph.slice(0, 80))}`);
  };
  const name = need("Package", NAME);
  const version = need("Version", VERSION);
  const architecture = need("Architecture", ARCHITECTURE);
  const file = need("Filename", /^[\x21-\x7e]+$/).replace(/^.*\//, "");
  if (!FILE.test(file)) throw new Error(`apt names a file ${JSON.stringify(file)} of ${name}`);
  const kept = fields.filter(([field]) => KEPT.has(field)).map(([field, value]) => `${field}: ${value}`);
  return {
    ...{ name, version, architecture, file },
    sha256: need("SHA256", /^[0-9a-f]{64}$/),
    size: Number(need("Size", /^\d{1,12}$/)),
    archive: `${name}_${version.replaceAll(":", "%3a")}_${architecture}.deb`,
    paragraph: [...kept, `Filename: ./${file}`].join("\n"),
  };
}
