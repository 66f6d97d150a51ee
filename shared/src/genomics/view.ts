import { RegulonError } from '../errors/index.js';

/** The units (patients, libraries, genes of a series) of one site, as numbers. */
export interface UnitsView {
  readonly n: number;
  /** columns: genes of the panel, or time steps of a series */
  readonly genes: number;
  /** row-major [n, genes]; counts or log-ratios; NaN = missing, never in counts */
  readonly values: Float64Array;
  /** class of each unit, 0 … classes − 1 */
  readonly labels?: Int32Array;
  readonly classes: number;
  /** batch of each unit, numbered inside this site; absent: the site is one batch */
  readonly batches?: Int32Array;
  /** patient of each unit, numbered inside this site; absent: every unit is a patient of its own */
  readonly patients?: Int32Array;
  /** fold of each unit, 0–4; only for sums over the whole dataset */
  readonly folds?: Int32Array;
  /** columns of the plan's design, row-major [n, columns] */
  readonly covariates?: Float64Array;
  /** targets of a task of several heads, row-major [n, numbers of all heads]; NaN, or a class of −1, = missing */
  readonly targets?: Float64Array;
  /** columns of each omic, in the order of the model's inputs; a unit has all values of one, or none */
  readonly omics?: readonly Uint32Array[];
  /** what balances the folds where there are no classes; only of the whole dataset */
  readonly strata?: Int32Array;
}

/**
 * Copy of some units of a view, in the given order.
 *
 * @param rows positions in the view, each in [0, n)
 * @returns new arrays; the caller owns them
 * @throws E_INTERNAL if a position is out of range
 */
export function selectUnits(view: UnitsView, rows: ArrayLike<number>): UnitsView {
  const { n, genes, classes, covariates, targets, omics } = view;
  const positions = Array.from(rows);
  const absent = positions.find((row) => !Number.isInteger(row) || row < 0 || row >= n);
  if (absent !== undefined) throw new RegulonError('E_INTERNAL', `unit ${absent} of ${n} does not exist`);
  const values = new Float64Array(positions.length * genes);
  positions.forEach((row, i) => values.set(view.values.subarray(row * genes, (row + 1) * genes), i * genes));
  const rowsOf = (from: Float64Array): Float64Array => {
    const width = from.length / n;
    return Float64Array.from(positions.flatMap((row) => [...from.subarray(row * width, (row + 1) * width)]));
  };
  const codesOf = (name: 'labels' | 'batches' | 'patients'): Pick<UnitsView, typeof name> => {
    const from = view[name];
    return from ? { [name]: Int32Array.from(positions, (row) => from[row] ?? 0) } : {};
  };
  return {
    ...{ n: positions.length, genes, values, classes },
    ...{ ...codesOf('labels'), ...codesOf('batches'), ...codesOf('patients') },
    ...(covariates && { covariates: rowsOf(covariates) }),
    ...(targets && { targets: rowsOf(targets) }),
    ...(omics && { omics }),
  };
}

/**
 * The units of several views, one after the other; only where all may be seen (tests, the reference process).
 *
 * @param views at least one, of the same genes; labels, batches, covariates and targets stay when the first view has them
 */
export function joinUnits(views: readonly UnitsView[]): UnitsView {
  const [first] = views;
  if (!first) throw new RegulonError('E_INTERNAL', 'no views to join');
  const numbers = (of: (view: UnitsView) => Float64Array | undefined): Float64Array =>
    Float64Array.from(views.flatMap((view) => [...(of(view) ?? [])]));
  const codes = (of: (view: UnitsView) => Int32Array | undefined): Int32Array =>
    Int32Array.from(views.flatMap((view) => [...(of(view) ?? [])]));
  const values = new Float64Array(views.reduce((sum, view) => sum + view.values.length, 0));
  views.reduce((at, view) => (values.set(view.values, at), at + view.values.length), 0);
  return {
    ...{ n: values.length / first.genes, genes: first.genes, classes: first.classes, values },
    ...(first.labels && { labels: codes((view) => view.labels) }),
    ...(first.batches && { batches: codes((view) => view.batches) }),
    ...(first.covariates && { covariates: numbers((view) => view.covariates) }),
    ...(first.targets && { targets: numbers((view) => view.targets) }),
    ...(first.omics && { omics: first.omics }),
  };
}
