/** Words of ill will, made from a seed: the same ones in every run of it. */
export class NastyWords {
  #state: number;
  #count = 0;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32: enough to be different every time. */
  number(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  }

  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    return list[this.number(list.length)] as T;
  }

  flip(): boolean {
    return this.number(2) === 1;
  }

  /** @param without what it must not hold */
  word(without: RegExp = /\0/): Nasty {
    const id = ++this.#count;
    const atoms = ATOMS.map((atom) => atom.replaceAll("ID", String(id))).filter((atom) => !without.test(atom));
    let middle = "";
    for (let left = 1 + this.number(9); left > 0; left--) middle += this.pick(atoms);
    const before = this.number(4) === 0 ? this.pick(BEGINNINGS.filter((text) => !without.test(text))) : "";
    return { id, text: `${before}s${id}<${middle}>${id}e` };
  }

  /** For a name below a directory: no slash, none of what paths and templates expand, and short. */
  fileName(): Nasty {
    const { id, text } = this.word(/\0|\/|\$[A-Z]|[{}]/);
    return { id, text: Buffer.from(text).length > 200 ? `s${id}<$(canary ${id})>${id}e` : text };
  }

  /** More than a pipe or a line of input takes at once. */
  long(): Nasty {
    const id = ++this.#count;
    return { id, text: `s${id}<${"'\"\\$(canary ID)\n".replaceAll("ID", String(id)).repeat(1000)}>${id}e` };
  }
}

export interface Nasty {
  readonly id: number;
  readonly text: string;
}

const BEGINNINGS = ["-n", "-", "--", "-e ", "~", "#", "=", "!", " ", "\n", "\t", "'", '"'];

/** `canary` is a command that nothing may ever run; its argument says whose word it was. */
const ATOMS = [
  "'",
  '"',
  "\\",
  "$(canary ID)",
  "`canary ID`",
  ";canary ID;",
  "\ncanary ID\n",
  "|canary ID|",
  "&canary ID&",
  "&&canary ID||canary ID",
  "'$(canary ID)'",
  '"$(canary ID)"',
  "'\\''",
  `'"'"'`,
  "';canary ID;'",
  '";canary ID;"',
  "\\$(canary ID)",
  "\\`canary ID\\`",
  "')\ncanary ID\n('",
  ";; esac; canary ID; case x in *) ",
  "}; canary ID; {",
  "fi\ncanary ID\n",
  "$HOME",
  "$IFS",
  "$W",
  "$PWD",
  "$((1+1))",
  "*",
  "?",
  "[a-z]*",
  "~",
  "#",
  "!",
  "!!",
  "^",
  "%s%d",
  "\\n\\0\\c",
  "\u0001",
  "\u001b[31m",
  "\u007f",
  "\t",
  "\r",
  "\n",
  " ",
  "   ",
  "-n",
  " -- ",
  " -rf ",
  "=",
  " <in ",
  " >out ",
  " 2>&1 ",
  "(",
  ")",
  ":",
  ",",
  "é",
  "日本語",
  "\u{1f600}",
  "\ufffd",
  "EOF\n",
  "\u001enonce\tr\t99\tchanged\t=it is\n",
  "\n\u001enonce\tz\tdone\n",
];
