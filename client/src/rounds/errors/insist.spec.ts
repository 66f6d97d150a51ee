import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { insist } from './insist.js';

/** Fails with these codes, one a try, then succeeds; tells at which tries it was told of one. */
async function toldAt(codes: readonly ErrorCode[]): Promise<number[]> {
  let tries = 0;
  const told: number[] = [];
  const action = async (): Promise<string> => {
    const code = codes[tries++];
    if (code !== undefined) throw new RegulonError(code, `try ${tries}`);
    return 'done';
  };
  expect(await insist(action, { tell: () => told.push(tries), pauseMs: 0 })).toBe('done');
  return told;
}

const times = (count: number, code: ErrorCode): ErrorCode[] => Array<ErrorCode>(count).fill(code);

describe('something that needs the coordinator, tried again', () => {
  it('tells of a clock that stays wrong at once, and then less and less often', async () => {
    expect(await toldAt(times(100, 'E_CLOCK'))).toEqual([1, 2, 4, 8, 16, 32, 64]);
  });

  it('tells of another trouble at once', async () => {
    const codes = [...times(7, 'E_CLOCK'), ...times(3, 'E_CONNECTION'), ...times(1, 'E_CLOCK')];
    expect(await toldAt(codes)).toEqual([1, 2, 4, 8, 9, 11]);
  });

  it('ends with what waiting does not mend', async () => {
    await expect(toldAt(['E_CLOCK', 'E_FORK'])).rejects.toMatchObject({ code: 'E_FORK' });
  });
});
