export { RunsService } from './runs.service.js';
export type { RunsContext } from './runs-context.js';
export { LogIntake, type IntakeListener } from './log-intake.js';
export { RunDriver, wireStateOf } from './run-driver.js';
export { RunEvents } from './run-events.js';
export { coverageOf, type RunOutcome } from './run-outcome.js';
export { contractOfDocument } from './contract.js';
export { RunViews, type ViewContext } from './run-views.js';
export type * from './documents.js';
