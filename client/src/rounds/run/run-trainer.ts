import { join } from 'node:path';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { DaemonConfig } from '../../config/index.js';
import type { Trainer } from '../../training/index.js';

/** Starts a trainer that works in a folder; on the CPU once a device was lost. */
export type StartTrainer = (
  onCpu: boolean,
) => Promise<Pick<Trainer, 'train' | 'evaluate' | 'close' | 'hasEnded'>>;
type Started = Awaited<ReturnType<StartTrainer>>;

/** The training process of a run: started when it is first needed, and again after it ended. */
export class RunTrainer {
  private current: Promise<Started> | undefined;
  private closed = false;
  private deviceLost = false;

  /** @param fallback whether a run whose device is lost goes on without it */
  constructor(
    private readonly start: StartTrainer,
    private readonly fallback: 'none' | 'cpu' = 'none',
  ) {}

  /** Start beside the first rounds, so that training need not wait for it. */
  warmUp(): void {
    this.live().catch(() => undefined);
  }

  /**
   * Do a job; once more, in a fresh process, when the system has killed the trainer under it, and on the CPU where that
   * is allowed when its device is lost.
   *
   * @throws E_STATE after `close`, and what the job throws
   */
  async run<T>(job: (trainer: Started) => Promise<T>): Promise<T> {
    const trainer = await this.live();
    try {
      return await job(trainer);
    } catch (error) {
      if (this.closed) throw error;
      if (isRegulonError(error, 'E_DEVICE_LOST') && this.fallback === 'cpu') {
        this.deviceLost = true;
        await trainer.close();
      } else if (!trainer.hasEnded || !isRegulonError(error, 'E_TRAINER_CRASH')) throw error;
    }
    return job(await this.live());
  }

  async close(): Promise<void> {
    this.closed = true;
    const trainer = await this.current?.catch(() => undefined);
    await trainer?.close();
  }

  private async live(): Promise<Started> {
    const { current } = this;
    if (current && (await current.then((t) => t.hasEnded)) && this.current === current)
      this.current = undefined;
    if (this.closed) throw new RegulonError('E_STATE', 'the run has ended at this site: nothing is trained');
    if (this.current) return this.current;
    const started = this.start(this.deviceLost);
    this.current = started;
    started.catch(() => (this.current = undefined));
    return started;
  }
}

/**
 * The trainer that a site's configuration asks for.
 *
 * @param folder working folder of the run
 * @param onCpu the device was lost: whatever the configuration says, the run goes on without
 */
export async function startTrainer(
  config: DaemonConfig,
  folder: string,
  onCpu: boolean,
): ReturnType<StartTrainer> {
  const { CalibratedTrainer } = await import('../../training/calibration/index.js');
  const { backend, threads, memoryLimitMb, acceleratorFolder } = config.training;
  return CalibratedTrainer.start({
    ...{ folder, backend: onCpu ? 'cpu' : backend },
    acceleratorFolder: acceleratorFolder ?? join(config.stateFolder, 'accelerator'),
    calibrationFile: join(config.stateFolder, 'calibration.json'),
    ...(onCpu ? { without: [LOST] } : {}),
    ...(threads === undefined ? {} : { threads }),
    ...(memoryLimitMb === undefined ? {} : { memoryLimitMb }),
  });
}

const LOST = {
  name: 'gpu',
  warning: 'the device was lost in the middle of the run: on with the CPU',
} as const;
