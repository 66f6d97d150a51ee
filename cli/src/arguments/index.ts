export { backendOption } from './backend-option.js';
export { wholeNumber } from './whole-number.js';
