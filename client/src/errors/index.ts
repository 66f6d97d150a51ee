export { namedError } from './named-error.js';
export { tellError } from './tell-error.js';
