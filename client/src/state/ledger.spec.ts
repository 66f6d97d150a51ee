import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@regulon/shared/crypto';
import {
  type ChargedEvent,
  FIRST_LINK,
  linkOf,
  spendingOf,
  type StoredCharge,
  verifyLedger,
} from '@regulon/shared/privacy';
import { Ledger, type LedgerEvent } from './ledger.js';
import type { SiteState } from './site-state.js';
import { opened, run, stateFolder } from './state.support.js';

const about = { purpose: 0, step: 'train' };
const claim = { unit: 'patient', adjacency: 'add-or-remove-one', sampler: 'float64-rounded' } as const;
const noisy = (z: string, steps = 1): ChargedEvent => ({
  ...{ mechanism: 'gaussian', q: '1', z, steps },
  ...claim,
  ...about,
});
const exact: ChargedEvent = { mechanism: 'none', ...about };
const charge = (round: number, event: ChargedEvent = exact, attempt = 0): LedgerEvent => ({
  ...{ dataset: 'd', run, round, attempt, event },
});
const refused = (code: string, words = ''): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(words) as unknown });

describe('the ledger', () => {
  it('charges an attempt once and chains the charges', () => {
    const ledger = new Ledger(opened());
    const first = ledger.charge(charge(0));
    expect(ledger.charge(charge(0))).toEqual(first);
    expect(ledger.charge(charge(1)).hash).not.toBe(first.hash);
    expect(ledger.size()).toBe(2);
  });

  it('charges no second release of one attempt, and sees the same one again', () => {
    const ledger = new Ledger(opened());
    const update = (release: string): LedgerEvent =>
      charge(0, { ...noisy('5'), release: release.repeat(32) } as ChargedEvent);
    const { seq } = ledger.charge(update('aa'));
    expect(ledger.charge(update('aa')).seq).toBe(seq);
    expect(() => ledger.charge(update('bb'))).toThrow(refused('E_LEDGER', 'another release'));
    expect(() => ledger.charge(charge(0, noisy('5')))).toThrow(refused('E_LEDGER', 'another release'));
    expect(ledger.charge({ ...update('bb'), attempt: 1 }).seq).toBe(1);
  });

  it('lets nobody change or remove a charge', () => {
    const state = opened();
    new Ledger(state).charge(charge(0));
    expect(() => state.db.exec('DELETE FROM ledger')).toThrow(/append-only/);
    expect(() => state.db.exec("UPDATE ledger SET event = ''")).toThrow(/append-only/);
  });
});

describe('a ledger edited behind the daemon', () => {
  /** A ledger with three charges, then a change by hand; what opening it again says. */
  function reopened(edit: (state: SiteState, folder: string) => void): () => Ledger {
    const folder = stateFolder();
    const state = opened(folder);
    const ledger = new Ledger(state);
    for (const round of [0, 1, 2]) ledger.charge(charge(round, noisy('5')));
    ledger.settle();
    state.db.exec('DROP TRIGGER ledger_is_append_only; DROP TRIGGER ledger_keeps_all');
    edit(state, folder);
    return () => new Ledger(state);
  }
  const head = (state: SiteState): string => join(state.paths.anchor, 'ledger-head');

  it('opens when nothing was edited: the control', () => {
    expect(reopened(() => undefined)().size()).toBe(3);
  });

  it('with more noise than was added', () => {
    const open = reopened(({ db }) =>
      db.exec(`UPDATE ledger SET event = replace(event, '"5"', '"50"') WHERE seq = 1`),
    );
    expect(open).toThrow(refused('E_LEDGER', 'charge 1 was edited'));
  });

  it('without a charge in the middle', () => {
    expect(reopened(({ db }) => db.exec('DELETE FROM ledger WHERE seq = 1'))).toThrow(
      refused('E_LEDGER', 'charge 1'),
    );
  });

  it('without its last charges', () => {
    const open = reopened(({ db }) => db.exec('DELETE FROM ledger WHERE seq > 0'));
    expect(open).toThrow(refused('E_LEDGER', 'has 1 charges, and had 3'));
  });

  it('emptied', () => {
    expect(reopened(({ db }) => db.exec('DELETE FROM ledger'))).toThrow(refused('E_LEDGER', 'truncated'));
  });

  it('written anew as a whole chain', () => {
    const elsewhere = opened();
    const other = new Ledger(elsewhere);
    for (const round of [0, 1, 2]) other.charge(charge(round, noisy('50')));
    const rows = elsewhere.db.prepare('SELECT * FROM ledger').all();
    const open = reopened(({ db }) => {
      db.exec('DELETE FROM ledger');
      const insert = db.prepare(
        'INSERT INTO ledger VALUES (@seq, @dataset, @run, @round, @attempt, @event, @prev, @hash)',
      );
      rows.forEach((row) => insert.run(row));
    });
    expect(open).toThrow(refused('E_LEDGER', 'charge 2 is not the one that this site wrote'));
  });

  it.each(['', 'not a head', `${'0'.repeat(16)} zz\n`, `${'0'.repeat(16)} ${'ab'.repeat(32)}\n`])(
    'with a head that says %j',
    (text) => {
      expect(reopened((state) => writeFileSync(head(state), text))).toThrow(refused('E_LEDGER', 'head'));
    },
  );

  it('goes on after a crash between the charge and its anchor, and never with less', () => {
    const open = reopened((state) => {
      const before = readFileSync(head(state));
      new Ledger(state).charge(charge(3, noisy('5')));
      writeFileSync(head(state), before);
    });
    expect(open().size()).toBe(4);
    expect(open().charge(charge(3, noisy('5'))).seq).toBe(3);
  });
});

