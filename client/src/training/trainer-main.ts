/** Entry of the trainer process: starts a backend, says `ready`, then does one job after the other. */
import { isRegulonError, traceOf } from '@regulon/shared/errors';
import { startBackend } from './backends/chain.js';
import { runAttributeJob } from './attribution/run-attribute-job.js';
import type { TrainerOptions, TrainerReport, TrainerRequest, WorkResult } from './messages.js';
import { type JobContext, runEvaluateJob, runTrainJob } from './run-job.js';
import { runPredictJob } from './run-predict-job.js';

const options = JSON.parse(process.argv[2] ?? '{}') as TrainerOptions;

// the daemon is gone: there is nobody to work for
process.on('disconnect', () => process.exit(0));

let queue = start();

async function start(): Promise<Omit<JobContext, 'onBeat'> | undefined> {
  try {
    const { backend, record } = await startBackend(options);
    report({ type: 'ready', record });
    return { backend, ...(options.memoryLimitMb ? { memoryLimitMb: options.memoryLimitMb } : {}) };
  } catch (error) {
    report(failureOf(null, error));
    return undefined;
  }
}

process.on('message', (request: TrainerRequest) => {
  queue = queue.then(async (context) => {
    if (context !== undefined) report(await answer(request, context));
    // while the daemon masks and sends: the next round does not pay for this one's arrays
    globalThis.gc?.();
    return context;
  });
});

async function answer(request: TrainerRequest, context: Omit<JobContext, 'onBeat'>): Promise<TrainerReport> {
  const { id } = request;
  const withBeats: JobContext = { ...context, onBeat: (beat) => report({ type: 'beat', id, beat }) };
  try {
    return { type: 'done', id, result: await resultOf(request, withBeats) };
  } catch (error) {
    return failureOf(id, error);
  }
}

function resultOf(request: TrainerRequest, context: JobContext): Promise<WorkResult> {
  switch (request.type) {
    case 'train':
      return runTrainJob(request.job, context);
    case 'evaluate':
      return runEvaluateJob(request.job, context);
    case 'predict':
      return runPredictJob(request.job, context);
    case 'attribute':
      return runAttributeJob(request.job, context);
  }
}

function failureOf(id: number | null, error: unknown): TrainerReport {
  if (isRegulonError(error)) return { type: 'failed', id, code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const isMemory = /out of memory|OOM|allocation failed|Invalid typed array length/i.test(message);
  // a foreign message may quote what it choked on: only its kind leaves
  const kind = error instanceof Error ? error.name : 'error';
  return isMemory
    ? { type: 'failed', id, code: 'E_TRAINER_OOM', message: 'the trainer could not allocate memory' }
    : {
        ...{ type: 'failed', id, code: 'E_TRAINER_CRASH' },
        ...{ message: `the trainer failed with ${kind}`, trace: traceOf(error) },
      };
}

function report(message: TrainerReport): void {
  process.send?.(message);
}
