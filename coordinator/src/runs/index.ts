export { RunsService, type RunsContext } from './runs.service.js';
export { LogIntake, type IntakeListener } from './log-intake.js';
export { RunDriver, wireStateOf } from './run-driver.js';
export { RunEvents } from './run-events.js';
export { coverageOf, type RunOutcome } from './run-outcome.js';
export { contractOfDocument } from './contract.js';
export { RunViews, type ViewContext } from './run-views.js';
export type * from './documents.js';
