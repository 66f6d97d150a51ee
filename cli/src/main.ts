import { explainError } from '@regulon/shared/errors';
import { processContext, runProgram } from './commands/index.js';
import { Exit } from './output/index.js';

runProgram(process.argv.slice(2), processContext()).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${explainError(error)}\n`);
    process.exitCode = Exit.internal;
  },
);
