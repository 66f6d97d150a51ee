import { RegulonError } from '../errors/index.js';
import type { DatasetScale } from '../plan/index.js';
import type { FeatureSpecification } from './specification.js';
import type { SummedRound } from './summed-round.js';
import type { CountedTarget } from './targets/counted-targets.js';
import type { UnitsView } from './view.js';

/** One statistics round of a preparation: from the units of a site to the next feature specification. */
export type StatisticsStep = SummedRound<UnitsView, FeatureSpecification>;

/** A column of the design: what its values are, so that released sums can be checked. */
export interface CovariateColumn {
  readonly name: string;
  /** an indicator is 0 or 1 */
  readonly kind: 'indicator' | 'number';
}

/** What the steps of one plan share. */
export interface StatisticsOptions {
  /** genes of the panel */
  readonly genes: number;
  /** classes of the label; 0 when the task has none */
  readonly classes: number;
  /** largest number of training units of a site */
  readonly weightCap: number;
  /** fraction bits of the plan, 24–40 */
  readonly fractionBits: number;
  /** sites that must be non-zero for a coordinate to be released */
  readonly uMin: number;
  /** sites of the run; default 255. Some sums carry as many fraction bits as fit for them */
  readonly sites?: number;
  /** units that must be non-zero for a coordinate to be released; default 5 */
  readonly minUnits?: number;
  /** a patient may have several units: minima count patients; default false */
  readonly hasRecords?: boolean;
  /** default `counts` */
  readonly scale?: DatasetScale;
  /** columns of each unit that steps with covariates may name, in the order of the plan */
  readonly covariates?: readonly CovariateColumn[];
  /** the folds of det5 are arms of the run, or its validation rounds sum folds; default false */
  readonly hasFolds?: boolean;
  /** values may be missing; default false */
  readonly hasGaps?: boolean;
  /** a fold is held out in the only arm that is scored; default false */
  readonly hasHoldout?: boolean;
  /** what is counted of the targets of several heads; default none */
  readonly targets?: readonly CountedTarget[];
  /** exact order statistics and finer histograms are for public runs only; default false */
  readonly isPublic?: boolean;
}

/** @throws E_MESSAGE when a sum has another length than its step declares, or is not finite */
export function verifySum(step: StatisticsStep, spec: FeatureSpecification, sums: Float64Array): void {
  const expected = step.length(spec);
  if (sums.length !== expected) {
    throw new RegulonError('E_MESSAGE', `${step.id}: ${sums.length} sums instead of ${expected}`);
  }
  const at = sums.findIndex((x) => !Number.isFinite(x));
  if (at >= 0) throw new RegulonError('E_MESSAGE', `${step.id}: sum ${at + 1} is not finite`);
}
