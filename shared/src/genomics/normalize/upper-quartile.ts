import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UpperQuartileFit } from './upper-quartile-fit.js';
import { upperQuartileOf } from '../voom/expression.js';
import type { UnitsView } from '../view.js';

/** ln of a library of counts below 2⁶³; of its upper quartile as a share, above the inverse of that. */
const LARGEST_LOG = 44;

/**
 * Upper-quartile normalisation (P10) in one round. A unit whose upper quartile is 0 raises the masked fault.
 *
 * @see Bullard et al. 2010; edgeR 3.40 `calcNormFactors`, method upperquartile
 */
export function upperQuartileStep({ fractionBits }: StatisticsOptions): StatisticsStep {
  return {
    id: 'upper-quartile-scale',
    what: 'number of units and the sums of the logarithms of their upper quartiles and of their libraries',
    fractionBits,
    length: () => 3,
    bound: (weightCap) => weightCap * LARGEST_LOG,
    local: (view, { keptGenes }) => {
      const sums = Float64Array.of(view.n, 0, 0);
      for (let unit = 0; unit < view.n; unit++) {
        const { library, share } = upperQuartileOf(view, unit, keptGenes);
        add(sums, 1, Math.log(share));
        add(sums, 2, Math.log(library));
      }
      return sums;
    },
    fit: (spec, sums) => {
      const units = verifiedUnits(spec, sums);
      return withStep(spec, {
        step: 'upper-quartile',
        libraryGenes: spec.keptGenes,
        logQuartile: (sums[1] ?? 0) / units,
        logLibrary: (sums[2] ?? 0) / units,
      });
    },
  };
}

/** What the counts of a unit are divided by. */
export function upperQuartileFactorOf(view: UnitsView, unit: number, fitted: UpperQuartileFit): number {
  const { library, share } = upperQuartileOf(view, unit, fitted.libraryGenes);
  return (library * share) / Math.exp(fitted.logQuartile + fitted.logLibrary);
}
