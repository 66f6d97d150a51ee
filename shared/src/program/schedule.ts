import { hasRecords, isPrepared, type Plan } from '../plan/index.js';
import {
  countedTargets,
  covariateColumns,
  emptySpecification,
  type FeatureSpecification,
  FOLDS,
  type LinearBaseline,
  statisticsSteps,
  type StatisticsStep,
  verifyDesign,
  withoutSums,
} from '../genomics/index.js';
import type { RunContract } from './contract.js';

/** What a round is for; the numbers stand in the manifest. */
export const Purpose = { train: 0, statistics: 1, evaluation: 2 } as const;
/** Number of a purpose in the manifest. */
export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** One model that is trained: who contributes, and what is kept for its test. */
export interface Arm {
  /** from 0 */
  readonly index: number;
  /** `all`, `fold-<k>` or `without-<site>` */
  readonly label: string;
  /** roster id of the site that is held out, or null */
  readonly heldOutSite: number | null;
  /** fold 0–4 that is held out inside each site, or null */
  readonly heldOutFold: number | null;
  /** fold 0–4 of each site that neither trains nor tests: its validation rounds score it; null without them */
  readonly validationFold: number | null;
  /** whether some units test the model of this arm */
  readonly evaluated: boolean;
  /** roster ids that train it */
  readonly contributors: readonly number[];
  /** roster ids that take part with zeros */
  readonly silent: readonly number[];
}

/** One round of a run, as the plan fixes it. */
export interface ScheduledRound {
  /** from 0, over all purposes and arms */
  readonly round: number;
  readonly purpose: Purpose;
  /** id of the statistics step or of the sum of a baseline, `train`, `validate` or `evaluate` */
  readonly stepId: string;
  readonly arm: number;
  /** training round of the arm (also of a validation), or round of the baseline, from 0; else 0 */
  readonly iteration: number;
  /** name of the baseline that a round of purpose `evaluation` fits */
  readonly baseline?: string;
  /** roster ids whose vector enters the sum */
  readonly contributors: readonly number[];
  /** roster ids that mask zeros, so that nobody sees who is left out by dropping */
  readonly silent: readonly number[];
}

/** The arms of a run in their order; site ids in the order of the plan. */
export function armsOf(plan: Plan, siteIds: readonly number[]): Arm[] {
  const everybody = {
    heldOutSite: null,
    heldOutFold: null,
    evaluated: false,
    contributors: siteIds,
    silent: [],
  };
  const arms: Omit<Arm, 'index' | 'validationFold'>[] = [];
  const { split, finalModel, every } = plan.evaluation;
  switch (split) {
    case 'chronological':
      arms.push({ ...everybody, label: 'all', evaluated: true });
      break;
    case 'none':
      arms.push({ ...everybody, label: 'all' });
      break;
    case 'holdout':
      arms.push({ ...everybody, label: 'all', heldOutFold: 0, evaluated: true });
      break;
    case 'nested':
      arms.push({ ...everybody, label: 'all', heldOutFold: 0 });
      break;
    case 'det5':
      if (finalModel) arms.push({ ...everybody, label: 'all' });
      for (let fold = 0; fold < FOLDS; fold++)
        arms.push({ ...everybody, label: `fold-${fold}`, heldOutFold: fold, evaluated: true });
      break;
    case 'leave-site-out':
      if (finalModel) arms.push({ ...everybody, label: 'all' });
      siteIds.forEach((id, i) => {
        const contributors = siteIds.filter((other) => other !== id);
        arms.push({
          label: `without-${plan.sites[i]}`,
          heldOutSite: id,
          heldOutFold: null,
          evaluated: true,
          contributors,
          silent: [id],
        });
      });
      break;
  }
  const validationFold = (heldOut: number | null): number | null =>
    every === undefined ? null : ((heldOut ?? FOLDS - 1) + 1) % FOLDS;
  return arms.map((arm, index) => ({ ...arm, index, validationFold: validationFold(arm.heldOutFold) }));
}

