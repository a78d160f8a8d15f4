/** One sample of a metric. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) [^\\n]+$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)$`);
/** In a value, a backslash, a quote and a line's end are escaped. */
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
const ESCAPED: Readonly<Record<string, string>> = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/**
 * Reads Prometheus' text format 0.0.4 as an edge writes it, and more strictly than Prometheus does: each metric has HELP, then
 * TYPE, then its samples, of which no two are the same.
 * @throws Error that quotes the line that is wrong
 */
export function parsePrometheusText(text: string): Sample[] {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const samples: Sample[] = [];
  const families = new Set<string>();
  const seen = new Set<string>();
  let help: string | undefined;
  let family: string | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const wrong = (why: string) => new Error(`${JSON.stringify(line.slice(0, 200))}: ${why}`);
    if (line.startsWith("#")) {
      const described = HELP.exec(line)?.[1];
      const typed = TYPE.exec(line)?.[1];
      if (described === undefined && typed === undefined) throw wrong("neither HELP nor TYPE");
      if (typed !== undefined && typed !== help) throw wrong("a TYPE without its HELP before it");
      if (described !== undefined && families.has(described)) throw wrong("a metric that was there already");
      help = described;
      family = typed;
      if (described !== undefined) families.add(described);
      continue;
    }
    const [, name, labelText = "", value] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw wrong("no sample");
    if (name !== family) throw wrong("not behind the TYPE of its metric");
    const labels = parseLabels(labelText);
    if (labels === undefined) throw wrong("labels cannot be read");
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw wrong("a second sample of the same name and labels");
    seen.add(key);
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}

function parseLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (LABEL.lastIndex = 0; LABEL.lastIndex < text.length; ) {
    const match = LABEL.exec(text);
    if (match === null || labels[match[1] ?? ""] !== undefined) return undefined;
    labels[match[1] ?? ""] = (match[2] ?? "").replace(/\\[\\"n]/g, (pair) => ESCAPED[pair] ?? pair);
  }
  return labels;
}
