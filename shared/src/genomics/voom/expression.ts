import { covariateOf } from '../batch/batches.js';
import { libraryOf } from '../library.js';
import type { UnitsView } from '../view.js';
import { interpolated, type Curve } from '../numeric/lowess.js';
import { required, type VoomState } from './voom-state.js';

/** Quantile of some numbers as R's type 7. @param values not changed */
export function quantileOf(values: Float64Array, share: number): number {
  const sorted = values.slice().sort();
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const [low, high] = [sorted[below] ?? NaN, sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN];
  return low + (place - below) * (high - low);
}

/** Library of a unit over the kept genes, and its upper quartile as a share of it. */
export function upperQuartileOf(
  view: UnitsView,
  unit: number,
  keptGenes: Uint32Array,
): { library: number; share: number } {
  const start = unit * view.genes;
  const library = libraryOf(view.values, start, view.genes, keptGenes);
  const counts = Float64Array.from(keptGenes, (gene) => view.values[start + gene] ?? 0);
  return { library, share: quantileOf(counts, 0.75) / library };
}

/** The units of a site as limma-voom sees them. */
export interface Expression {
  readonly n: number;
  readonly genes: number;
  readonly covariates: number;
  /** log2 of counts per million of the effective library, row-major [n, genes] */
  readonly logCpm: Float64Array;
  /** effective library of each unit */
  readonly library: Float64Array;
  /** row-major [n, covariates] */
  readonly z: Float64Array;
}

/** @see limma 3.54 `voom`: log2((count + 0.5) / (library + 1) · 10⁶), libraries scaled by upper quartiles */
export function expressionOf(view: UnitsView, state: VoomState, columns: readonly number[]): Expression {
  const { keptGenes } = state.spec;
  const mean = required(state, 'logQuartile');
  const genes = keptGenes.length;
  const logCpm = new Float64Array(view.n * genes);
  const library = new Float64Array(view.n);
  for (let unit = 0; unit < view.n; unit++) {
    const own = upperQuartileOf(view, unit, keptGenes);
    const effective = (own.library * own.share) / Math.exp(mean);
    library[unit] = effective;
    for (let j = 0; j < genes; j++) {
      const count = view.values[unit * view.genes + (keptGenes[j] ?? 0)] ?? 0;
      logCpm[unit * genes + j] = Math.log2(((count + 0.5) / (effective + 1)) * 1e6);
    }
  }
  const z = Float64Array.from({ length: view.n * columns.length }, (_, k) =>
    covariateOf(view, Math.floor(k / columns.length), columns[k % columns.length] ?? 0),
  );
  return { n: view.n, genes, covariates: columns.length, logCpm, library, z };
}

/** Precision weight of one value: trend⁻⁴ at the fitted log2 count. */
export function weightOf(trend: Curve, fittedLogCpm: number, library: number): number {
  return interpolated(trend, fittedLogCpm + Math.log2(library + 1) - Math.log2(1e6)) ** -4;
}
