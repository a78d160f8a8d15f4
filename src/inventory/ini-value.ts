import { literalEval } from "../playbook/python-literal.js";
import { isFloat, type Rt, Tuple, toValue, ValueProblem } from "../playbook/python-values.js";
import type { Value } from "../playbook/types.js";

/**
 * A value of an INI inventory, as Ansible takes it: a Python literal where it is one (numbers, quoted text, True, lists, dicts),
 * else the text.
 * @throws RangeError for a literal that is rarely meant and would print as something else
 */
export function iniValue(text: string): Value {
  if (/^[bB][rR]?['"]/.test(text)) throw new RangeError(`${text} is Python's bytes`);
  try {
    const value = literalEval(text);
    if (value === undefined) return text;
    refuse(value, text);
    return toValue(value);
  } catch (error) {
    if (error instanceof ValueProblem) throw new RangeError(error.message);
    throw error;
  }
}

function refuse(value: Rt, text: string): void {
  if (value instanceof Tuple) throw new RangeError(`Ansible reads ${text} as a Python tuple`);
  if (isFloat(value) && Number.isInteger(Number(text))) throw new RangeError(`Ansible reads ${text} as a float`);
  if (Array.isArray(value)) for (const item of value) refuse(item, text);
}
