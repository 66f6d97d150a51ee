export type { ArmData, EvaluateJob, EvaluateResult, TrainJob, TrainResult } from './job.js';
export type { BackendChoice } from './backends/chain.js';
export { Trainer } from './trainer.js';
