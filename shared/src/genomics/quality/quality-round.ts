import { verifiedUnits } from '../cohort.js';
import { MIN_UNITS } from '../counts-step.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';

/** log10 of library sizes that the cells reach over; others count in the first or the last cell. */
export const LIBRARY = { from: 3, to: 9 } as const;
const MOST_CELLS = 60;

/**
 * Quality of the units before anything is done to them (P01): histograms with fixed edges of library size (counts only),
 * share of genes detected and share of values missing. No patient's library leaves: of a run that is not public
 * max(10, units/20) cells, of a public run 60.
 */
export function qualityStep(options: StatisticsOptions): StatisticsStep {
  const { fractionBits, isPublic, scale = 'counts' } = options;
  const hasLibraries = scale === 'counts';
  const cellsOf = (spec: FeatureSpecification): number => {
    const closed = Math.max(10, Math.floor(requireStep(spec, 'counts').units / 20));
    return isPublic ? MOST_CELLS : Math.min(MOST_CELLS, closed);
  };
  const histograms = hasLibraries ? 3 : 2;
  return {
    id: 'quality',
    what: 'number of units and how many lie in each cell of detected genes, of missing values and, for counts, of library size',
    fractionBits,
    length: (spec) => 1 + histograms * cellsOf(spec),
    bound: (weightCap) => weightCap,
    local: (view, spec) => qualityOf(view, cellsOf(spec), hasLibraries),
    fit: (spec, sums) => {
      const units = verifiedUnits(spec, sums);
      const cells = cellsOf(spec);
      const shown = (which: number): Uint32Array =>
        Uint32Array.from(sums.subarray(1 + which * cells, 1 + (which + 1) * cells), (x) => {
          const n = Math.max(0, Math.round(x));
          return isPublic || n >= MIN_UNITS ? n : 0;
        });
      const library = hasLibraries ? shown(2) : new Uint32Array(0);
      return withStep(spec, { step: 'quality', units, detected: shown(0), missing: shown(1), library });
    },
  };
}

function qualityOf(view: UnitsView, cells: number, hasLibraries: boolean): Float64Array {
  const { n, genes, values } = view;
  const sums = new Float64Array(1 + (hasLibraries ? 3 : 2) * cells);
  sums[0] = n;
  const count = (which: number, place: number): void =>
    add(sums, 1 + which * cells + Math.min(cells - 1, Math.max(0, Math.floor(place * cells))), 1);
  for (let unit = 0; unit < n; unit++) {
    let [library, detected, missing] = [0, 0, 0];
    for (let gene = 0; gene < genes; gene++) {
      const value = values[unit * genes + gene] ?? NaN;
      if (Number.isNaN(value)) missing += 1;
      else if (value !== 0) detected += 1;
      if (value > 0) library += value;
    }
    count(0, detected / genes);
    count(1, missing / genes);
    if (hasLibraries)
      count(2, (Math.log10(Math.max(1, library)) - LIBRARY.from) / (LIBRARY.to - LIBRARY.from));
  }
  return sums;
}
