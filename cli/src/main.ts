import { explainError } from '@regulon/shared/errors';
import { processContext, runProgram } from './commands/index.js';
import { endWhenReaderLeaves, Exit } from './output/index.js';

endWhenReaderLeaves();
runProgram(process.argv.slice(2), processContext()).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${explainError(error)}\n`);
    process.exitCode = Exit.internal;
  },
);
