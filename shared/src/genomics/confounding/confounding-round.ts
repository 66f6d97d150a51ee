import { RegulonError } from '../../errors/index.js';
import { batchesOf } from '../batch/batches.js';
import { verifiedUnits } from '../cohort.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';

/** Finer digits of a ratio of counts would tell the counts (rounds.md §4). */
const FRACTION_BITS = 10;

/**
 * Labels against batches without their table: class totals are known from the count round, and each site adds one number,
 * Σ O²/(R·C) over its batches and classes, and how often the majority of the other units of a batch is right.
 */
export function confoundingRound({ classes }: StatisticsOptions): StatisticsStep {
  if (classes < 2) throw new RegulonError('E_PLAN', 'plan: prepare: confounding needs a label with classes');
  return {
    id: 'confounding',
    what: 'number of units and batches, of pairs of batch and class without a unit, one sum of squares over all batches and classes, and how often the majority of a batch is right',
    fractionBits: FRACTION_BITS,
    length: () => 5,
    bound: (weightCap) => weightCap * classes,
    local: sumsOf,
    fit: (spec, sums) => {
      const whole = (at: number): number => Math.round(sums[at] ?? 0);
      return withStep(spec, {
        step: 'confounding',
        units: verifiedUnits(spec, sums),
        classUnits: requireStep(spec, 'counts').classUnits,
        groups: whole(1),
        absent: whole(2),
        squares: sums[3] ?? 0,
        hits: whole(4),
      });
    },
  };
}

function sumsOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const totals = requireStep(spec, 'counts').classUnits;
  const batches = batchesOf(view);
  let [absent, squares, hits] = [0, 0, 0];
  for (const { units } of batches) {
    const counts = new Array<number>(totals.length).fill(0);
    for (const unit of units) {
      const label = view.labels?.[unit] ?? 0;
      counts[label] = (counts[label] ?? 0) + 1;
    }
    counts.forEach((count, label) => {
      if (count === 0 && (totals[label] ?? 0) > 0) absent++;
      if (count > 0) squares += count ** 2 / (units.length * (totals[label] ?? 1));
      if (count > 0 && isMajorityOfOthers(counts, label)) hits += count;
    });
  }
  return Float64Array.of(view.n, batches.length, absent, squares, hits);
}

/** Whether a class is the largest of a batch also without one of its units; the first of equals counts. */
function isMajorityOfOthers(counts: readonly number[], label: number): boolean {
  const others = counts.map((count, at) => count - (at === label ? 1 : 0));
  return others.indexOf(Math.max(...others)) === label && (others[label] ?? 0) > 0;
}
