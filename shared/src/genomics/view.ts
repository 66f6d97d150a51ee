import { RegulonError } from '../errors/index.js';

/** The units (patients, libraries, genes of a series) of one site, as numbers. */
export interface UnitsView {
  readonly n: number;
  /** columns: genes of the panel, or time steps of a series */
  readonly genes: number;
  /** row-major [n, genes]; counts or log-ratios; NaN = missing, in series only */
  readonly values: Float64Array;
  /** class of each unit, 0 … classes − 1 */
  readonly labels?: Int32Array;
  readonly classes: number;
}

/**
 * Copy of some units of a view, in the given order.
 *
 * @param rows positions in the view, each in [0, n)
 * @returns new arrays; the caller owns them
 * @throws E_INTERNAL if a position is out of range
 */
export function selectUnits(view: UnitsView, rows: ArrayLike<number>): UnitsView {
  const values = new Float64Array(rows.length * view.genes);
  const labels = view.labels && new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? -1;
    if (!Number.isInteger(row) || row < 0 || row >= view.n) {
      throw new RegulonError('E_INTERNAL', `unit ${row} of ${view.n} does not exist`);
    }
    values.set(view.values.subarray(row * view.genes, (row + 1) * view.genes), i * view.genes);
    if (labels) labels[i] = view.labels?.[row] ?? 0;
  }
  const base = { n: rows.length, genes: view.genes, values, classes: view.classes };
  return labels ? { ...base, labels } : base;
}
