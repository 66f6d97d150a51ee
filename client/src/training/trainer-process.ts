import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { BackendRecord } from './backends/backend.js';
import { type BackendChoice, type Candidate, chainOf } from './backends/candidates.js';
import { exitError } from './exit-error.js';
import type { TrainerOptions, TrainerReport } from './messages.js';
import { tensorflowEnvironment } from './tensorflow-environment.js';
import { TrainerWatch } from './trainer-watch.js';

export interface ProcessOptions {
  /** working folder of the process: the run's folder at the site */
  readonly folder: string;
  readonly backend?: BackendChoice;
  /** threads of a BLAS or of libtensorflow; 1 unless matrices are wide */
  readonly threads?: number;
  readonly memoryLimitMb?: number;
  readonly acceleratorFolder?: string;
  /** give up when the process neither reports nor uses its CPU for so long; 60 */
  readonly silenceSeconds?: number;
  /** members of the chain that are left out, and what the record says about them */
  readonly without?: TrainerOptions['without'];
}

/** A training process whose backend has passed its self-test. */
export interface Launched {
  readonly child: ChildProcess;
  readonly record: BackendRecord;
}

export const SILENCE_SECONDS = 60;

/**
 * Start a training process and wait until its backend is ready.
 *
 * A member of the chain that ends the process — a library for another CPU does — is left out of the next try.
 *
 * @throws E_BACKEND if no backend passes; E_TRAINER_CRASH if the process does not start, or a pinned backend ends it;
 *   E_TRAINER_TIMEOUT if it is silent instead
 */
export async function launchTrainer(options: ProcessOptions): Promise<Launched> {
  const { backend = 'auto' } = options;
  const without = [...(options.without ?? [])];
  for (;;) {
    const tried: { last?: Candidate } = {};
    try {
      return await launchOnce(options, without, (name) => (tried.last = name));
    } catch (error) {
      const { last } = tried;
      const others = chainOf(backend).filter(
        (name) => name !== last && !without.some((w) => w.name === name),
      );
      if (last === undefined || others.length === 0 || !isRegulonError(error, 'E_TRAINER_CRASH')) throw error;
      without.push({
        name: last,
        warning: `the ${last} backend ended the training process: ${error.message}`,
      });
    }
  }
}

function launchOnce(
  options: ProcessOptions,
  without: TrainerOptions['without'],
  onTry: (name: Candidate) => void,
): Promise<Launched> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      child = spawnTrainer(options, without);
    } catch (cause) {
      return reject(notStarted(cause));
    }
    let lastLine = '';
    child.stderr?.on('data', (chunk: Buffer) => (lastLine = lastLineOf(chunk, lastLine)));
    const { silenceSeconds = SILENCE_SECONDS } = options;
    const watch = new TrainerWatch(child.pid, { silenceSeconds }, (error) => refuse(error));
    const refuse = (error: RegulonError): void => {
      watch.stop();
      child.off('message', onMessage);
      child.kill('SIGKILL');
      reject(error);
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null): void =>
      refuse(exitError(code, signal, lastLine));
    const onMessage = (report: TrainerReport): void => {
      if (report.type === 'trying') return onTry(report.name);
      child.off('exit', onExit);
      child.off('message', onMessage);
      watch.stop();
      if (report.type === 'ready') resolve({ child, record: report.record });
      else refuse(report.type === 'failed' ? failureOf(report) : exitError(null, null, ''));
    };
    child.once('error', (cause) => refuse(notStarted(cause)));
    child.once('exit', onExit);
    child.on('message', onMessage);
  });
}

function spawnTrainer(options: ProcessOptions, without: TrainerOptions['without']): ChildProcess {
  const { folder, backend = 'auto', threads = 1, memoryLimitMb, acceleratorFolder } = options;
  const asked: TrainerOptions = {
    ...{ choice: backend, threads },
    ...(without?.length ? { without } : {}),
    ...(memoryLimitMb === undefined ? {} : { memoryLimitMb }),
    ...(acceleratorFolder === undefined ? {} : { acceleratorFolder }),
  };
  const isTensorFlow = backend === 'native' || backend === 'gpu';
  return fork(entryFile(), [JSON.stringify(asked)], {
    cwd: folder,
    // a young generation of 1 MiB keeps the resident memory small; the big arrays lie outside of it
    execArgv: ['--max-semi-space-size=1', '--expose-gc', '--v8-pool-size=1'],
    env: {
      ...process.env,
      MALLOC_ARENA_MAX: '1',
      UV_THREADPOOL_SIZE: '2',
      // large arrays go back to the system as soon as they are freed
      MALLOC_MMAP_THRESHOLD_: String(1 << 20),
      ...tensorflowEnvironment(threads, isTensorFlow, memoryLimitMb),
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'json',
  });
}

const notStarted = (cause: unknown): RegulonError =>
  new RegulonError('E_TRAINER_CRASH', 'the trainer did not start', { cause });

/** The error that a trainer reports, as one of this process. */
export function failureOf({
  code,
  message,
  hint,
  trace,
}: Extract<TrainerReport, { type: 'failed' }>): RegulonError {
  return new RegulonError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(trace ? { details: { trace } } : {}),
  });
}

/** The compiled entry; when this module itself runs from source (tests), the one that `tsc -b` made. */
function entryFile(): string {
  const beside = fileURLToPath(new URL('./trainer-main.js', import.meta.url));
  return existsSync(beside) ? beside : beside.replace(/([\\/])src([\\/]training[\\/])/, '$1dist$2');
}

/** Last non-empty line of a process's error output, shortened. */
export function lastLineOf(chunk: Buffer, before: string): string {
  const lines = chunk
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.at(-1)?.slice(0, 200) ?? before;
}