/** Whether the preparation is fitted in the first arm, on all units, and serves every arm (transductive). */
export const fitsOnce = ({ evaluation }: Plan): boolean => evaluation.preparation === 'once';

/** The statistics steps of every arm, in order. */
export function preparationOf(contract: RunContract): StatisticsStep[] {
  const { plan } = contract;
  // a plan that claims privacy has no steps with sums
  if (!isPrepared(plan.dataset.kind) || plan.privacy) return [];
  verifyDesign(plan);
  return statisticsSteps(plan.prepare, {
    genes: contract.panel.size,
    classes: plan.label?.classes.length ?? 0,
    weightCap: plan.secureAggregation.weightCap,
    fractionBits: plan.secureAggregation.fractionBits,
    uMin: contract.thresholds.uMin,
    sites: contract.sites.length,
    scale: plan.dataset.scale,
    hasRecords: hasRecords(plan.dataset.unit),
    covariates: covariateColumns(plan.design),
    hasFolds: plan.evaluation.split === 'det5' || plan.evaluation.every !== undefined,
    hasGaps: plan.dataset.kind === 'omics',
    hasHoldout: plan.evaluation.split === 'holdout',
    targets: countedTargets(plan),
    isPublic: contract.isPublic,
  });
}

/** Specification of an arm before its first round: nothing fitted, and of a plan with privacy all that it has. */
export function firstSpecification({ plan, panel }: RunContract): FeatureSpecification {
  const empty = emptySpecification({ panelDigest: panel.digest, genes: panel.size });
  return plan.privacy ? withoutSums(empty, plan.prepare, plan.dataset.scale) : empty;
}

/** stepId of the rounds that score a model between its training rounds. */
const VALIDATE = 'validate';

/** Whether a round scores the model of an arm between its training rounds. */
export const isValidation = ({ stepId }: Pick<ScheduledRound, 'stepId'>): boolean => stepId === VALIDATE;

/** Whether the model of an arm is scored after a training round. @param iteration from 0 */
const isValidatedAfter = (iteration: number, { training, evaluation: { every } }: Plan): boolean =>
  every !== undefined && ((iteration + 1) % every === 0 || iteration + 1 === training.rounds);

/**
 * Every round of a run, unless early stopping saves some: per arm its statistics and its training with its validation,
 * then the baselines, then one evaluation of all arms.
 */
export function scheduleOf(
  contract: RunContract,
  arms: readonly Arm[],
  steps: readonly StatisticsStep[],
  baselines: readonly LinearBaseline[] = [],
): ScheduledRound[] {
  const rounds: Omit<ScheduledRound, 'round'>[] = [];
  for (const arm of arms) {
    const cohort = { arm: arm.index, contributors: arm.contributors, silent: arm.silent };
    const isFitted = arm.index > 0 && fitsOnce(contract.plan);
    (isFitted ? [] : steps).forEach((step) =>
      rounds.push({ ...cohort, purpose: Purpose.statistics, stepId: step.id, iteration: 0 }),
    );
    for (let iteration = 0; iteration < contract.plan.training.rounds; iteration++) {
      rounds.push({ ...cohort, purpose: Purpose.train, stepId: 'train', iteration });
      if (isValidatedAfter(iteration, contract.plan))
        rounds.push({ ...cohort, purpose: Purpose.evaluation, stepId: VALIDATE, iteration });
    }
  }
  for (const arm of arms.filter(({ evaluated }) => evaluated)) {
    const cohort = { arm: arm.index, contributors: arm.contributors, silent: arm.silent };
    for (const { name, rounds: sums } of baselines)
      sums.forEach(({ id }, iteration) =>
        rounds.push({ ...cohort, purpose: Purpose.evaluation, stepId: id, iteration, baseline: name }),
      );
  }
  if (arms.some((arm) => arm.evaluated)) {
    const contributors = contract.sites.map((s) => s.id);
    rounds.push({
      purpose: Purpose.evaluation,
      stepId: 'evaluate',
      arm: 0,
      iteration: 0,
      contributors,
      silent: [],
    });
  }
  return rounds.map((round, i) => ({ round: i, ...round }));
}
