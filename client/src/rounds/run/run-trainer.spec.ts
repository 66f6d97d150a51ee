import { describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { RunTrainer, type StartTrainer } from './run-trainer.js';

type Started = Awaited<ReturnType<StartTrainer>>;

/** Trainers that are numbered in the order of their start. */
class Starts {
  readonly all: { number: number; hasEnded: boolean; onCpu: boolean }[] = [];
  fail = false;
  readonly runTrainer: RunTrainer;

  constructor(fallback?: 'none' | 'cpu') {
    this.runTrainer = new RunTrainer((onCpu) => this.start(onCpu), fallback);
  }

  private async start(onCpu: boolean): Promise<Started> {
    if (this.fail) throw new RegulonError('E_TRAINER_CRASH', 'the trainer did not start');
    const trainer = {
      ...{ number: this.all.length, hasEnded: false, onCpu },
      close: async () => void (trainer.hasEnded = true),
    };
    this.all.push(trainer);
    return trainer as unknown as Started;
  }

  numberOf(): Promise<number> {
    return this.runTrainer.run(async (trainer) => (trainer as unknown as { number: number }).number);
  }
}

describe('the trainer of a run', () => {
  it('is one for all rounds, however early or often it is asked for', async () => {
    const starts = new Starts();
    starts.runTrainer.warmUp();
    expect(await Promise.all([starts.numberOf(), starts.numberOf()])).toEqual([0, 0]);
  });

  it('does a job once more in a fresh process when it was killed, and only once', async () => {
    const starts = new Starts();
    let tries = 0;
    const killed = starts.runTrainer.run(async (trainer) => {
      tries += 1;
      (trainer as { hasEnded: boolean }).hasEnded = true;
      throw new RegulonError('E_TRAINER_CRASH', 'killed');
    });
    await expect(killed).rejects.toMatchObject({ code: 'E_TRAINER_CRASH' });
    expect([tries, starts.all.length]).toEqual([2, 2]);
    expect(await starts.numberOf()).toBe(2);
  });

  it('does not repeat a job that failed in a living process, or took too long', async () => {
    const starts = new Starts();
    let tries = 0;
    for (const code of ['E_TRAINER_CRASH', 'E_TRAINER_TIMEOUT'] as const) {
      const failed = starts.runTrainer.run(async (trainer) => {
        tries += 1;
        if (code === 'E_TRAINER_TIMEOUT') (trainer as { hasEnded: boolean }).hasEnded = true;
        throw new RegulonError(code, 'x');
      });
      await expect(failed).rejects.toMatchObject({ code });
    }
    expect(tries).toBe(2);
    expect(await starts.numberOf()).toBe(1);
  });

  it('is tried again when it did not start, and never started after the run has ended', async () => {
    const starts = new Starts();
    starts.fail = true;
    await expect(starts.numberOf()).rejects.toMatchObject({ code: 'E_TRAINER_CRASH' });
    starts.fail = false;
    expect(await starts.numberOf()).toBe(0);
    await starts.runTrainer.close();
    await expect(starts.numberOf()).rejects.toMatchObject({ code: 'E_STATE' });
    expect(starts.all).toMatchObject([{ hasEnded: true }]);
  });

  it('goes on with the CPU when its device is lost, where the site allows it, and stays there', async () => {
    const lost = async (trainer: Started): Promise<number> => {
      const { number } = trainer as unknown as { number: number };
      if (number === 0) throw new RegulonError('E_DEVICE_LOST', 'gone');
      return number;
    };
    const refuses = new Starts();
    await expect(refuses.runTrainer.run(lost)).rejects.toMatchObject({ code: 'E_DEVICE_LOST' });
    const allows = new Starts('cpu');
    expect(await allows.runTrainer.run(lost)).toBe(1);
    expect(await allows.numberOf()).toBe(1);
    expect(allows.all).toMatchObject([
      { onCpu: false, hasEnded: true },
      { onCpu: true, hasEnded: false },
    ]);
  });
});
