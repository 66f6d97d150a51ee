import { RegulonError } from '../errors/index.js';
import { type Cell, type LabelRule, parseLabelRule } from './label-rule.js';

/** Columns of a label table, aligned with the units. */
export interface LabelTable {
  readonly unitIds: readonly string[];
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
}

/** A class of the plan: its name and the rule that decides it. */
export interface ClassRule {
  readonly name: string;
  readonly rule: string;
}

/**
 * Class of each unit: the one class whose rule holds.
 *
 * @param masked a unit with an empty cell in a column that a rule names has no class, −1; else it is refused
 * @returns class index of each unit, in the order of `table.unitIds`; the caller owns it
 * @throws E_LABEL when a rule does not parse, names a column that is not there, or a unit matches no rule or two;
 *   the message holds unit positions (from 1) and class names, never a cell
 */
export function labelsOf(table: LabelTable, classes: readonly ClassRule[], masked = false): Int32Array {
  const rules = classes.map(({ name, rule }) => ({ name, rule: parsedRule(name, rule) }));
  for (const { name, rule } of rules) {
    const absent = rule.columns.find((column) => !table.columns.has(column));
    if (absent !== undefined) {
      throw new RegulonError('E_LABEL', `rule of class ${name}: the label table has no column ${absent}`);
    }
  }
  const labels = new Int32Array(table.unitIds.length);
  for (let unit = 0; unit < labels.length; unit++) {
    const row = (column: string): Cell => table.columns.get(column)?.[unit] ?? null;
    const unknown = masked && rules.some(({ rule }) => rule.columns.some((column) => row(column) === null));
    labels[unit] = unknown ? -1 : classOf(rules, row, unit);
  }
  return labels;
}

function parsedRule(name: string, rule: string): LabelRule {
  try {
    return parseLabelRule(rule);
  } catch (error) {
    throw named(`rule of class ${name}`, error);
  }
}

function classOf(
  rules: readonly { name: string; rule: LabelRule }[],
  row: (column: string) => Cell,
  unit: number,
): number {
  let found = -1;
  for (const [index, { name, rule }] of rules.entries()) {
    let holds: boolean;
    try {
      holds = rule.evaluate(row);
    } catch (error) {
      throw named(`unit ${unit + 1}, rule of class ${name}`, error);
    }
    if (holds && found >= 0) {
      throw new RegulonError(
        'E_LABEL',
        `unit ${unit + 1} matches two classes: ${rules[found]?.name} and ${name}`,
      );
    }
    if (holds) found = index;
  }
  if (found < 0) throw new RegulonError('E_LABEL', `unit ${unit + 1} matches no class of the plan`);
  return found;
}

function named(where: string, error: unknown): RegulonError {
  const reason = error instanceof RegulonError ? error.message : 'cannot be evaluated';
  return new RegulonError('E_LABEL', `${where}: ${reason}`, { cause: error });
}
