import { describe, expect, it } from '@jest/globals';
import { gaussianEpsilon } from '@regulon/shared/privacy';
import { Purpose, RunProgram } from '@regulon/shared/program';
import { testPlan, testSite } from '../../policy/site.support.js';
import { Ledger, type LocalFacts } from '../../state/index.js';
import { opened } from '../../state/state.support.js';
import { agreement, federation, run } from '../audits/closed-round.support.js';
import { type ChargePlace, chargeStatement, eventOf, verifyRunAffordable } from './charge.js';

const plan = testPlan({
  prepare: [{ step: 'log2-cpm' }],
  evaluation: { split: 'none' },
  privacy: {
    ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 4, samplingRate: 1 },
    ...{ localSteps: 4, clipNorm: 1, delta: 1e-3 },
  },
});
const contract = { ...agreement.contract, plan };
const program = new RunProgram(contract);
program.setInitialModel(0, new Uint8Array(32));
const site = testSite(federation);

/** A round of the run at a site with a ledger, and what it has computed. */
function placeOf(options: ConstructorParameters<typeof Ledger>[1] = {}) {
  const ledger = new Ledger(opened(), options);
  const computed = new Map<number, LocalFacts>();
  const runs = { local: (_: string, round: number) => computed.get(round) };
  const place = (round: number): ChargePlace => {
    const scheduled = program.schedule[round]!;
    const open = { attempt: 0, prevTranscriptHash: new Uint8Array(32), deadlines: [1, 2, 3, 4, 5] };
    const session = { run, agreement: { contract }, site: { ledger, runs, site } };
    return {
      ...{ session, round: scheduled, manifest: program.manifest(scheduled, open) },
    } as unknown as ChargePlace;
  };
  const charge = (round: number, attempt = 0) =>
    ledger.charge({ dataset: 'toy', run, round, attempt, event: eventOf(place(round), 1) });
  return { ledger, computed, place, charge };
}
const facts = (release: string): LocalFacts => ({ file: 'x', extras: {}, weight: 1, release });

describe('the charge of a round of private training', () => {
  it('is its steps, and with the first round of a run the count of patients', () => {
    const { place, charge, computed } = placeOf();
    const about = { purpose: Purpose.train, step: 'train', unit: 'patient', sampler: 'float64-rounded/2' };
    expect(eventOf(place(0), 1)).toMatchObject({ ...about, q: '1', z: '4', steps: 4, counted: '10' });
    computed.set(0, facts('aa'.repeat(32)));
    charge(0);
    const later = eventOf(place(1), 1);
    expect(later).toMatchObject({ ...about, steps: 4 });
    expect(later).not.toHaveProperty('counted');
  });

  it('is not repeated for the very same update, and is for one with fresh noise', () => {
    const { ledger, computed, charge } = placeOf();
    computed.set(0, facts('aa'.repeat(32)));
    const { seq } = charge(0);
    expect(charge(0, 1).seq).toBe(seq);
    computed.set(0, facts('bb'.repeat(32)));
    expect(charge(0, 2).seq).toBe(1);
    // the same bytes in another round are another release
    computed.set(1, facts('aa'.repeat(32)));
    expect(charge(1).seq).toBe(2);
    expect(ledger.size()).toBe(3);
  });

  it('is asked for before anything is trained, for all rounds of the run together', () => {
    // 12 steps of z = 4 and a count of z = 10: μ² = 12/16 + 1/100
    const cost = gaussianEpsilon(Math.sqrt(12 / 16 + 1 / 100), 1e-3);
    const at = (epsilon: number) => placeOf({ budget: { epsilon, delta: 1e-3, minNoise: 0 } }).ledger;
    const begin = (ledger: Ledger) => () => verifyRunAffordable(contract, run, { ledger, site });
    expect(begin(at(cost * 1.001))).not.toThrow();
    expect(begin(at(cost * 0.999))).toThrow(expect.objectContaining({ code: 'E_BUDGET' }));
    expect(begin(placeOf({ budget: { epsilon: 9, delta: 1e-3, minNoise: 4.1 } }).ledger)).toThrow(
      expect.objectContaining({ code: 'E_BUDGET', message: expect.stringContaining('below 4.1') }),
    );
  });

  it('stands in the log with what was spent before and after, where a budget is kept', () => {
    const { ledger, charge, place } = placeOf({ budget: { epsilon: 9, delta: 1e-3, minNoise: 0 } });
    const event = eventOf(place(0), 1);
    const [first, second] = [charge(0), charge(1)];
    const one = chargeStatement(ledger, 'toy', first.seq, event);
    const two = chargeStatement(ledger, 'toy', second.seq, event);
    expect(one).toMatchObject({ ledgerSeq: 0, before: '0', event: 'gaussian' });
    expect(two).toMatchObject({ ledgerSeq: 1, before: one?.after });
    expect(Number(two?.after)).toBeGreaterThan(Number(one?.after));
    expect(chargeStatement(placeOf().ledger, 'toy', 0, event)).toBeNull();
    expect(chargeStatement(ledger, 'toy', 0, { mechanism: 'none', purpose: 0, step: 'train' })).toBeNull();
  });
});
