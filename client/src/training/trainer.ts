import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RegulonError } from '@regulon/shared/errors';
import type { BackendRecord } from './backends/backend.js';
import type { BackendChoice } from './backends/chain.js';
import { exitError } from './exit-error.js';
import type {
  AttributeJob,
  AttributeResult,
  Beat,
  EvaluateJob,
  EvaluateResult,
  PredictJob,
  PredictResult,
  TrainJob,
  TrainResult,
} from './job.js';
import type { TrainerOptions, TrainerReport, Work, WorkResult } from './messages.js';
import { TrainerRecord } from './trainer-record.js';
import { TrainerWatch } from './trainer-watch.js';

export interface TrainerStart {
  /** working folder of the process: the run's folder at the site */
  readonly folder: string;
  readonly backend?: BackendChoice;
  /** threads of a BLAS; 1 unless matrices are wide */
  readonly threads?: number;
  readonly memoryLimitMb?: number;
  readonly acceleratorFolder?: string;
  /** give up when the process neither reports nor uses its CPU for so long; 60 */
  readonly silenceSeconds?: number;
  readonly onBeat?: (beat: Beat) => void;
}

interface Pending {
  readonly resolve: (result: WorkResult) => void;
  readonly reject: (error: Error) => void;
  readonly watch: TrainerWatch;
}

const KILL_AFTER_MS = 3000;
const SILENCE_SECONDS = 60;

/**
 * A run's training process: native code can crash there, and its memory is freed for certain.
 *
 * Weights and updates travel as files; over the channel go jobs, beats and sums. One job runs at a time.
 */
export class Trainer {
  readonly #record: TrainerRecord;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #lastLine = '';
  #ended: RegulonError | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: TrainerStart,
    /** backend, versions and self-test, for the run's record */
    readonly backend: BackendRecord,
  ) {
    this.#record = new TrainerRecord(options.folder, backend);
  }

  /**
   * Start a trainer and wait until its backend has passed the self-test.
   *
   * @throws E_BACKEND if no backend passes
   * @throws E_TRAINER_CRASH if the process does not start, or ends before it is ready
   * @throws E_TRAINER_TIMEOUT if it is silent instead
   */
  static start(options: TrainerStart): Promise<Trainer> {
    return new Promise((resolve, reject) => {
      let child: ChildProcess;
      try {
        child = spawnTrainer(options);
      } catch (cause) {
        return reject(notStarted(cause));
      }
      let lastLine = '';
      child.stderr?.on('data', (chunk: Buffer) => (lastLine = lastLineOf(chunk, lastLine)));
      const { silenceSeconds = SILENCE_SECONDS } = options;
      const watch = new TrainerWatch(child.pid, { silenceSeconds }, (error) => refuse(error));
      const refuse = (error: RegulonError): void => {
        watch.stop();
        child.kill('SIGKILL');
        reject(error);
      };
      const onExit = (code: number | null, signal: NodeJS.Signals | null): void =>
        refuse(exitError(code, signal, lastLine));
      child.once('error', (cause) => refuse(notStarted(cause)));
      child.once('exit', onExit);
      child.once('message', (report: TrainerReport) => {
        child.off('exit', onExit);
        watch.stop();
        if (report.type === 'ready') {
          const trainer = new Trainer(child, options, report.record);
          trainer.#listen();
          resolve(trainer);
        } else refuse(report.type === 'failed' ? failureOf(report) : exitError(null, null, ''));
      });
    });
  }

  /** True once the process has ended or was told to: it takes no further job. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Process id, for the site's own monitoring. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /**
   * One round of local training.
   *
   * @throws E_LOSS_NOT_FINITE | E_TRAINER_OOM | E_TRAINER_TIMEOUT | E_TRAINER_CRASH | E_MODEL_SHAPE | E_LABEL | E_DISK_FULL
   */
  async train(job: TrainJob): Promise<TrainResult> {
    const result = await this.#ask('train', job);
    await this.#record.add(job.round, result);
    return result;
  }

  /** Score a model on the site's own units; errors as in `train`. */
  evaluate(job: EvaluateJob): Promise<EvaluateResult> {
    return this.#ask('evaluate', job);
  }

  /**
   * What a model says of units that need no targets, as a file of this site; errors as in `train`.
   *
   * @throws E_NOT_FINITE if a prediction is NaN or infinite
   */
  predict(job: PredictJob): Promise<PredictResult> {
    return this.#ask('predict', job);
  }

  /**
   * What in the site's own units speaks for a model's output: sums for a secure sum, and a file that stays here.
   *
   * @throws E_UNITS if no class has the units that a sum must cover; E_NOT_FINITE; others as in `train`
   */
  attribute(job: AttributeJob): Promise<AttributeResult> {
    return this.#ask('attribute', job);
  }

  /** Stop at once, whatever runs: a pending job is rejected with `reason`, and no update is left half-written. */
  async cancel(
    reason: RegulonError = new RegulonError('E_RUN_ABORTED', 'training was cancelled'),
  ): Promise<void> {
    this.#ended ??= reason;
    await this.#stop();
  }

  /** End the process when its work is done. */
  async close(): Promise<void> {
    await this.cancel(new RegulonError('E_STATE', 'the trainer was closed'));
  }

  #listen(): void {
    const { child } = this;
    child.stderr?.on('data', (chunk: Buffer) => (this.#lastLine = lastLineOf(chunk, this.#lastLine)));
    child.on('message', (report: TrainerReport) => this.#onReport(report));
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => {
      this.#ended ??= exitError(code, signal, this.#lastLine);
      this.#rejectAll(this.#ended);
    });
  }

  #onReport(report: TrainerReport): void {
    this.#pending.forEach(({ watch }) => watch.heard());
    if (report.type === 'beat') return this.options.onBeat?.(report.beat);
    if (report.type === 'ready' || report.id === null) return;
    const pending = this.#pending.get(report.id);
    this.#pending.delete(report.id);
    if (report.type === 'done') pending?.resolve(report.result);
    else pending?.reject(failureOf(report));
  }

  #ask<T extends keyof Work>(type: T, job: Work[T]['job']): Promise<Work[T]['result']> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise<WorkResult>((resolve, reject) => {
      const { timeoutSeconds: seconds } = job;
      const { silenceSeconds = SILENCE_SECONDS } = this.options;
      const watch = new TrainerWatch(
        this.pid,
        { seconds, silenceSeconds },
        (error) => void this.cancel(error),
      );
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          watch.stop();
          done(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), watch });
      this.child.send({ type, job, id }, (error) => {
        if (error) this.#pending.get(id)?.reject(this.#ended ?? exitError(null, null, this.#lastLine));
      });
    });
  }

  #rejectAll(error: RegulonError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  /** Politely, then by force; once, however often it is asked for. */
  #stop(): Promise<void> {
    this.#stopping ??= new Promise<void>((resolve) => {
      const { child } = this;
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      const force = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      child.once('exit', () => {
        clearTimeout(force);
        resolve();
      });
      child.kill('SIGTERM');
    });
    return this.#stopping;
  }
}

