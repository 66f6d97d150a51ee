import { describe, expect, it } from '@jest/globals';
import type { Services } from '../rounds/index.js';
import { removeSpools } from './retention.js';

describe('removal of masked vectors', () => {
  it('records nothing, and forgets nothing, while a file is still there', async () => {
    const key = { runId: new Uint8Array(16), round: 0, attempt: 0 };
    const done: string[] = [];
    const services = {
      uploads: { attempts: () => [key], forget: () => done.push('row') > 0 },
      store: { transaction: (body: () => void) => body() },
      rounds: { outcome: () => undefined, attempt: () => undefined },
    };
    const removing = (removeAttempt: () => Promise<void>): Promise<void> =>
      removeSpools(
        { ...services, spool: { removeAttempt } } as unknown as Services,
        'later-close',
        () => true,
      );
    await expect(removing(() => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
    expect(done).toEqual([]);
    await removing(async () => void done.push('file'));
    expect(done).toEqual(['file', 'row']);
  });
});
