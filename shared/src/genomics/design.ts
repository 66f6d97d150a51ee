import { RegulonError } from '../errors/index.js';
import type { Design, Plan } from '../plan/index.js';
import { compareCodePoints } from './code-point.js';
import { type Cell, parseLabelRule } from './label-rule.js';
import type { LabelTable } from './labels.js';
import type { CovariateColumn } from './statistics-step.js';
import { targetColumns } from './targets/targets.js';
import type { UnitsView } from './view.js';

type Covariate = Design['covariates'][number];

/** Columns of a design, for the rounds that sum their products. */
export function covariateColumns(design: Design | undefined): CovariateColumn[] {
  return (design?.covariates ?? []).map((covariate) => ({
    name: covariate.name,
    kind: 'rule' in covariate ? 'indicator' : 'number',
  }));
}

/**
 * Batch and covariates of each unit, from the label table of a site.
 *
 * @returns batches numbered from 0 in the order of their names; covariates row-major [units, columns]; both only when
 *   the plan has them; the caller owns them
 * @throws E_LABEL when a column is absent, or a unit has no batch, or a covariate that is no number; names unit and
 *   column, never a cell
 */
export function designOf(
  table: LabelTable,
  design: Design | undefined,
): Pick<UnitsView, 'batches' | 'covariates'> {
  const { batch, covariates = [] } = design ?? {};
  return {
    ...(batch !== undefined && { batches: batchesIn(table, batch) }),
    ...(covariates.length > 0 && { covariates: covariatesIn(table, covariates) }),
  };
}

function columnOf(table: LabelTable, column: string): readonly Cell[] {
  const cells = table.columns.get(column);
  if (!cells) throw new RegulonError('E_LABEL', `design: the label table has no column ${column}`);
  return cells;
}

/** Names of the batches of a table, each at its number. @throws E_LABEL as `designOf` */
export const batchNamesOf = (table: LabelTable, column: string): string[] =>
  [...new Set(batchCells(table, column))].sort(compareCodePoints);

function batchesIn(table: LabelTable, column: string): Int32Array {
  const order = new Map(batchNamesOf(table, column).map((name, i) => [name, i]));
  return Int32Array.from(batchCells(table, column), (name) => order.get(name) ?? 0);
}

function batchCells(table: LabelTable, column: string): string[] {
  return columnOf(table, column).map((cell, unit) => {
    if (cell !== null && cell !== '') return String(cell);
    throw new RegulonError('E_LABEL', `design: unit ${unit + 1} has no batch in column ${column}`);
  });
}

function covariatesIn(table: LabelTable, covariates: readonly Covariate[]): Float64Array {
  const columns = covariates.map((covariate) =>
    'rule' in covariate ? indicatorIn(table, covariate) : numbersIn(table, covariate),
  );
  const values = new Float64Array(table.unitIds.length * columns.length);
  columns.forEach((column, c) => column.forEach((x, unit) => (values[unit * columns.length + c] = x)));
  return values;
}

function indicatorIn(table: LabelTable, { name, rule }: { name: string; rule: string }): number[] {
  const parsed = parseLabelRule(rule);
  parsed.columns.forEach((column) => columnOf(table, column));
  return table.unitIds.map((_, unit) => {
    try {
      return parsed.evaluate((column) => columnOf(table, column)[unit] ?? null) ? 1 : 0;
    } catch (error) {
      throw new RegulonError('E_LABEL', `design: unit ${unit + 1}: covariate ${name} cannot be evaluated`, {
        cause: error,
      });
    }
  });
}

function numbersIn(table: LabelTable, { name, column }: { name: string; column: string }): number[] {
  return columnOf(table, column).map((cell, unit) => {
    if (typeof cell === 'number' && Number.isFinite(cell)) return cell;
    throw new RegulonError('E_LABEL', `design: unit ${unit + 1}: covariate ${name} is no number`);
  });
}

/**
 * A prepared value must not depend on the class of its unit: a new patient has none.
 *
 * @throws E_PLAN when a covariate reads a column of the label where the preparation of a unit uses its covariates
 */
export function verifyDesign({ prepare, design, label, targets, evaluation }: Plan): void {
  const ofLabel = new Set([
    ...(label?.classes ?? []).flatMap(({ rule }) => parseLabelRule(rule).columns),
    ...targetColumns({ targets }),
  ]);
  const reads = (covariate: Covariate): readonly string[] =>
    'rule' in covariate ? parseLabelRule(covariate.rule).columns : [covariate.column];
  const telling = (design?.covariates ?? []).filter((covariate) =>
    reads(covariate).some((column) => ofLabel.has(column)),
  );
  prepare.forEach((step, i) => {
    // a test changes no value
    const named =
      'covariates' in step && step.step !== 'limma-voom'
        ? telling.find(({ name }) => step.covariates.includes(name))
        : undefined;
    if (!named) return;
    const refuse = (rule: string): never => {
      throw new RegulonError(
        'E_PLAN',
        `plan: prepare[${i}]: covariate ${named.name} reads the label, ${rule}`,
      );
    };
    if (step.step === 'combat' && !step.meanOnly)
      refuse('which a new unit does not have: take meanOnly, or remove-batch-effect');
    if (evaluation.split === 'leave-site-out')
      refuse('which the batches of a site that is held out would be fitted with');
  });
}
