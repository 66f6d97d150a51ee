import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Give some work a folder that only this user reads, beside a file that will be written, and remove it whatever ends the
 * work; only SIGKILL leaves it there.
 *
 * @param interrupted is told when a signal ends this process
 * @throws E_ARGUMENT when no folder can be made there
 */
export async function inPrivateFolder<T>(
  beside: string,
  work: (folder: string) => Promise<T>,
  interrupted: () => void = () => undefined,
): Promise<T> {
  const folder = madeBeside(beside);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const stop = (signal: NodeJS.Signals): void => {
    remove();
    interrupted();
    // its listener is gone by now: the signal does what it does without
    process.kill(process.pid, signal);
  };
  SIGNALS.forEach((signal) => process.once(signal, stop));
  try {
    return await work(folder);
  } finally {
    SIGNALS.forEach((signal) => process.off(signal, stop));
    remove();
  }
}

function madeBeside(file: string): string {
  const place = dirname(resolve(file));
  try {
    return mkdtempSync(join(place, '.regulon-'));
  } catch (cause) {
    const hint = 'choose a file in a folder that you may write to';
    throw new RegulonError('E_ARGUMENT', `${place}: no folder can be made there`, { cause, hint });
  }
}
