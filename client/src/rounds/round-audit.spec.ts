import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import { type Manifest, seedCommitment } from '@regulon/shared/secagg';
import type { AttemptRow } from '../state/index.js';
import { type AuditedClose, auditRound } from './round-audit.js';
import type { RunSession } from './run-session.js';

const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const round = { round: 3 } as ScheduledRound;
const peers = [{ id: 1, sPk: hex(bytes(4)), cb: hex(seedCommitment(bytes(1), 1, bytes(5))) }];
const close: AuditedClose = {
  manifest: { attempt: 0, d: 4, ringBits: 32, extras: [], N: 5 } as unknown as Manifest,
  ...{ ctx: bytes(1), aggregateRoot: bytes(2) },
  own: { facts: { h2: hex(bytes(3)), peers } } as unknown as AttemptRow,
};

const auditWith = async (fetch: (query: { type: string }) => Promise<unknown[]>) => {
  const site = { link: { fetch }, logger: pino({ level: 'silent' }) };
  return auditRound({ site, run: 'run_1' } as unknown as RunSession, round, close, []);
};

describe('the audit of a closed round', () => {
  it.each(['E_DEADLINE', 'E_STATE', 'E_INTERNAL'] as const)(
    'that ends with %s is none: the next round does not fail for it',
    async (code) => {
      const { audited, failure } = await auditWith(async () => {
        throw new RegulonError(code, 'x');
      });
      expect(audited).toEqual({ tiles: [], count: 0, result: 'none' });
      expect(failure).toBeUndefined();
    },
  );

  it('differs when a revealed secret is not the one that its site committed to', async () => {
    const secret = { type: 'revealed', site: 1, maskSecret: false, secret: bytes(6) };
    const { audited, failure } = await auditWith(async () => [secret]);
    expect(audited.result).toBe('differ');
    expect(failure).toMatchObject({ code: 'E_MODEL' });
  });

  it('finds a sum of which the coordinator opens no tile wrong', async () => {
    const secret = { type: 'revealed', site: 1, maskSecret: false, secret: bytes(5) };
    const opened = await auditWith(async ({ type }) => (type === 'revealed' ? [secret] : []));
    expect(opened).toMatchObject({ audited: { result: 'differ', count: 1 }, failure: { code: 'E_MODEL' } });
  });
});
