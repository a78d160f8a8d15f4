import t from "tap";
import { commandTable } from "../../../src/cli/commands.js";
import { dispatch } from "../../../src/cli/dispatch.js";
import { commandHelp, mainHelp } from "../../../src/cli/help.js";
import { always, intFlag, type OptionName, optionTable, parseFlags } from "../../../src/cli/options.js";
import { printError } from "../../../src/cli/print-error.js";
import { exitCodes, InputError, InputErrors } from "../../../src/util/errors.js";

t.test("flags are parsed in both forms, several times where allowed", async (t) => {
  const { flags, words } = parseFlags(
    ["-i", "a.yml", "--yes", "-e", "x=1", "--extra-vars=y=2", "word"],
    ["inventory", "yes", "extra-vars"],
  );
  t.same(flags, { inventory: "a.yml", inventories: ["a.yml"], yes: true, "extra-vars": ["x=1", "y=2"] });
  t.same(words, ["word"]);
});

const refused: { argv: string[]; message: RegExp; hint?: RegExp }[] = [
  { argv: ["plan", "--inventori", "x"], message: /unknown flag --inventori/, hint: /--inventory/ },
  { argv: ["plan", "--once"], message: /unknown flag --once/ },
  { argv: ["plan", "-i"], message: /--inventory needs a value: FILE/ },
  { argv: ["plan", "--diff=yes"], message: /--diff takes no value/ },
  { argv: ["plan", "extra"], message: /`plan` does not take the word "extra"/, hint: /help plan/ },
  { argv: ["pla"], message: /unknown command "pla"/, hint: /edge-setup plan/ },
  { argv: ["help", "xyzzy"], message: /unknown command "xyzzy"/, hint: /--help/ },
];

for (const { argv, message, hint } of refused) {
  t.test(`refuses ${argv.join(" ")}`, async (t) => {
    const [first, ...rest] = argv;
    const error = await dispatch(first, rest).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof InputError)) throw new Error("no InputError was thrown");
    t.match(error.message, message);
    if (hint !== undefined) t.match(error.hint, hint);
    t.equal(error.exitCode, 2);
  });
}

t.test("numbers have a range", async (t) => {
  t.equal(intFlag({}, "forks", 10, 1, 100), 10);
  t.equal(intFlag({ forks: "3" }, "forks", 10, 1, 100), 3);
  for (const bad of ["0", "x", "1.5", "", "101"])
    t.throws(() => intFlag({ forks: bad }, "forks", 10, 1, 100), InputError);
});

t.test("every command is in the help, every flag of the table has a command", async (t) => {
  const help = mainHelp();
  const used = new Set<OptionName>(always);
  for (const command of commandTable) {
    t.match(help, `  ${command.name} `);
    for (const name of command.options) {
      used.add(name);
      t.match(commandHelp(command), `--${name}`);
    }
  }
  const names = Object.keys(optionTable) as OptionName[];
  t.same(
    names.filter((name) => !used.has(name)),
    [],
  );
});

t.test("errors say what, where, and what to do; only a bug shows its stack", async (t) => {
  const show = (error: unknown) => {
    let text = "";
    const code = printError(error, (part) => {
      text += part;
    });
    return { text, code };
  };
  const position = { file: "edges.yml", line: 3, column: 5 };
  const one = new InputError("E_X", "hls_fragment is not a duration", { position, hint: "Write 2s." });
  t.same(show(one), {
    text: "edge-setup: edges.yml:3:5: hls_fragment is not a duration (E_X)\n  Write 2s.\n",
    code: 2,
  });
  t.equal(show(new InputErrors([one, one])).text.split("E_X").length, 3);
  const bug = show(new Error("boom"));
  t.equal(bug.code, exitCodes.internal);
  t.match(bug.text, /internal error[\s\S]*boom[\s\S]*at /);
});
