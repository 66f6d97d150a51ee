export { RunsService, type RunsContext } from './runs.service.js';
export { LogIntake, type IntakeListener } from './log-intake.js';
export { RunDriver, wireStateOf } from './run-driver.js';
export { RunEvents, type RunEvent } from './run-events.js';
export { coverageOf, type Coverage, type RunOutcome } from './run-outcome.js';
export { contractOfDocument } from './contract.js';
