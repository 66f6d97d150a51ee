export {
  addedHeads,
  type HeadMetrics,
  headMetricsOf,
  headShapesOf,
  type HeadSums,
  mainScoreOf,
} from './head-evaluation.js';
export type { ClassMetrics } from './class-metrics.js';
export { contractOf, runName, parseRunName, type RunContract } from './contract.js';
export { quorumRuleOf, rosterViewOf } from './roster-view.js';
export { armsOf, isValidation, Purpose, type Arm, type ScheduledRound } from './schedule.js';
export { fedAvgStep, type FedAvgTerms } from './server-step.js';
export { robustStep, type RobustTerms } from './robust-step.js';
export { type CheckedStep, type MeasuredSums, serverStepOf } from './checked-step.js';
export {
  outlyingTiles,
  profileOf,
  TILE_WORDS,
  TileEnergies,
  type TileTest,
  tileTestOf,
} from './tile-test.js';
export { ceilingOf, ceilingOfRound, type CeilingTerms } from './sum-ceiling.js';
export type { StepTerms, TrainingSums } from './step-terms.js';
export {
  type OwnedBlock,
  ownedBlocks,
  type OwnedRange,
  ownedRanges,
  type ThinBlock,
  thinBlock,
  verifyOwnersEnough,
} from './owned-blocks.js';
export { encodeExtras, decodeExtras, headExtrasOf, type HeadTraining, weightOf } from './extras.js';
export {
  encodeEvaluation,
  evaluationLength,
  scoreShapeOf,
  type BaselineScores,
  type SiteScore,
  type Metrics,
  type RunResult,
} from './evaluation.js';
export type { CurvePoint } from './learning-curve.js';
export { figuresOf, type ValidationPoint } from './validation-point.js';
export { encodeValidation } from './validation-sums.js';
export { modelFrameOf, seriesChannels } from './model-frame.js';
export { RunProgram } from './program.js';
export type { ClosingRound, RoundOutcome } from './round-outcome.js';
export { quantumOf } from './quantum.js';
export {
  costOfRun,
  COUNT_NOISE,
  privacyClaim,
  type PrivacyClaim,
  STEP_SAMPLER,
  trainingEvent,
} from './patient-privacy.js';
export { costByRounds, noiseOfPlan, type RoundCost } from './privacy-planning.js';
export { encodeContractFile, decodeContractFile, type ContractFile } from './contract-file.js';
export type { BaselineModel } from './baselines.js';
