export type {
  ArmData,
  AttributeJob,
  AttributeResult,
  AttributionMethod,
  Beat,
  EvaluateJob,
  EvaluateResult,
  ModelJob,
  PredictJob,
  PredictResult,
  TrainJob,
  TrainResult,
} from './job.js';
export type { BackendRecord } from './backends/backend.js';
export { type BackendChoice, CANDIDATES, isThere } from './backends/candidates.js';
export { Trainer, type TrainerStart } from './trainer.js';
export { readFloat32, writeFloat32 } from './files.js';
export { modelFilePaths } from './model-files.js';
export {
  digestOfFile,
  type InstalledRecord,
  isIntact,
  RECORD_FILE,
  recordIn,
  versionFolders,
} from './backends/installed-files.js';
export { TENSORFLOW_SHIM } from './tensorflow-environment.js';
