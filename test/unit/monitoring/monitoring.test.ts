import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Metrics of other exporters, which the files say they need. */
const FOREIGN = new Set([
  "up",
  "node_cpu_seconds_total",
  "node_network_transmit_bytes_total",
  "probe_ssl_earliest_cert_expiry",
]);
const exported = new Set(
  [...read("assets/nginx/njs/metrics.js").matchAll(/family\(\s*"([a-z_]+)"/g)].map(([, name]) => name),
);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
}

const dashboard: {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
} = JSON.parse(read("assets/monitoring/grafana-dashboard.json"));

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
const rules: readonly Rule[] = parse(read("assets/monitoring/alerts.yml")).groups.flatMap(
  (group: { rules: readonly Rule[] }) => group.rules,
);
const expressions = dashboard.panels.flatMap((panel) => panel.targets?.map((target) => target.expr) ?? []);

/** Names in an expression that are followed by `{`, or are metrics by their form. */
function metricsIn(expression: string): string[] {
  const bare = expression.replace(/"[^"]*"/g, '""');
  return [...bare.matchAll(/\b((?:edge|node|probe)_[a-z_]+|up)\b(?!\s*=)/g)].map(([, name]) => name ?? "");
}

t.test("dashboard and alerts ask for metrics that an edge has", async (t) => {
  t.ok(exported.size > 20);
  const used = [...expressions, ...rules.map((rule) => rule.expr)].flatMap(metricsIn);
  const unknown = used.filter((name) => !exported.has(name) && !FOREIGN.has(name));
  t.same(unknown, []);
});

t.test("every metric is in docs/monitoring.md", async (t) => {
  const docs = read("docs/monitoring.md");
  const documented = [...docs.matchAll(/`(edge_[a-z_]+)/g)].map(([, name]) => name);
  t.same([...new Set(documented)].sort(), [...exported].sort());
});

t.test("the dashboard can be imported", async (t) => {
  t.ok(dashboard.schemaVersion >= 36, "Grafana 9 and later");
  t.equal(dashboard.templating.list[0]?.type, "datasource", "whoever imports it chooses the data source");
  t.equal(new Set(dashboard.panels.map((panel) => panel.id)).size, dashboard.panels.length);
  const taken = new Set<string>();
  for (const { title, type, targets, datasource, gridPos } of dashboard.panels) {
    t.match(title, /\w/);
    if (type !== "row") {
      t.ok((targets?.length ?? 0) > 0, `${title} shows something`);
      const sources = [datasource, ...(targets ?? []).map((target) => target.datasource)].map((source) => source?.uid);
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own
      t.same([...new Set(sources)], ["${datasource}"]);
    }
    t.ok(gridPos.x + gridPos.w <= 24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        if (taken.has(`${x} ${y}`)) t.fail(`${title} lies over another panel`);
        taken.add(`${x} ${y}`);
      }
  }
});

t.test("each alert says what is wrong and what to do", async (t) => {
  t.equal(new Set(rules.map((rule) => rule.alert)).size, rules.length);
  for (const { alert, labels, annotations } of rules) {
    t.match(labels.severity, /^(critical|warning|info)$/, alert);
    t.match(annotations.summary, /\$labels\.(instance|stream|unit)/, alert);
    t.match(annotations.description, /[.?]$/, alert);
  }
});

const promtool = spawnSync("promtool", ["--version"]).status === 0;
t.test(
  "Prometheus itself takes the rules, and they fire when they should",
  { skip: !promtool && "no promtool" },
  async (t) => {
    const tests = join(import.meta.dirname, "alerts.test.yml");
    t.doesNotThrow(() => execFileSync("promtool", ["check", "rules", join(root, "assets/monitoring/alerts.yml")]));
    const { status, stdout, stderr } = spawnSync("promtool", ["test", "rules", tests], { encoding: "utf8" });
    t.equal(status, 0, status === 0 ? "all histories" : stdout + stderr);
  },
);
