import { describe, expect, it } from '@jest/globals';
import { Ledger } from './ledger.js';
import { opened, run } from './state.support.js';

describe('the ledger', () => {
  const charge = (round: number) => ({ dataset: 'd', run, round, attempt: 0, event: { mechanism: 'none' } });

  it('charges an attempt once and chains the charges', () => {
    const ledger = new Ledger(opened());
    const first = ledger.charge(charge(0));
    expect(ledger.charge(charge(0))).toEqual(first);
    expect(ledger.charge(charge(1)).hash).not.toBe(first.hash);
    expect(ledger.size()).toBe(2);
  });

  it('lets nobody change or remove a charge', () => {
    const state = opened();
    new Ledger(state).charge(charge(0));
    expect(() => state.db.exec('DELETE FROM ledger')).toThrow(/append-only/);
    expect(() => state.db.exec("UPDATE ledger SET event = ''")).toThrow(/append-only/);
  });
});
