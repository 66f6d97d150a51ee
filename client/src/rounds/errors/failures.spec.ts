import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, registry, RegulonError } from '@regulon/shared/errors';
import { decodeErrorInfo, encodeErrorInfo } from '@regulon/shared/wire';
import { codeOf, consequenceOf, isPassing } from './failures.js';

const own = (code: ErrorCode): RegulonError => new RegulonError(code, 'at this site');
const said = (code: ErrorCode): RegulonError => decodeErrorInfo(encodeErrorInfo(own(code)));

describe('the consequence of a failure', () => {
  it.each(['E_TRAINER_TIMEOUT', 'E_TRAINER_CRASH', 'E_GATE'] as const)(
    'of %s is to sit the attempt out: nothing is wiped, so that the others are answered',
    (code) => expect(consequenceOf(own(code))).toBe('sit-out'),
  );

  it.each(['E_STATE', 'E_REPLAY', 'E_U3', 'E_INTERNAL'] as const)(
    'of %s at this site is a refusal, which the coordinator hears',
    (code) => expect(consequenceOf(own(code))).toBe('refuse-attempt'),
  );

  it.each(['E_STATE', 'E_NOT_FOUND', 'E_LEASE'] as const)(
    'is to be left out when the coordinator says %s: it knows',
    (code) => expect(consequenceOf(said(code))).toBe('left-out'),
  );

  it('is never more than that for whatever the coordinator says: it cannot stop this site, nor end a run here', () => {
    const codes = Object.keys(registry) as ErrorCode[];
    expect(new Set(codes.map((code) => consequenceOf(said(code))))).toEqual(new Set(['left-out', 'retry']));
    expect(codes.every((code) => isPassing(said(code)))).toBe(true);
    expect([own('E_QUARANTINE'), own('E_FORK'), own('E_VERIFY')].map(consequenceOf)).toEqual(
      Array(3).fill('stop'),
    );
  });

  it('is another try when the coordinator has a trouble of its own, or is slow', () => {
    expect(
      [said('E_INTERNAL'), said('E_STATE_DB'), said('E_BUSY'), own('E_DEADLINE')].map(consequenceOf),
    ).toEqual(Array(4).fill('retry'));
    expect(consequenceOf(own('E_STATE_DB'))).toBe('stop');
  });

  it('of a refused certificate depends on whether the coordinator refused it, or just hung up', () => {
    const refused = (quiet: boolean) => new RegulonError('E_CERTIFICATE', 'x', { details: { quiet } });
    expect(consequenceOf(refused(true))).toBe('retry');
    expect(consequenceOf(refused(false))).toBe('refuse-attempt');
  });

  it('is another try when the machine is short of something or a connection was cut', () => {
    const system = (code: string): Error => Object.assign(new Error('text of another library'), { code });
    for (const code of ['EMFILE', 'SQLITE_BUSY', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'])
      expect(consequenceOf(system(code))).toBe('retry');
    expect(codeOf(system('ENOSPC'))).toBe('E_DISK_FULL');
    expect(codeOf(system('SQLITE_IOERR_READ'))).toBe('E_STATE_DB');
    expect(codeOf(new TypeError('x'))).toBe('E_INTERNAL');
  });
});
