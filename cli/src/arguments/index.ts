export { backendOption } from './backend-option.js';
export { realNumber } from './real-number.js';
export { wholeNumber } from './whole-number.js';
