import type { WeightSpec } from '../models/index.js';
import { combinationOf } from '../plan/index.js';
import type { RunContract } from './contract.js';
import type { SummedExtras } from './extras.js';
import { headRanges } from './head-blocks.js';
import { ownedRanges } from './owned-blocks.js';
import type { RobustTerms } from './robust-step.js';
import type { FedAvgTerms } from './server-step.js';
import { ceilingOfRound, scaleOf } from './sum-ceiling.js';
import { type TileTest, tileTestOf } from './tile-test.js';

/** What the mean of all sites depends on. */
export interface MeanTerms extends FedAvgTerms {
  readonly rule: 'mean';
  /** longest sum of honest sites, L2, in the unit of the weights */
  readonly ceiling: number;
  /** what the tiles of the sum are held against; absent where the plan does not ask */
  readonly tiles?: TileTest | undefined;
}

/** What the server step of a training round depends on; plain data, so that a worker can be given it. */
export type StepTerms = MeanTerms | RobustTerms;

/** The extras of a training round, and how many uploads they are the sum of. */
export interface TrainingSums {
  /** over all survivors */
  readonly all: Readonly<SummedExtras>;
  /** with a robust rule: over those of each group */
  readonly groups: readonly Readonly<SummedExtras>[];
  /** |U3| */
  readonly survivors: number;
}

/**
 * What the server step of a training round depends on.
 *
 * @param specs weights that travel
 * @param earlier energies of the tiles of the arm's closed rounds
 */
export function stepTermsOf(
  contract: RunContract,
  specs: readonly WeightSpec[],
  { all, groups, survivors }: TrainingSums,
  earlier: readonly (readonly number[])[],
): StepTerms {
  const { plan } = contract;
  const { rule, trim } = combinationOf(plan);
  const { tileFactor } = plan.secureAggregation;
  const sites = plan.sites.length;
  const shared = { ...scaleOf(plan), tiles: tileTestOf({ tileFactor, sites }, earlier) };
  if (rule !== 'mean') return { rule, trim, weights: groups.map(({ weight }) => weight), sites, ...shared };
  const owned = [...ownedRanges(specs), ...headRanges(plan, specs, all)].sort((a, b) => a.from - b.from);
  const d = specs.reduce((total, { size }) => total + size, 0);
  const ceiling = ceilingOfRound(contract, { survivors, d });
  return { rule, weight: all.weight, owned, ceiling, ...shared };
}
