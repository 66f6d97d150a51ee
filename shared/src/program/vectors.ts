import type { FeatureSpecification, StatisticsStep } from '../genomics/index.js';
import { parameterCount, type WeightSpec } from '../models/index.js';
import type { BaselineFits } from './baselines.js';
import type { RunContract } from './contract.js';
import { evaluationLength } from './evaluation.js';
import { isValidation, Purpose, type ScheduledRound } from './schedule.js';
import { validationLength } from './validation-sums.js';

const EVALUATION_FRACTION_BITS = 24;

/** What the vector of a round follows from, as `RunProgram` has it. */
interface Program {
  readonly contract: RunContract;
  readonly baselines: BaselineFits;
  step(round: ScheduledRound): StatisticsStep;
  specification(arm: number): FeatureSpecification;
  weightSpecs(arm: number): readonly WeightSpec[];
}

/** d: coordinates of the round's vector, extras not counted. */
export function vectorLengthOf(program: Program, round: ScheduledRound): number {
  const { contract, baselines } = program;
  switch (round.purpose) {
    case Purpose.train:
      return parameterCount(program.weightSpecs(round.arm));
    case Purpose.statistics:
      return program.step(round).length(program.specification(round.arm));
    case Purpose.evaluation:
      if (isValidation(round)) return validationLength(contract);
      return baselines.sum(round)?.length(baselines.fit(round)) ?? evaluationLength(contract);
  }
}

/** 0 for training, else the fraction bits of the fixed-point statistics. */
export function fractionBitsOf(program: Program, round: ScheduledRound): number {
  if (round.purpose === Purpose.train) return 0;
  if (round.purpose === Purpose.statistics) return program.step(round).fractionBits;
  return program.baselines.sum(round)?.fractionBits ?? EVALUATION_FRACTION_BITS;
}

/** Bound B of |value| of one site and coordinate in a statistics or evaluation round: N·B·2^f stays below 2⁶³. */
export function boundOf(program: Program, round: ScheduledRound): number {
  const { plan, sites } = program.contract;
  const { weightCap } = plan.secureAggregation;
  if (round.purpose === Purpose.statistics) return program.step(round).bound(weightCap);
  const sum = program.baselines.sum(round);
  if (sum) return sum.bound(weightCap);
  return 2 ** (62 - EVALUATION_FRACTION_BITS - Math.ceil(Math.log2(sites.length)));
}
