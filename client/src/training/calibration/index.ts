export { CalibratedTrainer } from './calibrated-trainer.js';
export { fastestOf, measureSteps, membersThere } from './calibrate.js';
export { referenceJobs } from './reference-jobs.js';
export type { StepTimes } from './store.js';
export { type ModelTime, timeModel } from './time-model.js';
