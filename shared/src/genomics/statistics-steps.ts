import { RegulonError } from '../errors/index.js';
import type { DatasetScale, PrepareStep } from '../plan/index.js';
import { batchRounds } from './batch/batch-rounds.js';
import { batchShareSteps } from './batch-share/batch-share-steps.js';
import { coExpressionStep } from './co-expression.js';
import { confoundingRound } from './confounding/confounding-round.js';
import { countsStep } from './counts-step.js';
import { foldsStep } from './folds-step.js';
import { filterByExpressionSteps } from './filter-by-expression.js';
import { imputeLowRankSteps } from './impute/low-rank.js';
import { imputeMeanStep } from './impute/mean.js';
import { imputeNeighboursSteps } from './impute/neighbours.js';
import { momentSteps } from './moments.js';
import { cellQuantileSteps } from './normalize/cell-quantiles.js';
import { byGeneLength } from './normalize/gene-lengths.js';
import { quantileStep } from './normalize/quantile-normalization.js';
import { upperQuartileStep } from './normalize/upper-quartile.js';
import { sizeFactorSteps } from './normalize/size-factors.js';
import { maskedMomentSteps } from './omics/masked-moments.js';
import { pcaSteps } from './pca/pca-rounds.js';
import { misplaced } from './preparation-order.js';
import { qualityStep } from './quality/quality-round.js';
import { geneList, logCpm, topVariance, zScore } from './selection.js';
import { type FeatureSpecification, withStep } from './specification.js';
import { type StatisticsOptions, type StatisticsStep, verifySum } from './statistics-step.js';
import { targetsStep } from './targets/targets-step.js';
import { voomSteps } from './voom/voom-steps.js';
import { vstSteps } from './vst/vst-rounds.js';

/** A step that follows from sums already known. */
type LocalStep = (spec: FeatureSpecification) => FeatureSpecification;

/** Largest prepared value: log2(10⁶ + 1) is below 20; a logarithm or log-ratio beyond 64 is no measurement. */
const LARGEST_LOG_CPM = 20;
const LARGEST = 64;

/**
 * The statistics rounds of a preparation, in order; a static list, the same at every party.
 *
 * @param prepare steps of the plan, in their order
 * @throws E_PLAN naming the step that does not fit what stands before it
 */
export function statisticsSteps(
  prepare: readonly PrepareStep[],
  options: StatisticsOptions,
): StatisticsStep[] {
  const builder = new Builder(options);
  verifyOrder(prepare, options.scale);
  prepare.forEach((step, i) => builder.add(step, i));
  return builder.steps();
}

/**
 * A preparation that looks at one unit at a time, without any round.
 *
 * @throws E_PLAN naming a step that needs a sum, or does not fit what stands before it
 */
export function withoutSums(
  first: FeatureSpecification,
  prepare: readonly PrepareStep[],
  scale?: DatasetScale,
): FeatureSpecification {
  verifyOrder(prepare, scale);
  return prepare.reduce((spec, step, i) => {
    if (step.step === 'log2-cpm') return logCpm(spec);
    if (step.step === 'gene-list') return geneList(spec, step.genes);
    if (step.step === 'log2' || step.step === 'clr')
      return withStep(spec, { step: step.step, pseudocount: step.pseudocount });
    throw new RegulonError('E_PLAN', `plan: prepare[${i}]: ${step.step} needs a sum over the sites`);
  }, first);
}

function verifyOrder(prepare: readonly PrepareStep[], scale: DatasetScale = 'counts'): void {
  prepare.forEach((step, i) => {
    const before = prepare.slice(0, i).map((earlier) => earlier.step);
    const rule = misplaced(step.step, before, scale);
    if (rule) throw new RegulonError('E_PLAN', `plan: prepare[${i}]: ${step.step} ${rule}`);
  });
}

class Builder {
  private readonly rounds: { step: StatisticsStep; after: LocalStep[] }[];
  private largest = LARGEST;
  private momentsKnown = false;
  private batchShares = 0;

  constructor(private readonly options: StatisticsOptions) {
    const hasParts = options.hasFolds || options.hasHoldout;
    const apart = hasParts && !options.isPublic ? [foldsStep(options)] : [];
    const { targets = [] } = options;
    const heads = targets.length > 0 ? [targetsStep(targets, options)] : [];
    this.rounds = [...apart, ...heads, countsStep(options)].map((step) => ({ step, after: [] }));
  }

