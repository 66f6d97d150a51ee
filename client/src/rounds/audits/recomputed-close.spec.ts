import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { hex, sha256, u32, utf8 } from '@regulon/shared/crypto';
import { enc, signEd25519 } from '@regulon/shared/crypto';
import { hashOfAnswer, type UnmaskAnswer } from '@regulon/shared/secagg';
import type { Item, Query } from '@regulon/shared/wire';
import { seedOf } from '../../policy/site.support.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import type { AuditPlace } from './audit-place.js';
import { agreement, ClosedRound, federation, run, site } from './closed-round.support.js';
import { type DerivedClose, verifyRecomputed } from './recomputed-close.js';

let folder: string;
let closed: ClosedRound;
beforeEach(() => {
  folder = temporaryFolder('close');
  closed = new ClosedRound([3]);
});
afterEach(() => expect(existsSync(folder)).toBe(true));

/** @param change what the coordinator shows as the answers that it used */
function verified(close: DerivedClose, change = (shown: Item[]): Item[] => shown): Promise<void> {
  const fetch = async (query: Query): Promise<Item[]> => {
    const items = await closed.fetch(query);
    return query.type === 'answers' ? change(items) : items;
  };
  const place = {
    site: {
      ...{ federation, site, link: { fetch }, answered: { find: () => closed.answered } },
      logger: pino({ level: 'silent' }),
    },
    ...{ run, runId: new Uint8Array(16).fill(7), agreement, folder },
  } as unknown as AuditPlace;
  return verifyRecomputed(place, close);
}

/** An answer that its site signed, with other shares. */
function otherAnswer(of: UnmaskAnswer): UnmaskAnswer {
  const entries = of.entries.map((entry, k) => (k === 0 ? { ...entry, r: new Uint8Array(16) } : entry));
  const digest = hashOfAnswer(closed.ctx, closed.h3, entries);
  const fields = [closed.ctx, closed.h3, u32(of.id), digest];
  const sig = signEd25519(seedOf('site', of.id), sha256(enc('regulon/secagg/v1/R4', ...fields)));
  return { id: of.id, entries, sig };
}

const kept = (): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, 'evidence-close-0-0.json'), 'utf8')) as Record<string, unknown>;
const other = sha256(utf8('other'));

describe('the close of a round in which this site took part', () => {
  it('is taken when T follows from sets, answers, sum and result, in whatever order the answers are shown', async () => {
    await verified(closed.close());
    await verified(closed.close(), (shown) => shown.reverse());
    expect(existsSync(join(folder, 'evidence-close-0-0.json'))).toBe(false);
  });

  it.each([
    ['another sum', () => closed.close(other)],
    ['another result', () => closed.close(undefined, other)],
    ['another number of answers', () => closed.close(undefined, undefined, closed.answers.slice(1))],
  ])('is refused when the coordinator signed %s, and what it signed is kept', async (_, close) => {
    const wrong = close();
    await expect(verified(wrong)).rejects.toMatchObject({ code: 'E_FORK' });
    expect(kept()).toMatchObject({ schema: 'regulon.wrong-close/1', transcript: hex(wrong.transcript) });
    expect(kept()['answers']).toHaveLength(closed.answers.length);
  });

  it('is refused when it covers another answer of this site, though its key signed it', async () => {
    const [own, ...rest] = closed.answers;
    if (own?.id !== 1) throw new Error('site 1 answered');
    const forged = otherAnswer(own);
    const close = closed.close(undefined, undefined, [forged, ...rest]);
    const shown = (items: Item[]): Item[] => [closed.shown(forged), ...items.slice(1)];
    await expect(verified(close, shown)).rejects.toMatchObject({ message: /another answer than this site/ });
    // of any other site nobody here knows what it answered
    const [first, second, ...others] = closed.answers;
    if (!first || !second) throw new Error('two answers');
    const theirs = otherAnswer(second);
    const changed = closed.close(undefined, undefined, [first, theirs, ...others]);
    await verified(changed, (items) => items.map((item, k) => (k === 1 ? closed.shown(theirs) : item)));
  });

  it.each([
    ['one is missing', (items: Item[]) => items.slice(1), /3 answers, not with 4/],
    ['one counts twice', (items: Item[]) => [...items.slice(1), ...items.slice(1, 2)], /counts twice/],
    [
      'one is unsigned',
      (items: Item[]) => items.map((i) => ({ ...i, signature: new Uint8Array(64) })),
      /not signed/,
    ],
    [
      'one is of nobody in the cohort',
      (items: Item[]) => items.map((i, k) => (k === 3 ? { ...i, site: 9 } : i)),
      /U2/,
    ],
  ])('is refused when of the answers %s', async (_, change, why) => {
    const wrong = verified(closed.close(), change);
    await expect(wrong).rejects.toMatchObject({ code: 'E_FORK', message: why });
  });

  it('is not recomputed by a site that was not in R2: it knows no sets', async () => {
    await verified({ ...closed.close(other), own: undefined });
    await verified({ ...closed.close(other), own: { ...closed.own(), facts: {} } });
  });
});
