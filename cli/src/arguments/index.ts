export { backendOption } from './backend-option.js';
export { type TrainerOptions, trainerOf, trains } from './trainer-options.js';
export { realNumber } from './real-number.js';
export { wholeNumber } from './whole-number.js';
