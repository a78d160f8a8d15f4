import type { LibName } from "../modules/types.js";
import type { Templated, Value } from "../playbook/types.js";
import type { Ends } from "./batch.js";
import type { CompiledCall, Known, Target } from "./compiled.js";
import type { Sight } from "./setup.js";
import type { RegisterShape } from "./shell-condition.js";
import { sameTarget } from "./task-scope.js";

/** The segment is full: what comes next needs its results, or another user. */
export class SegmentEnd extends Error {}

/** What a step can leave behind before it turns out to belong to the next segment. */
interface Mark {
  readonly body: number;
  readonly calls: number;
  readonly counted: number;
}

/** A segment while it is compiled. */
export class Draft {
  body = "";
  readonly calls: CompiledCall[] = [];
  readonly libs = new Set<LibName>();
  /** Those that `check_mode: false` makes do real work even in check mode. */
  readonly realLibs = new Set<LibName>();
  /** Results that only the program gives. */
  readonly shapes = new Map<string, RegisterShape>();
  registers: Readonly<Record<string, Value>> = {};
  facts: Readonly<Record<string, Value>> = {};
  /** Of `setup`. */
  sights: readonly Sight[] = [];
  /** Of include_vars. */
  included: Readonly<Record<string, Templated>> = {};
  readonly known: Known[] = [];
  readonly probes = new Map<string, boolean>();
  /** Units to ask systemd about at once: from the beginning, and from each call on of which nobody knows what it has done. */
  readonly #units: Set<string>[] = [new Set()];
  /** The program has such a call. */
  acts = false;
  /** Names of facts that calls of this program give. */
  readonly coming = new Set<string>();
  /** Controller files that calls of this program bring. */
  readonly brought = new Set<string>();
  target: Target | undefined;
  /** Nothing after the call at hand can run, or only the controller knows whether it can. */
  closed = false;
  /** What the call at hand ends. */
  ends: Ends | undefined;
  /** How many handlers and parts of blocks are around the call at hand that the program may pass over. */
  unsure = 0;
  /** The step at hand. */
  at = 0;
  /** Grows whenever variables become others. */
  version = 0;
  /** The last call that every run of the program comes to. */
  #counted = 0;

  get units(): Set<string> {
    return this.#units.at(-1) as Set<string>;
  }

  /** What stands behind a call of which nobody knows what it has done. */
  act(): void {
    this.acts = true;
    // A part that may be passed over would take its units along.
    if (this.unsure > 0 || this.units.size === 0) return;
    this.body += unitsMark(this.#units.length);
    this.#units.push(new Set());
  }

  /** The text, and the units that it begins with. */
  finished(): { readonly body: string; readonly units: ReadonlySet<string> } {
    const [first = new Set<string>(), ...others] = this.#units;
    const body = others.reduce((text, units, index) => {
      const line = units.size === 0 ? "" : `UN='${[...units].join(" ")}'\n`;
      return text.replace(unitsMark(index + 1), () => line);
    }, this.body);
    return { body, units: first };
  }

  mark(): Mark {
    return { body: this.body.length, calls: this.calls.length, counted: this.#counted };
  }

  rewind(mark: Mark): void {
    this.body = this.body.slice(0, mark.body);
    this.calls.length = mark.calls;
    this.#counted = mark.counted;
  }

  /** A mark of all that several steps can leave, to go back to. */
  snapshot(): () => void {
    const mark = this.mark();
    const { registers, facts, sights, included, target, closed } = this;
    const { length } = this.known;
    const maps = [this.libs, this.realLibs, this.units, this.brought].map(
      (set) => [set, new Set<unknown>(set)] as const,
    );
    const shapes = new Map(this.shapes);
    const probes = new Map(this.probes);
    return () => {
      this.rewind(mark);
      Object.assign(this, { registers, facts, sights, included, target, closed });
      this.known.length = length;
      for (const [set, kept] of maps) for (const one of set) if (!kept.has(one)) (set as Set<unknown>).delete(one);
      refill(this.shapes, shapes);
      refill(this.probes, probes);
      this.version++;
    };
  }

  /** Whether the host has no say in anything so far. */
  get decided(): boolean {
    return this.calls.every((call) => call.decided !== undefined);
  }

  /** Begins the next call. The program counts for itself where it cannot have passed over the call before. */
  begin(letter: "B" | "N" | "O"): string {
    const number = this.calls.length + 1;
    const follows = this.unsure === 0 && this.#counted === number - 1;
    if (this.unsure === 0) this.#counted = number;
    return follows ? letter : `${letter} ${number}`;
  }

  /** A call's status, unless the way through a block or a handler's turn decides whether it is made. */
  status(decided: NonNullable<CompiledCall["decided"]>): Pick<CompiledCall, "decided"> {
    return this.unsure === 0 ? { decided } : {};
  }

  take(target: Target): void {
    if (this.target !== undefined && !sameTarget(this.target, target)) throw new SegmentEnd();
    this.target = target;
  }

  /** A result that is known without the program. */
  setRegister(name: string, value: Value): void {
    this.registers = { ...this.registers, [name]: value };
    this.known.push({ at: this.at, registers: { [name]: value }, facts: {} });
    this.shapes.delete(name);
    this.version++;
  }

  /** @param of the task's id */
  setFacts(facts: Readonly<Record<string, Value>>, of: number): void {
    this.facts = { ...this.facts, ...facts };
    this.known.push({ at: this.at, of, registers: {}, facts });
    // A later set_fact hides a registered result of the same name.
    for (const name of Object.keys(facts)) this.shapes.delete(name);
    this.version++;
  }

  /** What `setup` and include_vars give. */
  learn(of: number, sights: readonly Sight[], included: Readonly<Record<string, Templated>> = {}): void {
    this.sights = [...this.sights, ...sights];
    this.included = { ...this.included, ...included };
    this.known.push({ at: this.at, of, registers: {}, facts: {}, sights, included });
    this.version++;
  }

  /** Gives what takes back all facts and variables that are set from here on. */
  taker(): () => void {
    const { facts, sights, included } = this;
    const { length } = this.known;
    const shapes = new Map(this.shapes);
    return () => {
      Object.assign(this, { facts, sights, included });
      this.known.length = length;
      refill(this.shapes, shapes);
      this.version++;
    };
  }

  /** A result that the program gives. */
  expect(name: string, shape: RegisterShape): void {
    const { [name]: _, ...registers } = this.registers;
    this.registers = registers;
    this.shapes.set(name, shape);
  }
}

/** No value has a NUL. */
const unitsMark = (group: number): string => `\0${group}\n`;

function refill<K, V>(map: Map<K, V>, kept: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of kept) map.set(key, value);
}
