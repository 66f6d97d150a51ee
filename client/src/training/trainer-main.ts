/** Entry of the trainer process: starts a backend, says `ready`, then does one job after the other. */
import { isRegulonError, traceOf } from '@regulon/shared/errors';
import { startBackend } from './backends/chain.js';
import { RepeatedSelfTest } from './backends/repeated-self-test.js';
import { tellsOfLostDevice } from './device-error.js';
import { runAttributeJob } from './attribution/run-attribute-job.js';
import { KeptArray } from './kept-array.js';
import type { TrainerOptions, TrainerReport, TrainerRequest, WorkResult } from './messages.js';
import { type JobContext, runEvaluateJob, runTrainJob } from './run-job.js';
import { runMeasureJob } from './run-measure-job.js';
import { runPredictJob } from './run-predict-job.js';

const options = JSON.parse(process.argv[2] ?? '{}') as TrainerOptions;

// the daemon is gone: there is nobody to work for
process.on('disconnect', () => process.exit(0));

let queue = start();

/** What all jobs of this process share. */
interface Started extends Omit<JobContext, 'onBeat'> {
  readonly selfTest: RepeatedSelfTest;
}

async function start(): Promise<Started | undefined> {
  try {
    const { backend, record } = await startBackend(options, (name) => report({ type: 'trying', name }));
    report({ type: 'ready', record });
    const selfTest = new RepeatedSelfTest(backend, record);
    const { memoryLimitMb } = options;
    return { backend, selfTest, kept: new KeptArray(), ...(memoryLimitMb ? { memoryLimitMb } : {}) };
  } catch (error) {
    report(failureOf(null, error));
    return undefined;
  }
}

process.on('message', (request: TrainerRequest) => {
  queue = queue.then(async (context) => {
    if (context !== undefined) report(await answer(request, context));
    // while the daemon masks and sends: the next round does not pay for the units of this one
    globalThis.gc?.();
    return context;
  });
});

async function answer(request: TrainerRequest, context: Started): Promise<TrainerReport> {
  const { id } = request;
  const withBeats: JobContext = { ...context, onBeat: (beat) => report({ type: 'beat', id, beat }) };
  try {
    context.selfTest.check();
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
    case 'measure':
      return runMeasureJob(request.job, context);
  }
}

function failureOf(id: number | null, error: unknown): TrainerReport {
  if (isRegulonError(error)) {
    const { code, message, hint } = error;
    return { type: 'failed', id, code, message, hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (tellsOfLostDevice(message))
    return { type: 'failed', id, code: 'E_DEVICE_LOST', message: 'the device is lost' };
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