  add(step: PrepareStep, index: number): void {
    const { options, largest } = this;
    switch (step.step) {
      case 'confounding':
        return this.addRounds([confoundingRound(options)]);
      case 'quality':
        return this.addRounds([qualityStep(options)]);
      case 'filter-by-expression':
        return this.addRounds(filterByExpressionSteps(step, options));
      case 'limma-voom': {
        const { contrast } = step;
        if (contrast.length !== step.covariates.length || contrast.every((x) => x === 0))
          throw new RegulonError(
            'E_PLAN',
            `plan: prepare[${index}]: contrast has one number a covariate, not all 0`,
          );
        return this.addRounds(voomSteps(this.columnsOf(step.covariates, index), contrast, options));
      }
      case 'gene-list':
        return this.local((spec) => geneList(spec, step.genes));
      case 'size-factors':
        return this.addRounds(sizeFactorSteps(step.method, options));
      case 'upper-quartile':
        return this.addRounds([upperQuartileStep(options)]);
      case 'log2-cpm':
        this.largest = LARGEST_LOG_CPM;
        return this.local(logCpm);
      case 'log2-tpm':
      case 'log2-fpkm':
        return this.local((spec) => byGeneLength(spec, step.step, step.lengths));
      case 'log2':
      case 'clr':
        return this.local((spec) => withStep(spec, { step: step.step, pseudocount: step.pseudocount }));
      case 'vst':
        return this.addRounds(vstSteps(step.iterations, options));
      case 'batch-share':
        return this.addRounds(batchShareSteps(this.batchShares++, largest, options));
      case 'quantile-normalize':
        return this.addRounds([quantileStep(largest, options)]);
      case 'batch-center':
      case 'batch-z-score':
        this.largest = LARGEST;
        return this.local((spec) => withStep(spec, { step: step.step, ...WITHOUT_MODEL }));
      case 'remove-batch-effect':
      case 'combat': {
        this.largest = LARGEST;
        const covariates = this.columnsOf(step.covariates, index);
        const meanOnly = step.step === 'combat' && step.meanOnly;
        return this.addRounds(batchRounds({ step: step.step, covariates, meanOnly, largest }, options));
      }
      case 'impute-mean':
        return this.addRounds([imputeMeanStep(largest, options)]);
      case 'impute-neighbours':
        return this.addRounds(imputeNeighboursSteps(step.neighbours, largest, options));
      case 'impute-low-rank':
        return this.addRounds(imputeLowRankSteps(step, largest, options));
      case 'top-variance':
        this.moments();
        return this.local((spec) => topVariance(spec, step.k));
      case 'z-score':
        this.moments();
        this.largest = LARGEST;
        return this.local(zScore);
      case 'min-max':
      case 'robust-scale':
        this.moments();
        this.largest = LARGEST;
        return this.addRounds(cellQuantileSteps(step, options));
      case 'pca':
        return this.addRounds(pcaSteps(step, largest, options));
      case 'co-expression':
        return this.addRounds([coExpressionStep(step.neighbours, largest, options)]);
    }
  }

  steps(): StatisticsStep[] {
    return this.rounds.map(({ step, after }) => ({
      ...step,
      fit: (spec, sums, contributors) => {
        verifySum(step, spec, sums);
        return after.reduce((fitted, local) => local(fitted), step.fit(spec, sums, contributors));
      },
    }));
  }

  /** Positions of named covariates in the plan's design. */
  private columnsOf(names: readonly string[], index: number): number[] {
    const known = this.options.covariates ?? [];
    return names.map((name) => {
      const at = known.findIndex((column) => column.name === name);
      if (at < 0)
        throw new RegulonError('E_PLAN', `plan: prepare[${index}]: the design has no covariate ${name}`);
      return at;
    });
  }

  private moments(): void {
    if (this.momentsKnown) return;
    const steps = this.options.hasGaps ? maskedMomentSteps : momentSteps;
    this.addRounds(steps(this.largest, this.options));
    this.momentsKnown = true;
  }

  private addRounds(steps: readonly StatisticsStep[]): void {
    this.rounds.push(...steps.map((step) => ({ step, after: [] })));
  }

  private local(step: LocalStep): void {
    this.rounds.at(-1)?.after.push(step);
  }
}

/** A batch step that needs no sum: each site centres or scales its own batches. */
const WITHOUT_MODEL = {
  covariates: new Uint32Array(0),
  beta: new Float64Array(0),
  intercept: new Float64Array(0),
  variance: new Float64Array(0),
  adjusted: new Uint32Array(0),
  meanOnly: false,
};