describe('a ledger whose chain holds', () => {
  /** Charges that somebody has chained as this program does. */
  const chained = (...events: object[]): StoredCharge[] => {
    let prev: Uint8Array = FIRST_LINK;
    return events.map((event, seq) => {
      const charge = { ...charge0, seq, event: event as ChargedEvent };
      const row = { ...charge, event: canonicalJson(event), prev, hash: linkOf(prev, charge) };
      prev = row.hash;
      return row;
    });
  };
  const charge0 = { dataset: 'd', run, round: 0, attempt: 0 };
  const verified =
    (...events: object[]) =>
    () =>
      verifyLedger(chained(...events), { size: 0, hash: '00'.repeat(32) });

  it('holds no event of a mechanism or of an accountant that this program does not know', () => {
    expect(verified(noisy('5'))).not.toThrow();
    expect(verified(noisy('5'), { ...noisy('5'), mechanism: 'laplace' })).toThrow(
      refused('E_LEDGER', 'charge 1 of the privacy ledger is no event'),
    );
    expect(verified({ ...noisy('5'), z: '-5' })).toThrow(refused('E_LEDGER', 'no event'));
  });

  it('holds no charge that is older than the one before it', () => {
    const dated = (at: number): object => ({ ...noisy('5'), at });
    expect(verified(dated(1000), dated(1000), dated(2000))).not.toThrow();
    expect(verified(dated(2000), dated(1000))).toThrow(refused('E_LEDGER', 'older'));
  });
});

describe('a clock set back', () => {
  it('is refused beyond a correction of five minutes, and time never runs backwards in the ledger', () => {
    const state = opened();
    let now = 1_800_000_000_000;
    const ledger = new Ledger(state, { now: () => now });
    ledger.charge(charge(0));
    now -= 299_000;
    ledger.charge(charge(1));
    expect(ledger.list().map(({ event }) => event.at)).toEqual([1_800_000_000_000, 1_800_000_000_000]);
    now -= 2_000;
    expect(() => ledger.charge(charge(2))).toThrow(refused('E_CLOCK', 'set back'));
    expect(ledger.size()).toBe(2);
  });
});

describe('a charge dated far ahead by a wrong clock', () => {
  it('names itself and the way out, which frees no budget and holds for no other charge', () => {
    const state = opened();
    const budget = { epsilon: 2, delta: 1e-5, minNoise: 3 };
    const [right, ahead] = [1_800_000_000_000, 1_900_000_000_000];
    const open = (now: number, datedAhead?: number): Ledger =>
      new Ledger(state, { budget, now: () => now, datedAhead });
    open(right).charge(charge(0, noisy('10')));
    open(ahead).charge(charge(1, noisy('10')));
    const stuck = (ledger: Ledger) => () => ledger.charge(charge(2, noisy('10')));
    expect(stuck(open(right))).toThrow(
      refused('E_CLOCK', 'charge 1 of its own privacy ledger, of 2030-03-17'),
    );
    expect(stuck(open(right))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('datedAhead: 1') as unknown }),
    );
    expect(stuck(open(right, 0))).toThrow(refused('E_CLOCK'));
    const mended = open(right, 1);
    const spent = (): number => spendingOf(mended.list(), budget.delta).epsilon;
    const before = spent();
    expect(mended.charge(charge(2, noisy('10'))).seq).toBe(2);
    // the date of charge 1 goes on, and what was spent stays spent
    expect(mended.charge(charge(3, noisy('10'))).seq).toBe(3);
    expect(mended.list().map(({ event }) => event.at)).toEqual([right, ahead, ahead, ahead]);
    expect(spent()).toBeGreaterThan(before);
    expect(() => mended.charge(charge(4, noisy('4', 4)))).toThrow(refused('E_BUDGET'));
    // a charge dated still later by another wrong clock is another one
    open(ahead + 1e9).charge(charge(5, noisy('100')));
    expect(() => mended.charge(charge(6, noisy('100')))).toThrow(refused('E_CLOCK', 'charge 4'));
  });
});

describe('a privacy budget', () => {
  const budget = { epsilon: 2, delta: 1e-5, minNoise: 3 };

  it('refuses a sum without noise, too little noise, and one unit too much; nothing is charged then', () => {
    const ledger = new Ledger(opened(), { budget });
    expect(() => ledger.charge(charge(0))).toThrow(refused('E_BUDGET', 'no noise'));
    expect(() => ledger.charge(charge(0, noisy('2.99')))).toThrow(refused('E_BUDGET', 'below 3'));
    // four Gaussian steps of z = 4 are one of z = 2: ε = 1.99309
    ledger.charge(charge(0, noisy('4', 4)));
    expect(() => ledger.verifyAffordable(charge(1, noisy('1000')))).not.toThrow();
    expect(() => ledger.verifyAffordable(charge(1, noisy('10')))).toThrow(refused('E_BUDGET', 'above the 2'));
    expect(() => ledger.charge(charge(1, noisy('10')))).toThrow(refused('E_BUDGET'));
    expect(ledger.size()).toBe(1);
  });

  it('is of one dataset: another has its own', () => {
    const ledger = new Ledger(opened(), { budget });
    ledger.charge(charge(0, noisy('4', 4)));
    expect(() => ledger.charge({ ...charge(1, noisy('4', 4)), dataset: 'e' })).not.toThrow();
  });
});
