import type { WeightSpec } from '../models/index.js';
import type { Plan } from '../plan/index.js';
import type { SummedExtras } from './extras.js';
import { headRanges } from './head-blocks.js';
import { ownedRanges } from './owned-blocks.js';
import { quantumOf } from './quantum.js';
import type { FedAvgTerms } from './server-step.js';

/** What the server step of a training round depends on. @param extras sums over the survivors */
export function stepTermsOf(
  plan: Plan,
  specs: readonly WeightSpec[],
  extras: Readonly<SummedExtras>,
): FedAvgTerms {
  const owned = [...ownedRanges(specs), ...headRanges(plan, specs, extras)].sort((a, b) => a.from - b.from);
  return { weight: extras.weight, Q: quantumOf(plan), C: plan.secureAggregation.clipNorm, owned };
}
