import { execFileSync, spawnSync } from "node:child_process";
import t from "tap";
import { perlRegex, perlTemplate, RegexProblem } from "../../../src/modules/perl-regex.js";

interface Case {
  readonly pattern: string;
  readonly subject: string;
  readonly replacement: string;
  readonly text: boolean;
  readonly multiline: boolean;
}

const absent = ["python3", "perl"].find((program) => spawnSync(program, ["-e", ""]).error !== undefined);
const skip = absent === undefined ? false : `${absent} is not here`;

const PYTHON = `
import json, re, sys
out = []
for c in json.load(sys.stdin):
    enc = (lambda s: s) if c["text"] else (lambda s: s.encode())
    try:
        r = re.compile(enc(c["pattern"]), re.M if c["multiline"] else 0)
        s = enc(c["subject"])
        new, n = re.subn(r, enc(c["replacement"]), s)
        m = r.search(s)
        spans = [] if m is None else [m.span(i) for i in range(r.groups + 1)]
        shown = new if c["text"] else new.decode("latin1")
        out.append([spans, n, shown])
    except (re.error, IndexError) as e:
        out.append("error " + str(e))
print(json.dumps(out))
`;

const PERL = `
sub un { my $x = shift; $x =~ s/(..)/chr hex $1/ge; $x }
while (<STDIN>) {
  chomp;
  my ($re, $s, $t, $text) = split / /, $_, -1;
  $_ = un($_) for $re, $s, $t;
  if ($text) { utf8::decode($_) for $re, $s, $t }
  my @spans = ();
  if ($s =~ /(?:$re)/) { @spans = map { defined $-[$_] ? "$-[$_],$+[$_]" : "-1,-1" } 0 .. $#- }
  my $n = 0;
  my $new = $s;
  $new =~ s/(?:$re)/$n++; my @b = @-; my @e = @+; my $x = $t; $x =~ s!\\\\(?:(\\\\)|(\\d+);)!defined $1 ? $1 : defined $b[$2] ? substr($s, $b[$2], $e[$2] - $b[$2]) : ""!ge; $x/ge;
  print join(" ", join(";", @spans), $n, join(",", map { ord } split //, $new)), "\\n";
}
`;

const hex = (value: string) => Buffer.from(value, "utf8").toString("hex");

/** What python3 and perl make of cases; undefined where the translation refuses. */
function bothOf(cases: readonly Case[]): { case: Case; python: string; perl: string | undefined; source: string }[] {
  const python: unknown[] = JSON.parse(
    execFileSync("python3", ["-Wignore", "-c", PYTHON], { input: JSON.stringify(cases) }).toString(),
  );
  const made = cases.map((one) => {
    try {
      const regex = perlRegex(one.pattern, one);
      return { regex, template: perlTemplate(one.replacement, regex) };
    } catch (error) {
      if (error instanceof RegexProblem) return error;
      throw error;
    }
  });
  const lines = made.map((one, index) => {
    const { subject = "", text = false } = cases[index] ?? {};
    if (one instanceof RegexProblem) return " 00 00 ";
    return [hex(one.regex.source), hex(subject), hex(one.template), text ? "1" : ""].join(" ");
  });
  const ran = spawnSync("perl", ["-e", PERL], { input: `${lines.join("\n")}\n`, encoding: "utf8" });
  const answers = ran.stdout.trimEnd().split("\n");
  return cases.map((one, index) => {
    const result = made[index];
    const told = python[index];
    const regex = result instanceof RegexProblem ? undefined : result?.regex;
    // Groups that nothing may ask for do not count.
    const sure = (answer: string) =>
      answer.replace(/^\S+/, (spans) =>
        spans
          .split(";")
          .map((span, group) => (regex?.unsure.has(group) === true ? "" : span))
          .join(";"),
      );
    return {
      case: one,
      python: Array.isArray(told) ? sure(shown(told[0], told[1], told[2])) : String(told),
      perl: regex === undefined ? undefined : sure(perlShown(answers[index] ?? `nothing ${ran.stderr}`, regex.groups)),
      source: result instanceof RegexProblem ? result.message : (result?.regex.source ?? ""),
    };
  });
}

const shown = (spans: number[][], count: number, text: string) =>
  `${spans.map((span) => span.join(",")).join(";")} ${count} ${[...text].map((char) => char.codePointAt(0)).join(",")}`;

/** perl leaves out groups at the end that took no part. */
function perlShown(answer: string, groups: number): string {
  const [spans = "", ...rest] = answer.split(" ");
  const list = spans === "" ? [] : spans.split(";");
  while (list.length > 0 && list.length <= groups) list.push("-1,-1");
  return [list.join(";"), ...rest].join(" ");
}

const one = (pattern: string, subject: string, replacement = "<\\g<0>>", more: Partial<Case> = {}): Case => ({
  ...{ pattern, subject, replacement, text: true, multiline: true },
  ...more,
});

