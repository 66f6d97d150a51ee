export { runProgram } from './program.js';
export { processContext, type Context } from './context.js';
