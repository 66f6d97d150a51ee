export { contractOf, runName, parseRunName, type RunContract } from './contract.js';
export { armsOf, Purpose, type Arm, type ScheduledRound } from './schedule.js';
export { fedAvgStep, type ServerStep } from './server-step.js';
export { encodeExtras, decodeExtras, weightOf, WEIGHT_SCALE, type ExtraField } from './extras.js';
export {
  encodeEvaluation,
  decodeEvaluation,
  evaluationLength,
  type SiteScore,
  type Metrics,
  type RunResult,
} from './evaluation.js';
export { RunProgram, type CurvePoint, type RoundOutcome } from './program.js';
export {
  encodeContractFile,
  decodeContractFile,
  MAX_CONTRACT_BYTES,
  type ContractFile,
} from './contract-file.js';
