export type {
  ArmData,
  AttributeJob,
  AttributeResult,
  AttributionMethod,
  EvaluateJob,
  EvaluateResult,
  PredictJob,
  PredictResult,
  TrainJob,
  TrainResult,
} from './job.js';
export type { BackendChoice } from './backends/chain.js';
export { Trainer } from './trainer.js';
