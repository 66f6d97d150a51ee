export type { ArmData, EvaluateJob, EvaluateResult, TrainJob, TrainResult } from './job.js';
export { Trainer } from './trainer.js';
