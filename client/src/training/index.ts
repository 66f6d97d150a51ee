export type {
  ArmData,
  Beat,
  EvaluateJob,
  EvaluateResult,
  OptimizerOptions,
  TrainJob,
  TrainResult,
} from './job.js';
export type { BackendName, BackendRecord } from './backends/backend.js';
export type { BackendChoice } from './backends/chain.js';
export { findBlas } from './backends/find-blas.js';
export { Trainer, type TrainerStart } from './trainer.js';