function spawnTrainer({
  folder,
  backend = 'auto',
  threads = 1,
  memoryLimitMb,
  acceleratorFolder,
}: TrainerStart): ChildProcess {
  const options: TrainerOptions = {
    choice: backend,
    threads,
    ...(memoryLimitMb === undefined ? {} : { memoryLimitMb }),
    ...(acceleratorFolder === undefined ? {} : { acceleratorFolder }),
  };
  return fork(entryFile(), [JSON.stringify(options)], {
    cwd: folder,
    // a young generation of 1 MiB keeps the resident memory small; the big arrays lie outside of it
    execArgv: ['--max-semi-space-size=1', '--expose-gc', '--v8-pool-size=1'],
    // large arrays go back to the system as soon as they are freed
    env: {
      ...process.env,
      MALLOC_MMAP_THRESHOLD_: String(1 << 20),
      MALLOC_ARENA_MAX: '1',
      UV_THREADPOOL_SIZE: '2',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'json',
  });
}

const notStarted = (cause: unknown): RegulonError =>
  new RegulonError('E_TRAINER_CRASH', 'the trainer did not start', { cause });

function failureOf({ code, message, trace }: Extract<TrainerReport, { type: 'failed' }>): RegulonError {
  return new RegulonError(code, message, trace ? { details: { trace } } : {});
}

/** The compiled entry; when this module itself runs from source (tests), the one that `tsc -b` made. */
function entryFile(): string {
  const beside = fileURLToPath(new URL('./trainer-main.js', import.meta.url));
  return existsSync(beside) ? beside : beside.replace(/([\\/])src([\\/]training[\\/])/, '$1dist$2');
}

/** Last non-empty line of a process's error output, shortened. */
function lastLineOf(chunk: Buffer, before: string): string {
  const lines = chunk
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.at(-1)?.slice(0, 200) ?? before;
}