const table: readonly Case[] = [
  one("^", "a\nb\n"),
  one("$", "a\nb\n"),
  one("^#?\\s*Port\\s+\\d+$", "# Port 22\nPort 2222\n", "Port 1"),
  one("(?i)permit(Root|Empty)Login\\b", "permitrootlogin PERMITEMPTYLOGIN permitrootlogins", "\\1"),
  one("x*", "abxd", "-"),
  one("(a)|(b)", "ab", "[\\1|\\2]"),
  one("(?P<key>\\w+)=(?P<value>.*?)(?=;|$)", "a=1;b=zwei\nc=", "\\g<value>=\\g<key>"),
  one("(?<!\\\\)#.*", "a # b\nc \\# d", ""),
  one("(?<=ab|cd)e", "abe cde e"),
  one("(?s)a.*?b", "a\n\nb ab"),
  one("(?x) a  # an a\n [ #] b", "a b a#b"),
  one("[^\\W\\d]+", "über 12 x_9 é"),
  one("[\\D5-7]", "0567x"),
  one("\\bé\\b", "é né é."),
  one("\\B", ""),
  one("\\B", "ab c"),
  one("\\s+", "a\u00a0\u2003b\x1cc\n"),
  one("[k-s]", "K\u212a\u017f", "<\\g<0>>", { pattern: "(?i)[k-s]" }),
  one("(a)?(?(1)b|c)", "ab c b"),
  one("(\\w)\\1", "aab éé", "\\1"),
  one("a{,2}b{1}c{2,}{", "aabccc{"),
  one("a{x}", "a{x}"),
  one("\\x41\\u00e9\\101\\t", "AéA\t"),
  one("[]a-]", "]-ab"),
  one("[a\\-z]", "-m"),
  one("(?>a+)b|a++", "aab aa"),
  one("(?:a|ab)(?:c|bcd)*", "abcd"),
  one("\\Aa|b\\Z", "a\nab"),
  one("\\.conf$", "x.conf\n", "\\\\n\\t\\.", { multiline: false }),
  one("é+", "éé", "é", { text: false }),
  one("\\w+", "é a", "_", { text: false }),
  one("[é]", "é", "_", { text: false }),
  one("(?i)É", "é", "_", { text: false }),
  one(".", "é\n", "_", { text: false }),
  one("$", "a\n", "_", { text: false, multiline: false }),
  one("", "ab", "-"),
  one("(?i:a)b", "Ab AB"),
  one("(?m:^)a", "a\na", "x", { multiline: false }),
  one("(?-m:^)a", "a\na", "x"),
];

const refused = [
  ...[
    "*a",
    "a**",
    "a{2}{3}",
    "(",
    "a)",
    "[a",
    "(?<=a+)b",
    "(?P<1>a)",
    "\\q",
    "[z-a]",
    "(?P=x)",
    "\\2(a)",
    "(a\\1)",
    "a(?i)b",
  ],
  ...["(?L)a", "a{40000}", "(?i)é", "(a?)*b", "(?=a)*", "\\"],
];

t.test("Python's expressions in perl, by a table", { skip }, async (t) => {
  for (const { case: about, python, perl, source } of bothOf(table)) {
    t.equal(perl, python, `${JSON.stringify(about.pattern)} in ${JSON.stringify(about.subject)}: ${source}`);
  }
  for (const pattern of refused) t.throws(() => perlRegex(pattern, { text: true }), pattern);
  const regex = perlRegex("(a)", { text: true });
  for (const template of ["\\2", "\\q", "\\g<x>", "\\", "\\777"]) {
    t.throws(() => perlTemplate(template, regex), template);
  }
});

/** A small generator with a seed, so that what fails once fails again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function expression(pick: (below: number) => number, depth: number): string {
  const some = (words: readonly string[]) => words[pick(words.length)] ?? "";
  const atoms = [
    "a",
    "b",
    "A",
    "\\n",
    ".",
    "^",
    "$",
    "\\b",
    "\\B",
    "\\w",
    "\\W",
    "\\s",
    "\\d",
    "[ab]",
    "[^a\\n]",
    "[\\W1]",
    "[^\\Wb]",
    "é",
    "\\Z",
    "\\A",
    "\\1",
    " ",
  ];
  const groups = ["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?P<n>", "(?i:", "(?s:", "(?>", "(?(1)"];
  const length = 1 + pick(3);
  let out = "";
  for (let index = 0; index < length; index++) {
    out += depth > 0 && pick(3) === 0 ? `${some(groups)}${expression(pick, depth - 1)})` : some(atoms);
    if (pick(3) === 0) out += some(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{0,1}?", "*+", "{1,}"]);
    if (pick(6) === 0) out += "|";
  }
  return out;
}

t.test("Python's expressions in perl, by chance", { skip }, async (t) => {
  const pick = random(Number(process.env.REGEX_SEED ?? 7));
  const subjects = ["", "a", "ab", "aAb\nb a", "abab\n", "\n\n", "1 é_a", "bba aab", "éa\nbé"];
  const cases = Array.from({ length: Number(process.env.REGEX_CASES ?? 3000) }, (): Case => {
    const replacement = ["-", "<\\g<0>>", "\\n"][pick(3)] ?? "";
    const subject = subjects[pick(subjects.length)] ?? "";
    return { pattern: expression(pick, 3), subject, replacement, text: pick(2) === 0, multiline: pick(2) === 0 };
  });
  const wrong = bothOf(cases).flatMap(({ case: about, python, perl, source }) => {
    if (perl === undefined) return [];
    return perl === python ? [] : [{ ...about, python, perl, source }];
  });
  t.strictSame(wrong.slice(0, 5), [], `${wrong.length} of ${cases.length} differ`);
});
