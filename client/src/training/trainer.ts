import type { ChildProcess } from 'node:child_process';
import { RegulonError } from '@regulon/shared/errors';
import type { BackendRecord } from './backends/backend.js';
import { exitError } from './exit-error.js';
import type {
  AttributeJob,
  AttributeResult,
  Beat,
  EvaluateJob,
  EvaluateResult,
  MeasureJob,
  MeasureResult,
  PredictJob,
  PredictResult,
  TrainJob,
  TrainResult,
} from './job.js';
import type { TrainerReport, Work, WorkResult } from './messages.js';
import {
  failureOf,
  lastLineOf,
  launchTrainer,
  type ProcessOptions,
  SILENCE_SECONDS,
} from './trainer-process.js';
import { TrainerRecord } from './trainer-record.js';
import { TrainerWatch } from './trainer-watch.js';

export interface TrainerStart extends ProcessOptions {
  readonly onBeat?: (beat: Beat) => void;
  /** why this backend was chosen: milliseconds of a step on each that there is, for the run's record */
  readonly calibration?: Readonly<Record<string, number>>;
}

interface Pending {
  readonly resolve: (result: WorkResult) => void;
  readonly reject: (error: Error) => void;
  readonly watch: TrainerWatch;
}

const KILL_AFTER_MS = 3000;

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
    this.#record = new TrainerRecord(options.folder, {
      ...backend,
      ...(options.calibration ? { calibration: options.calibration } : {}),
    });
  }

  /**
   * Start a trainer and wait until its backend has passed the self-test.
   *
   * @throws E_BACKEND if no backend passes
   * @throws E_TRAINER_CRASH if the process does not start, or ends before it is ready
   * @throws E_TRAINER_TIMEOUT if it is silent instead
   */
  static async start(options: TrainerStart): Promise<Trainer> {
    const { child, record } = await launchTrainer(options);
    const trainer = new Trainer(child, options, record);
    trainer.#listen();
    return trainer;
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

  /** Some steps of a training job, for their time; errors as in `train`. */
  measure(job: MeasureJob): Promise<MeasureResult> {
    return this.#ask('measure', job);
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
    if (report.type === 'ready' || report.type === 'trying' || report.id === null) return;
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
