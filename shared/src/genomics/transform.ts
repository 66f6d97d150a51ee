import { RegulonError } from '../errors/index.js';
import { type FeatureSpecification, lastStep } from './specification.js';
import type { UnitsView } from './view.js';

/** Prepares one unit at a time, so that no second matrix is held. */
export interface UnitTransform {
  /** genes kept = length of `out` */
  readonly length: number;
  /** write the prepared values of unit `unit` into `out` (float64) */
  apply(unit: number, out: Float64Array): void;
}

/**
 * The steps of a specification fitted so far, as a function of one unit of a view.
 *
 * @throws E_PANEL when the view has another number of genes than the specification
 */
export function unitTransform(view: UnitsView, spec: FeatureSpecification): UnitTransform {
  if (view.genes !== spec.genes) {
    throw new RegulonError('E_PANEL', `the matrix has ${view.genes} genes, the specification ${spec.genes}`);
  }
  const kept = spec.keptGenes;
  const logCpm = lastStep(spec, 'log2-cpm');
  const z = lastStep(spec, 'z-score');
  if (z && z.mean.length !== kept.length) {
    throw new RegulonError('E_STATE', 'the z-score step and the kept genes have different lengths');
  }
  const { values, genes } = view;
  return {
    length: kept.length,
    apply(unit, out) {
      const start = unit * genes;
      const library = logCpm ? libraryOf(values, start, genes, logCpm.libraryGenes) : 0;
      const perMillion = library > 0 ? 1e6 / library : 0;
      for (let j = 0; j < kept.length; j++) {
        let x = values[start + (kept[j] ?? 0)] ?? 0;
        if (logCpm) x = Math.log2(x * perMillion + 1);
        out[j] = z ? (x - (z.mean[j] ?? 0)) / (z.sd[j] ?? 1) : x;
      }
    },
  };
}

/** Sum of the counts of one unit over some genes, or over all of them. */
export function libraryOf(values: Float64Array, start: number, genes: number, only?: Uint32Array): number {
  let sum = 0;
  if (only) for (const gene of only) sum += values[start + gene] ?? 0;
  else for (let gene = 0; gene < genes; gene++) sum += values[start + gene] ?? 0;
  return sum;
}

/**
 * Model inputs of the units: exactly what a pooled fit of the same parameters gives.
 *
 * @returns features, float32 row-major, and their shape [n, kept genes]; the caller owns them
 * @throws E_PANEL when the view has another number of genes
 * @throws E_DATA_NOT_FINITE when a prepared value is not finite (the position is named, never the value)
 */
export function transform(
  view: UnitsView,
  spec: FeatureSpecification,
): { features: Float32Array; shape: [number, number] } {
  const unit = unitTransform(view, spec);
  const features = new Float32Array(view.n * unit.length);
  const row = new Float64Array(unit.length);
  for (let i = 0; i < view.n; i++) {
    unit.apply(i, row);
    for (let j = 0; j < row.length; j++) {
      const value = row[j] ?? 0;
      if (!Number.isFinite(value)) {
        throw new RegulonError(
          'E_DATA_NOT_FINITE',
          `unit ${i + 1}, gene ${(spec.keptGenes[j] ?? 0) + 1}: not finite`,
        );
      }
      features[i * row.length + j] = value;
    }
  }
  return { features, shape: [view.n, unit.length] };
}
