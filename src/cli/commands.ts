import type { ExitCode } from "../util/errors.js";
import type { Flags, OptionName } from "./options.js";
import type { Interruption } from "./signals.js";

/** What a command is given: its flags, its words, and the outside world. */
export interface CommandContext {
  readonly flags: Flags;
  readonly words: readonly string[];
  readonly signal: AbortSignal;
  /** For displays that take Ctrl-C as a key. */
  readonly interruption: Interruption;
}

export interface CommandModule {
  readonly run: (context: CommandContext) => Promise<ExitCode>;
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly examples: readonly string[];
  readonly options: readonly OptionName[];
  /** Words the command takes; none when absent. */
  readonly words?: { readonly label: string; readonly max: number };
  /** Also has the flags of the wizard's questions. */
  readonly asks?: boolean;
  /** Takes several inventories. */
  readonly inventories?: boolean;
  readonly load: () => Promise<CommandModule>;
}

const vault = ["vault-password-file", "vault-id", "ask-vault-pass"] as const;
const reach: readonly OptionName[] = [
  "inventory",
  "limit",
  "extra-vars",
  ...vault,
  "user",
  "private-key",
  "ask-pass",
  "ask-become-pass",
  "accept-new",
  "ssh-config",
  "timeout",
  "forks",
];
/** Hosts are watched all at once. */
const watching = reach.filter((name) => name !== "forks");
const display: readonly OptionName[] = ["progress", "json", "verbose", "no-color", "accessible", "no-input"];

