import { RegulonError } from '../errors/index.js';
import type { PrepareStep } from '../plan/index.js';
import { countsStep } from './counts-step.js';
import { filterByExpressionSteps } from './filter-by-expression.js';
import { momentSteps } from './moments.js';
import { logCpm, topVariance, zScore } from './selection.js';
import type { FeatureSpecification } from './specification.js';
import { type StatisticsOptions, type StatisticsStep, verifySum } from './statistics-step.js';

/** A step that follows from sums already known. */
type LocalStep = (spec: FeatureSpecification) => FeatureSpecification;

/** Largest prepared value: log2(10⁶ + 1) is below 20; a log-ratio beyond 64 is no measurement. */
const LARGEST = { 'log2-cpm': 20, 'log-ratio': 64 } as const;

type Stage = 'counts' | 'log2-cpm' | 'log-ratio' | 'z-score';

/**
 * The statistics rounds of a preparation, in order; a static list, the same at every party.
 *
 * @param prepare steps of the plan, in their order
 * @throws E_PLAN naming the step that does not fit what stands before it
 * @throws E_POLICY for filter-by-expression in a run that is not public (it needs exact order statistics)
 */
export function statisticsSteps(
  prepare: readonly PrepareStep[],
  options: StatisticsOptions,
): StatisticsStep[] {
  const builder = new Builder(options);
  prepare.forEach((step, i) => builder.add(step, i));
  return builder.steps();
}

class Builder {
  private readonly rounds: { step: StatisticsStep; after: LocalStep[] }[];
  private stage: Stage;
  private momentsKnown = false;

  constructor(private readonly options: StatisticsOptions) {
    this.rounds = [{ step: countsStep(options), after: [] }];
    this.stage = options.scale ?? 'counts';
  }

  add(step: PrepareStep, index: number): void {
    const refuse = (rule: string): never => {
      throw new RegulonError('E_PLAN', `plan: prepare[${index}]: ${step.step} ${rule}`);
    };
    switch (step.step) {
      case 'filter-by-expression':
        if (this.stage !== 'counts') refuse('needs counts, so it stands before log2-cpm');
        if (!this.options.isPublic) {
          throw new RegulonError(
            'E_POLICY',
            `plan: prepare[${index}]: ${step.step} needs exact order statistics, which only a public run may release`,
          );
        }
        if (this.rounds.length > 1) refuse('stands twice');
        filterByExpressionSteps(step, this.options).forEach((round) => this.round(round));
        break;
      case 'log2-cpm':
        if (this.stage !== 'counts') refuse('needs counts');
        this.local(logCpm);
        this.stage = 'log2-cpm';
        break;
      case 'top-variance':
        if (this.stage === 'z-score') refuse('selects before scaling, so it stands before z-score');
        this.moments(refuse);
        this.local((spec) => topVariance(spec, step.k));
        break;
      case 'z-score':
        if (this.stage === 'z-score') refuse('stands twice');
        this.moments(refuse);
        this.local(zScore);
        this.stage = 'z-score';
        break;
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

  private moments(refuse: (rule: string) => never): void {
    if (this.momentsKnown) return;
    if (this.stage === 'counts' || this.stage === 'z-score')
      return refuse('of raw counts: put log2-cpm before it');
    momentSteps(LARGEST[this.stage], this.options).forEach((round) => this.round(round));
    this.momentsKnown = true;
  }

  private round(step: StatisticsStep): void {
    this.rounds.push({ step, after: [] });
  }

  private local(step: LocalStep): void {
    this.rounds.at(-1)?.after.push(step);
  }
}
