import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TrainerWatch, type WatchLimits } from './trainer-watch.js';

let child: ChildProcess | undefined;
let watch: TrainerWatch | undefined;
afterEach(() => {
  watch?.stop();
  child?.kill('SIGKILL');
});

/** Code of the first complaint about a process that runs this script; 'none' when none came within these seconds. */
async function complaintAbout(script: string, limits: WatchLimits, seconds?: number): Promise<string> {
  const { pid } = (child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' }));
  return new Promise((resolve) => {
    watch = new TrainerWatch(pid, limits, (error) => resolve(error.code));
    if (seconds !== undefined) setTimeout(() => resolve('none'), 1000 * seconds);
  });
}

describe('the watch over a trainer', () => {
  it('complains of a process that neither reports nor works, also before its first report', async () => {
    expect(await complaintAbout('setTimeout(() => {}, 60_000)', { silenceSeconds: 0.1 })).toBe(
      'E_TRAINER_TIMEOUT',
    );
  });

  it('lets a silent process work', async () => {
    // long beside the turns that a busy machine gives to each process
    expect(await complaintAbout('for (;;);', { silenceSeconds: 1.5 }, 3.5)).toBe('none');
  });

  it('complains of a job that takes longer than it may, even while it works', async () => {
    expect(await complaintAbout('for (;;);', { seconds: 0.2, silenceSeconds: 60 })).toBe('E_TRAINER_TIMEOUT');
  });
});
