export { step } from './step.js';
export { nextDeadline } from './phases.js';
export {
  newRound,
  answerPhases,
  stageOfPhase,
  type AnswerPhase,
  type Phase,
  type RoundEffect,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  type Transition,
} from './state.js';
