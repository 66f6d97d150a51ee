import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashStep } from '../config/index.js';

/** Called right after a step was persisted. */
export type CrashPoint = (step: CrashStep, round: number) => void;

/**
 * For crash tests only: SIGKILL this process right after a step was persisted, once in the life of its state folder.
 *
 * @param crashAt `step` or `step#round`; undefined for a coordinator in service
 * @param folder state folder, where it is remembered that the crash has happened
 */
export function crashPointOf(crashAt: string | undefined, folder: string): CrashPoint {
  if (crashAt === undefined) return () => undefined;
  const [step, round] = crashAt.split('#');
  const marker = join(folder, `crashed-${crashAt.replace('#', '-')}`);
  return (at, inRound) => {
    if (at !== step || (round !== undefined && Number(round) !== inRound) || existsSync(marker)) return;
    writeFileSync(marker, '');
    process.kill(process.pid, 'SIGKILL');
  };
}
