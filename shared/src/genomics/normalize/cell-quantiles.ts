import type { PrepareStep } from '../../plan/index.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { momentsOf } from '../selection.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

type QuantileStep = Extract<PrepareStep, { step: 'min-max' | 'robust-scale' }>;

/** Cells reach so many SD to both sides of the mean; values beyond count in the last ones. */
const REACH = 4;
const PUBLIC_CELLS = 256;
const QUARTILES = [0.25, 0.5, 0.75] as const;

/**
 * Quantiles of each kept gene from one histogram (P07): of a run that is not public max(10, units/20) cells, of a public
 * run 256. A quantile is interpolated inside its cell, so it is off by at most the cell's width, 8 SD / cells.
 */
export function cellQuantileSteps(step: QuantileStep, options: StatisticsOptions): StatisticsStep[] {
  const cellsOf = (spec: FeatureSpecification): number =>
    options.isPublic ? PUBLIC_CELLS : Math.max(10, Math.floor(requireStep(spec, 'counts').units / 20));
  return [
    {
      id: 'quantile-cells',
      what: 'number of units and, per gene, how many lie in each cell around its mean (at most max(10, units/20) cells unless the run is public)',
      fractionBits: options.fractionBits,
      length: (spec) => 1 + cellsOf(spec) * spec.keptGenes.length,
      bound: (weightCap) => weightCap,
      local: (view, spec) => cellCounts(view, spec, cellsOf(spec)),
      fit: (spec, sums) => fitQuantiles(spec, sums, step, cellsOf(spec)),
    },
  ];
}

/** Lowest edge and width of the cells of each kept gene. */
function edgesOf(spec: FeatureSpecification, cells: number): { from: Float64Array; width: Float64Array } {
  const { mean, variance } = momentsOf(spec);
  const sd = variance.map((v) => Math.sqrt(v) || 1);
  return {
    from: mean.map((m, j) => m - REACH * (sd[j] ?? 1)),
    width: sd.map((s) => (2 * REACH * s) / cells),
  };
}

function cellCounts(view: UnitsView, spec: FeatureSpecification, cells: number): Float64Array {
  const { from, width } = edgesOf(spec, cells);
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(1 + cells * row.length);
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    row.forEach((x, j) => {
      const cell = Math.floor((x - (from[j] ?? 0)) / (width[j] ?? 1));
      add(sums, 1 + j * cells + Math.min(cells - 1, Math.max(0, cell)), 1);
    });
  }
  return sums;
}

function fitQuantiles(
  spec: FeatureSpecification,
  sums: Float64Array,
  step: QuantileStep,
  cells: number,
): FeatureSpecification {
  const units = verifiedUnits(spec, sums);
  const { from, width } = edgesOf(spec, cells);
  const quantile = (share: number): Float64Array =>
    from.map((start, j) => {
      const counts = sums.subarray(1 + j * cells, 1 + (j + 1) * cells);
      return start + (width[j] ?? 1) * placeOf(counts, share * units);
    });
  if (step.step === 'min-max') {
    const low = quantile(step.share);
    const high = quantile(1 - step.share).map((x, j) => (x > (low[j] ?? 0) ? x : (low[j] ?? 0) + 1));
    return withStep(spec, { step: 'min-max', low, high });
  }
  const [lower, center, upper] = QUARTILES.map(quantile);
  if (!lower || !center || !upper) return spec;
  const scale = upper.map((x, j) => x - (lower[j] ?? 0) || 1);
  return withStep(spec, { step: 'robust-scale', center, scale });
}

/** Where a cumulative count is reached, in cells from the first edge; linear inside the cell. */
export function placeOf(counts: ArrayLike<number>, wanted: number): number {
  let below = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    const here = Math.round(counts[cell] ?? 0);
    if (here > 0 && below + here >= wanted) return cell + Math.max(0, wanted - below) / here;
    below += here;
  }
  return counts.length;
}
