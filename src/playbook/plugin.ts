import type { Rt } from "./python-values.js";
import type { LookupReader } from "./scope.js";

/** What a filter or test takes, for checks while parsing. */
export interface CallSignature {
  /** Names of the arguments in order; the value before the bar is not one of them. */
  readonly params: readonly string[];
  /** How many of `params` must be given. */
  readonly required?: number;
  /** Arguments that are only given by name. */
  readonly keywords?: readonly string[];
  /** Takes more arguments than `params` names. */
  readonly rest?: boolean;
  readonly anyKeyword?: boolean;
  /** Known to Ansible and left out here: what to do instead. */
  readonly refused?: string;
}

/** Arguments of one call: `args` follow the signature's params, an argument not given is undefined. */
export interface Call {
  readonly args: readonly (Rt | undefined)[];
  readonly keywords: Readonly<Record<string, Rt>>;
}

/** What filters and tests may need: `map('upper')` the other ones, `is exists` the files of this machine. */
export interface Plugins {
  /** Undefined where files cannot be looked at. */
  readonly reader: LookupReader | undefined;
  filter(name: string, subject: Rt, args: readonly Rt[], keywords: Readonly<Record<string, Rt>>): Rt;
  test(name: string, subject: Rt, args: readonly Rt[], keywords: Readonly<Record<string, Rt>>): boolean;
}

export interface FilterSpec extends CallSignature {
  /** Undefined values reach `run`; else they are refused before it. */
  readonly keepUndefined?: boolean;
  /** The mark of NativeText reaches `run`. */
  readonly keepMark?: boolean;
  readonly run: (subject: Rt, call: Call, plugins: Plugins) => Rt;
}

export interface TestSpec extends CallSignature {
  readonly keepUndefined?: boolean;
  readonly run: (subject: Rt, call: Call, plugins: Plugins) => boolean;
}

export type FilterTable = Readonly<Record<string, FilterSpec>>;
export type TestTable = Readonly<Record<string, TestSpec>>;

/** An entry for what Ansible knows and the subset leaves out. */
export function refusedFilter(instead: string): FilterSpec {
  return {
    params: [],
    refused: instead,
    run: () => {
      throw new Error(instead);
    },
  };
}
