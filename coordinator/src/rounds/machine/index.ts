export { isOpen, step } from './step.js';
export { nextDeadline } from './phases.js';
export { reopenable } from './burnt.js';
export { invited, isStruckOut, mayUpload, uploaders } from './cohort.js';
export {
  newRound,
  answerPhases,
  stageOfPhase,
  type AnswerPhase,
  type Burnt,
  type Phase,
  type RoundEffect,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  type Transition,
} from './state.js';
