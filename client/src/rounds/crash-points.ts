import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashStep } from '../config/index.js';

/** Says that a step is durable. Under test the process kills itself there, once in the life of its state folder. */
export interface CrashPoints {
  reached(step: CrashStep, round: number): void;
}

/** The points of a daemon in service: nothing happens. */
export const noCrash: CrashPoints = { reached: () => undefined };

/**
 * SIGKILL right after a step.
 *
 * @param crashAt `step` or `step#round`; see `testing.crashAt` of the configuration
 * @param folder state folder, where it is remembered that the crash has happened
 */
export function crashOnce(crashAt: string, folder: string): CrashPoints {
  const [step, round] = crashAt.split('#');
  const marker = join(folder, `crashed-${crashAt.replace('#', '-')}`);
  return {
    reached(at, inRound) {
      if (at !== step || (round !== undefined && Number(round) !== inRound) || existsSync(marker)) return;
      writeFileSync(marker, '');
      process.kill(process.pid, 'SIGKILL');
    },
  };
}
