import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { EvaluateJob, EvaluateResult, TrainJob, TrainResult } from '../job.js';
import { Trainer, type TrainerStart } from '../trainer.js';
import { fastestOf, measureSteps, membersThere } from './calibrate.js';
import { calibrationKey, storedTimes, storeTimes } from './store.js';

export interface CalibratedStart extends TrainerStart {
  /** where measured times are kept */
  readonly calibrationFile: string;
}

/**
 * A trainer that, before its first round, goes over to the fastest backend for the model.
 *
 * Each member of the chain is measured once for a model on a machine; afterwards the stored times decide, so that a run
 * does not change its backend because of a busy minute.
 */
export class CalibratedTrainer {
  #isChosen = false;
  readonly #closing = new AbortController();

  private constructor(
    private trainer: Trainer,
    private readonly options: CalibratedStart,
  ) {}

  /** @throws as `Trainer.start` */
  static async start(options: CalibratedStart): Promise<CalibratedTrainer> {
    return new CalibratedTrainer(await Trainer.start(options), options);
  }

  get hasEnded(): boolean {
    return this.trainer.hasEnded;
  }

  /** @throws as `Trainer.train` */
  async train(job: TrainJob): Promise<TrainResult> {
    if (!this.#isChosen) await this.#choose(job);
    return this.trainer.train(job);
  }

  /** @throws as `Trainer.evaluate` */
  evaluate(job: EvaluateJob): Promise<EvaluateResult> {
    return this.trainer.evaluate(job);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.trainer.close();
  }

  async #choose(job: TrainJob): Promise<void> {
    const { backend: choice = 'auto', threads = 1, acceleratorFolder, calibrationFile } = this.options;
    this.#isChosen = true;
    const without = this.options.without ?? [];
    const names = membersThere(choice, acceleratorFolder).filter(
      (name) => !without.some((member) => member.name === name),
    );
    if (names.length < 2) return;
    const key = calibrationKey(job, { threads, acceleratorFolder });
    let calibration = storedTimes(calibrationFile)[key];
    if (calibration === undefined) {
      calibration = await measureSteps(job, names, this.options, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      storeTimes(calibrationFile, key, calibration);
    }
    const fastest = fastestOf(calibration);
    if (fastest === undefined) return;
    await this.#goTo({ ...this.options, backend: fastest, calibration });
  }

  async #goTo(options: TrainerStart): Promise<void> {
    const before = this.trainer;
    try {
      this.trainer = await Trainer.start(options);
    } catch (error) {
      // it was right when it was measured: the chain's own choice goes on
      if (!isRegulonError(error)) throw error;
      return;
    }
    await before.close();
    if (!this.#closing.signal.aborted) return;
    await this.trainer.close();
    throw new RegulonError('E_STATE', 'the trainer was closed');
  }
}
