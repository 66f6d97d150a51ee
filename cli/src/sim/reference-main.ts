import { explainError, RegulonError } from '@regulon/shared/errors';
import { readJsonFile } from '../files/index.js';
import { exitCodeOf } from '../output/index.js';
import { referenceJobSchema } from './reference/job.js';
import { runReference } from './reference/reference.js';

/** The reference process: one job file in, one JSON line out. Not importable by coordinator or daemon. */
async function main(): Promise<void> {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new RegulonError('E_ARGUMENT', 'reference: needs the path of a job file');
  const job = readJsonFile(path, referenceJobSchema, 'E_ARGUMENT');
  process.stdout.write(`${JSON.stringify(await runReference(job))}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainError(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
