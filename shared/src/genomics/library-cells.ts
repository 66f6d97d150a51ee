import { libraryOf } from './library.js';
import { placeOf } from './normalize/cell-quantiles.js';
import { verifiedUnits } from './cohort.js';
import { add } from './numbers.js';
import type { LibraryCellsFit } from './library-cells-fit.js';
import { type FeatureSpecification, withStep } from './specification.js';
import { lastStep, requireStep } from './fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import type { UnitsView } from './view.js';

/** log2 of a library: counts below 2⁶³ */
const LARGEST_LOG = 64;
/** Cells reach so many SD to both sides of the mean; libraries beyond count in the last ones. */
const REACH = 4;

/**
 * The median library size of a run that is not public, where exact order statistics may not be released: mean and SD of the
 * log libraries, then one histogram of max(10, units/20) cells around them. Off by at most the width of a cell, 8 SD /
 * cells, in log2; on the five breast cancer clients the filter keeps within 25 of the 16,833 genes of the exact median.
 */
export function libraryCellsSteps({ fractionBits }: StatisticsOptions): StatisticsStep[] {
  const part = (
    id: string,
    what: string,
    bound: (weightCap: number) => number,
    of: (log: number, spec: FeatureSpecification) => number,
    fit: (fitted: LibraryCellsFit, mean: number) => LibraryCellsFit,
  ): StatisticsStep => ({
    ...{ id, what, fractionBits, bound },
    length: () => 2,
    local: (view, spec) => {
      const sums = Float64Array.of(view.n, 0);
      eachLog(view, (log) => add(sums, 1, of(log, spec)));
      return sums;
    },
    fit: (spec, sums) => updated(spec, (fitted) => fit(fitted, (sums[1] ?? 0) / verifiedUnits(spec, sums))),
  });
  return [
    part(
      'log-library',
      'number of units and the sum of the logarithms of their libraries',
      (weightCap) => weightCap * LARGEST_LOG,
      (log) => log,
      (fitted, mean) => ({ ...fitted, mean }),
    ),
    part(
      'log-library-spread',
      'number of units and the sum of squared distances of the logarithms of their libraries from the mean',
      (weightCap) => weightCap * LARGEST_LOG ** 2,
      (log, spec) => (log - requireStep(spec, 'library-cells').mean) ** 2,
      (fitted, square) => ({ ...fitted, sd: Math.sqrt(Math.max(0, square)) || 1 }),
    ),
    {
      id: 'library-cells',
      what: 'number of units and how many libraries lie in each cell around the mean (at most max(10, units/20) cells)',
      fractionBits,
      length: (spec) => 1 + cellsOf(spec),
      bound: (weightCap) => weightCap,
      local: (view, spec) => {
        const cells = cellsOf(spec);
        const { from, width } = edgesOf(spec);
        const sums = new Float64Array(1 + cells);
        sums[0] = view.n;
        eachLog(view, (log) =>
          add(sums, 1 + Math.min(cells - 1, Math.max(0, Math.floor((log - from) / width))), 1),
        );
        return sums;
      },
      fit: (spec, sums) => {
        const { from, width } = edgesOf(spec);
        const units = verifiedUnits(spec, sums);
        const median = 2 ** (from + width * placeOf(sums.subarray(1), units / 2));
        return updated(spec, (fitted) => ({ ...fitted, median }));
      },
    },
  ];
}

const cellsOf = (spec: FeatureSpecification): number =>
  Math.max(10, Math.floor(requireStep(spec, 'counts').units / 20));

function edgesOf(spec: FeatureSpecification): { from: number; width: number } {
  const { mean, sd } = requireStep(spec, 'library-cells');
  return { from: mean - REACH * sd, width: (2 * REACH * sd) / cellsOf(spec) };
}

/** An empty library counts as one read. */
function eachLog(view: UnitsView, visit: (log: number) => void): void {
  for (let unit = 0; unit < view.n; unit++)
    visit(Math.log2(Math.max(1, libraryOf(view.values, unit * view.genes, view.genes))));
}

function updated(
  spec: FeatureSpecification,
  change: (fitted: LibraryCellsFit) => LibraryCellsFit,
): FeatureSpecification {
  const before = lastStep(spec, 'library-cells');
  if (!before) return withStep(spec, change({ step: 'library-cells', mean: 0, sd: 1, median: 0 }));
  return { ...spec, steps: spec.steps.map((step) => (step === before ? change(before) : step)) };
}
