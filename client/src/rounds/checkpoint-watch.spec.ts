import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { decodeErrorInfo, encodeErrorInfo } from '@regulon/shared/wire';
import { CheckpointWatch } from './checkpoint-watch.js';
import { insist } from './errors/insist.js';

const own = (code: ErrorCode): RegulonError => new RegulonError(code, 'at this site');
const said = (code: ErrorCode): RegulonError => decodeErrorInfo(encodeErrorInfo(own(code)));

let followed: string[];
let fails: RegulonError[];
let told: ErrorCode[];
let watch: CheckpointWatch;

beforeEach(() => {
  [followed, fails, told] = [[], [], []];
  const follow = async (note: string): Promise<void> => {
    followed.push(note);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const error = fails.shift();
    if (error) throw error;
  };
  watch = new CheckpointWatch(follow, (error) => void told.push(error.code), 1);
});

describe('a site that follows checkpoints', () => {
  it.each(['E_QUARANTINE', 'E_FORK', 'E_VERIFY', 'E_BUSY'] as const)(
    'asks again when the coordinator says %s: it finds nothing out about this site',
    async (code) => {
      fails = [said(code), said(code)];
      await watch.to('one');
      expect([followed, told]).toEqual([
        ['one', 'one', 'one'],
        [code, code],
      ]);
    },
  );

  it('does not go on when it has found a fork itself', async () => {
    fails = [own('E_FORK')];
    await expect(watch.to('one')).rejects.toMatchObject({ code: 'E_FORK' });
    await watch.to('two');
    expect(followed).toEqual(['one', 'two']);
  });

  it('follows a note that comes in whatever step after the one before was followed', async () => {
    for (let steps = 1; steps < 30; steps++) {
      let late: Promise<void> | undefined;
      const come = async (): Promise<void> => {
        for (let step = 0; step < steps; step++) await Promise.resolve();
        late = watch.to(`late ${steps}`);
      };
      let coming: Promise<void> | undefined;
      watch = new CheckpointWatch(
        async (note) => {
          followed.push(note);
          if (note === 'first') coming = come();
        },
        () => undefined,
      );
      await watch.to('first');
      await coming;
      await late;
      expect(followed.at(-1)).toBe(`late ${steps}`);
    }
  });

  it('holds a few notes, however many are announced while the log does not come', async () => {
    fails = [said('E_BUSY')];
    const all = Array.from({ length: 1000 }, (_, i) => watch.to(`note ${i}`));
    await Promise.all(all);
    expect(followed).toEqual(['note 0', 'note 996', 'note 997', 'note 998', 'note 999']);
  });
});

describe('what needs the coordinator', () => {
  it('is tried until it goes, and not where waiting mends nothing', async () => {
    let left = 2;
    const action = async (): Promise<string> => {
      left -= 1;
      if (left >= 0) throw own('E_CONNECTION');
      return 'done';
    };
    const tell = (error: RegulonError): void => void told.push(error.code);
    expect(await insist(action, { tell, pauseMs: 1 })).toBe('done');
    expect(told).toEqual(['E_CONNECTION', 'E_CONNECTION']);
    const isFinal = ({ code }: RegulonError): boolean => code === 'E_ROSTER';
    const refused = insist(() => Promise.reject(said('E_ROSTER')), { tell, isFinal });
    await expect(refused).rejects.toMatchObject({ code: 'E_ROSTER' });
    await expect(insist(() => Promise.reject(own('E_QUARANTINE')), { tell })).rejects.toMatchObject({
      code: 'E_QUARANTINE',
    });
  });
});
