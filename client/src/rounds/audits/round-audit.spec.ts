import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex, rootOfBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { MaskEngine } from '@regulon/shared/secagg';
import { decodeErrorInfo, encodeErrorInfo, type Item, type Query } from '@regulon/shared/wire';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import { agreement, ClosedRound, federation, run, site } from './closed-round.support.js';
import { auditRound, choiceOf } from './round-audit.js';
import { tilesToAudit } from './spot-audit.js';
import { survivorsOf } from './survivors.js';

const placeWith = (fetch: (query: Query) => Promise<Item[]>): AuditPlace =>
  ({
    site: {
      ...{ federation, site, link: { fetch }, answered: { find: () => undefined } },
      logger: pino({ level: 'silent' }),
    },
    ...{ run, runId: new Uint8Array(16).fill(7), agreement, engine: new MaskEngine(), folder: '' },
    roundingSecret: new Uint8Array(32).fill(9),
  }) as unknown as AuditPlace;

describe('the audit of a closed round', () => {
  it('agrees with an honest sum, with and without a lost upload', async () => {
    for (const lost of [[], [3]]) {
      const closed = new ClosedRound(lost);
      const audit = await auditRound(placeWith(closed.fetch), closed.audited());
      expect(audit).toEqual({ result: 'agree', tiles: [0] });
    }
  });

  it('finds a sum of other uploads wrong, and keeps what was shown', async () => {
    const closed = new ClosedRound();
    closed.aggregate = closed.aggregate.map((byte) => byte ^ 1);
    const audit = await auditRound(placeWith(closed.fetch), closed.audited());
    expect(audit).toMatchObject({ result: 'differ', failure: { code: 'E_MODEL' } });
    if (audit.result !== 'differ') return;
    expect(audit.wrong.tiles).toHaveLength(6);
    expect(audit.wrong.survivors).toHaveLength(5);
    expect(audit.wrong.revealed).toHaveLength(5);
  });

  it('differs when a revealed secret is not the one that its site committed to', async () => {
    const closed = new ClosedRound();
    closed.revealed.seeds[1]?.b.fill(6);
    const audit = await auditRound(placeWith(closed.fetch), closed.audited());
    expect(audit).toMatchObject({ result: 'differ', failure: { message: /secret of site 2/ } });
  });

  it.each([
    ['one is left out, so that its mask may stay in the sum', (all: Item[]) => all.slice(1)],
    ['one comes twice', (all: Item[]) => [...all, ...all.slice(0, 1)]],
  ])('differs when of the revealed secrets %s', async (_, change) => {
    const closed = new ClosedRound([3]);
    const fetch = async (query: Query): Promise<Item[]> => {
      const items = await closed.fetch(query);
      return query.type === 'revealed' ? change(items) : items;
    };
    const audit = await auditRound(placeWith(fetch), closed.audited());
    expect(audit).toMatchObject({ result: 'differ', failure: { message: /one of each member/ } });
  });

  it.each(['E_DEADLINE', 'E_NOT_FOUND', 'E_MODEL', 'E_QUARANTINE'] as const)(
    'is none, and says why, when the coordinator answers %s',
    async (code) => {
      const closed = new ClosedRound();
      const fetch = (query: Query) => {
        const said = decodeErrorInfo(encodeErrorInfo(new RegulonError(code, 'x')));
        return query.type === 'spotTiles' ? Promise.reject(said) : closed.fetch(query);
      };
      const audit = await auditRound(placeWith(fetch), closed.audited());
      expect(audit).toMatchObject({ result: 'none', failure: { code } });
    },
  );

  it('is none without a reason where this site was not in the round', async () => {
    const closed = new ClosedRound();
    const own = { ...closed.own(), facts: {} };
    expect(await auditRound(placeWith(closed.fetch), closed.audited(own))).toEqual({ result: 'none' });
  });

  it('shares 48 tiles among the sites of U1, who alone can audit, however many the plan names', async () => {
    const closed = new ClosedRound();
    const place = placeWith(closed.fetch);
    const asked = async (u1: number): Promise<number> => {
      const large = { ...closed.manifest, purpose: 0 as const, ringBits: 32 as const, d: 20_000_000 };
      const own = closed.own({ u1 });
      const audit = await auditRound(place, { ...closed.audited(own), manifest: large });
      return audit.result === 'differ' ? audit.tiles.length : 0;
    };
    expect(closed.manifest.N).toBe(5);
    expect(await asked(5)).toBe(10);
    expect(await asked(4)).toBe(12);
  });

  it('looks at the same tiles whenever it is repeated, so that it cannot be answered only where the sum is right', async () => {
    const closed = new ClosedRound();
    const place = placeWith(closed.fetch);
    const chosen = (audited: AuditedRound) => tilesToAudit(100_000_000, 32, 5, choiceOf(place, audited));
    const audited = closed.audited();
    expect(chosen(audited)).toHaveLength(10);
    expect(chosen(audited)).toEqual(chosen(audited));
    expect(chosen({ ...audited, attempt: 1 })).not.toEqual(chosen(audited));
  });
});

describe('the survivors of a closed round', () => {
  const closedOf = (closed: ClosedRound, facts: object = {}) => ({
    ...{ round: 0, manifest: closed.manifest, own: closed.own(facts) },
  });

  it('are taken when every one is signed under the own h2', async () => {
    const closed = new ClosedRound([5]);
    const found = await survivorsOf(placeWith(closed.fetch), closedOf(closed));
    expect(found.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it('are refused when an upload was made up, also by a site that was asked for nothing after R2', async () => {
    const closed = new ClosedRound();
    closed.forge(4);
    closed.aggregate = new Uint8Array(closed.size);
    await expect(survivorsOf(placeWith(closed.fetch), closedOf(closed))).rejects.toMatchObject({
      code: 'E_MODEL',
    });
    const audit = await auditRound(placeWith(closed.fetch), closed.audited());
    expect(audit).toMatchObject({ result: 'differ', failure: { code: 'E_MODEL' } });
  });

  it('are refused when they are fewer than a release needs, or stand twice', async () => {
    const few = new ClosedRound();
    few.survivors.splice(0, 2);
    await expect(survivorsOf(placeWith(few.fetch), closedOf(few))).rejects.toMatchObject({ code: 'E_MODEL' });
    const twice = new ClosedRound();
    twice.survivors.splice(4, 1, ...twice.survivors.slice(3, 4));
    await expect(survivorsOf(placeWith(twice.fetch), closedOf(twice))).rejects.toMatchObject({
      code: 'E_MODEL',
    });
  });

  it('are refused when they are not those that this site signed in R3, though it did not answer', async () => {
    const closed = new ClosedRound();
    const signed = closedOf(closed, { h3: hex(closed.h3) });
    expect(await survivorsOf(placeWith(closed.fetch), signed)).toHaveLength(5);
    closed.survivors.pop();
    await expect(survivorsOf(placeWith(closed.fetch), signed)).rejects.toMatchObject({ code: 'E_FORK' });
  });

  it('are unchecked where this site was not there', async () => {
    const closed = new ClosedRound();
    closed.forge(2);
    const place = placeWith(closed.fetch);
    const survivors = await survivorsOf(place, { round: 0, manifest: closed.manifest, own: undefined });
    expect(survivors.map(({ root }) => hex(root))).toContain(
      hex(rootOfBytes(new Uint8Array(closed.size).fill(7))),
    );
  });
});