/** The commands, in the order of the help text. Each is loaded only when it is run. */
export const commandTable: readonly CommandSpec[] = [
  {
    name: "init",
    summary: "Ask for hosts and settings, or take them from flags; write edges.yml, and apply it",
    examples: [
      "edge-setup",
      "edge-setup init --host pi@raspberrypi.local --hls-fragment 1s",
      "edge-setup init --host local --apply --yes",
    ],
    asks: true,
    options: [
      ...([
        "host",
        "inventory",
        "apply",
        "yes",
        "user",
        "private-key",
        "ask-pass",
        "ask-become-pass",
        "accept-new",
        ...vault,
      ] as const),
      ...(["ssh-config", "timeout", "no-verify", "source-dir", "bell", "title", ...display] as const),
    ],
    load: () => import("./commands/init.js"),
  },
  {
    name: "import",
    summary: "Translate the settings of a restreamer-edge (edge.env, docker run), and write them to edges.yml",
    examples: ["edge-setup import edge.env", "edge-setup import edge.env --host pi@raspberrypi.local"],
    options: ["host", "inventory", ...vault, "json"],
    words: { label: "FILE", max: 1 },
    load: () => import("./commands/import.js"),
  },
  {
    name: "try",
    summary: "Boot a throw-away host on this machine, make it an edge, publish and play back a stream",
    examples: ["edge-setup try", "edge-setup try --once"],
    options: ["keep", "once", "release", "source-dir", "yes", "bell", "title", ...display],
    load: () => import("./commands/try.js"),
  },
  {
    name: "plan",
    summary: "Show what apply would change on each host, and why; touch nothing",
    examples: ["edge-setup plan", "edge-setup plan -D -l pi-church", "edge-setup plan --exit-code"],
    options: [
      ...reach,
      "tags",
      "skip-tags",
      "restart-streams",
      "try-again",
      "diff",
      "exit-code",
      "source-dir",
      "bundle",
      ...display,
    ],
    load: () => import("./commands/plan.js"),
  },
  {
    name: "apply",
    summary: "Make the hosts streaming edges and prove it with a test stream",
    examples: ["edge-setup apply", "edge-setup apply -i pi@raspberrypi.local, --yes", "edge-setup apply -l vps-1 -D"],
    options: [
      ...reach,
      "tags",
      "skip-tags",
      "check",
      "dry-run",
      "diff",
      "staging",
      "restart-streams",
      "try-again",
      "yes",
      "verify",
      "no-verify",
      "source-dir",
      "bundle",
      "bell",
      "title",
      ...display,
    ],
    load: () => import("./commands/apply.js"),
  },
  {
    name: "play",
    summary: "Run any Ansible playbook of the subset on any inventory (docs/playbook-language.md)",
    examples: [
      "edge-setup play site.yml -i hosts.yml",
      "edge-setup play site.yml -i hosts.yml --check --diff -l 'web*'",
      "edge-setup play site.yml --syntax-check",
    ],
    options: [...reach, "tags", "skip-tags", "check", "dry-run", "diff", "syntax-check", "bell", "title", ...display],
    words: { label: "FILE", max: 1 },
    inventories: true,
    load: () => import("./commands/play.js"),
  },
  {
    name: "bundle",
    summary: "Make one file of sources, packages and builds, for hosts and controllers without internet",
    examples: [
      "edge-setup bundle -o edge-bundle.tar",
      "edge-setup bundle -o edge-bundle.tar --release trixie,bookworm --arch amd64,arm64",
      "edge-setup apply --bundle edge-bundle.tar",
    ],
    options: ["output", "release", "arch", "source-dir", ...reach, "no-input"],
    load: () => import("./commands/bundle.js"),
  },
  {
    name: "verify",
    summary: "Publish a test stream to each edge, play it back, and say what works",
    examples: ["edge-setup verify", "edge-setup verify -l pi-church --json"],
    options: [...reach, ...display],
    load: () => import("./commands/verify.js"),
  },
  {
    name: "status",
    summary: "One look at hosts and streams; exit 1 when something is wrong, 3 when a host is not reached",
    examples: ["edge-setup status", "edge-setup status pi-church --json"],
    options: [...watching, ...display],
    words: { label: "HOSTS", max: 1000 },
    load: () => import("./commands/status.js"),
  },
  {
    name: "watch",
    summary: "A dashboard of hosts and streams that stays open; lines or --json in scripts",
    examples: ["edge-setup watch", "edge-setup watch 'pi-*'", "edge-setup watch vps-1 --json --interval 10"],
    options: [...watching, "interval", ...display],
    words: { label: "HOSTS", max: 1000 },
    load: () => import("./commands/watch.js"),
  },
  {
    name: "doctor",
    summary: "Check this machine and the hosts, and name known security problems of what is installed; exit 1 for any",
    examples: ["edge-setup doctor", "edge-setup doctor pi-church -v", "edge-setup doctor --json"],
    options: [...reach, "verbose", "json", "no-input"],
    words: { label: "HOSTS", max: 1000 },
    load: () => import("./commands/doctor.js"),
  },
  {
    name: "sbom",
    summary: "Print what edge-setup brought to a host as CycloneDX 1.6: sources, patches, packages, libraries, scripts",
    examples: ["edge-setup sbom pi-church", "edge-setup sbom vps-1 -o vps-1.cdx.json"],
    options: [...watching, "output", "no-input"],
    words: { label: "HOST", max: 1 },
    load: () => import("./commands/sbom.js"),
  },
  {
    name: "streams",
    summary: "Streams with a key of their own: list, add, rotate or revoke them, show their addresses, sign them",
    examples: [
      "edge-setup streams",
      "edge-setup streams add church -l pi-church",
      "edge-setup streams show church",
      "edge-setup streams sign church --expires 30d",
    ],
    options: [...reach, "expires", "yes", ...display],
    words: { label: "list|add|rotate|revoke|show|sign [STREAM]", max: 2 },
    load: () => import("./commands/streams.js"),
  },
  {
    name: "secrets",
    summary: "Show the secrets that open the edges, make new ones and apply them, or encrypt their file",
    examples: [
      "edge-setup secrets show pi-church",
      "edge-setup secrets rotate",
      "edge-setup secrets rotate pi-church --token --streams church,tower",
      "edge-setup secrets encrypt",
    ],
    options: [...reach, "token", "status-password", "signing-key", "streams", "yes", ...display],
    words: { label: "show|rotate|encrypt|decrypt [HOSTS]", max: 1000 },
    load: () => import("./commands/secrets.js"),
  },
  {
    name: "certs",
    summary: "Show the certificate of each edge; have the CA renew or revoke it",
    examples: [
      "edge-setup certs",
      "edge-setup certs renew --dry-run -l vps-1",
      "edge-setup certs revoke -l vps-1 --yes",
    ],
    options: [...watching, "dry-run", "yes", "json", "no-input"],
    words: { label: "show|renew|revoke", max: 1 },
    load: () => import("./commands/certs.js"),
  },
  {
    name: "settings",
    summary: "Show each host's settings, and the file, line or flag that each comes from; connects to nobody",
    examples: ["edge-setup settings", "edge-setup settings pi-church -v", "edge-setup settings --json"],
    options: ["inventory", "limit", "extra-vars", ...vault, "no-input", "verbose", "json"],
    words: { label: "HOSTS", max: 1000 },
    load: () => import("./commands/settings.js"),
  },
  {
    name: "logs",
    summary: "List past runs, or print what the last one said about a host",
    examples: ["edge-setup logs", "edge-setup logs pi-church", "edge-setup logs pi-church --run 4f9c2a17b0de"],
    options: ["run", "json"],
    words: { label: "HOST", max: 1 },
    load: () => import("./commands/logs.js"),
  },
  {
    name: "completion",
    summary: "Print a script that completes commands, flags and hosts in your shell",
    examples: ['eval "$(edge-setup completion bash)"', "edge-setup completion fish | source"],
    options: [],
    words: { label: "bash|zsh|fish", max: 1 },
    load: () => import("./commands/completion.js"),
  },
];
