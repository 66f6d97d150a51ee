import { parseArgs } from 'node:util';
import { explainError, isRegulonError, RegulonError } from '@regulon/shared/errors';
import { tuneHeapForStreams } from '@regulon/shared/heap';
import { startCoordinator } from './app/index.js';
import { readSettings } from './config/index.js';

tuneHeapForStreams('latency');

const USAGE = 'usage: node coordinator/dist/main.js --config FILE';

/** `coordinator --config FILE`: prints one JSON line when it is ready, runs until SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const { config } = readArguments();
  const running = await startCoordinator(readSettings(config));
  const { control, bulk, http } = running;
  process.stdout.write(`${JSON.stringify({ ready: true, control, bulk, http })}\n`);
  const stop = (): void => {
    running.close().then(
      () => process.exit(0),
      () => process.exit(5),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function readArguments(): { config: string } {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    if (values.config !== undefined) return { config: values.config };
  } catch (cause) {
    throw new RegulonError('E_ARGUMENT', 'the arguments cannot be read', { cause, hint: USAGE });
  }
  throw new RegulonError('E_ARGUMENT', '--config is missing', { hint: USAGE });
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainError(error)}\n`);
  process.exit(isRegulonError(error) ? error.exitCode : 5);
});
