import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isRegulonError } from '@regulon/shared/errors';
import { type ChargedEvent, spendingOf } from '@regulon/shared/privacy';
import { trainingEvent } from '@regulon/shared/program';
import { testPlan } from '../policy/site.support.js';
import { Ledger } from './ledger.js';
import { SiteState } from './site-state.js';
import { closed, opened, pins, stateFolder } from './state.support.js';

const budget = { epsilon: 2, delta: 1e-5, minNoise: 3 };
const RUNS = [`run_${'07'.repeat(16)}`, `run_${'08'.repeat(16)}`] as const;

/** Mostly what a plan may hold, sometimes what no plan should. */
const mostly = <T>(good: readonly T[], hostile: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...hostile) },
  );
const section = fc.record({
  noiseMultiplier: mostly([3, 4, 6, 9], [2.99, 0.5, 1e-9, 0, -4, NaN, Infinity]),
  samplingRate: mostly([1], [0, 2, -1, NaN]),
  localSteps: mostly([1, 2, 3, 4], [0, 1.5, -1, 1e9]),
  clipNorm: mostly([1], [0, -1, NaN]),
});
const FATES = [
  'committed',
  'committed',
  'rolled back',
  'dies before the anchor',
  'restart',
  'restored',
] as const;
const step = fc.record({
  /** null: a plan that claims no privacy */
  section: fc.option(section, { freq: 8 }),
  run: fc.constantFrom(...RUNS),
  round: fc.integer({ min: 0, max: 3 }),
  attempt: fc.integer({ min: 0, max: 2 }),
  /** which of the updates that were ever computed for the round is sent */
  update: fc.integer({ min: 0, max: 2 }),
  /** two runs at a time hold a ledger each, over one database */
  ledger: fc.constantFrom(0, 1),
  fate: fc.constantFrom(...FATES),
});

/** A site whose process may die, and whose files may be put back; it releases what its ledger has charged. */
class Site {
  private readonly folder = stateFolder();
  private readonly copy = `${this.folder}.copy`;
  private state = opened(this.folder);
  private ledgers = this.open();
  /** what left, by the bytes */
  readonly released = new Map<string, ChargedEvent>();

  private open(): readonly [Ledger, Ledger] {
    return [new Ledger(this.state, { budget }), new Ledger(this.state, { budget })];
  }

  /** @throws what the plan, the accountant or the ledger refuse */
  release({ section, run, round, attempt, update, ledger, fate }: Step): void {
    const own = this.ledgers[ledger];
    const isCounted = own
      .list('d')
      .some((charge) => charge.run === run && charge.event.mechanism === 'gaussian' && charge.event.counted);
    const event = eventOf(section, !isCounted, `${round}${update}`);
    this.state.db.pragma('wal_checkpoint(TRUNCATE)');
    if (fate === 'restored') copyFileSync(join(this.folder, 'daemon.sqlite'), this.copy);
    this.state.transact('step', () => {
      own.charge({ dataset: 'd', run, round, attempt, event });
      // between the charge and its commit
      if (fate === 'rolled back') throw new RangeError('the process died');
    });
    if (fate !== 'dies before the anchor') own.settle();
    const bytes = event.mechanism === 'gaussian' ? (event.release ?? '') : `exact ${attempt}`;
    const known = `${run} ${round} ${bytes}`;
    if (!this.released.has(known)) this.released.set(known, event);
  }

  again(fate: Step['fate']): void {
    // nobody else works on the folder meanwhile
    expect(() => SiteState.open(this.folder, pins)).toThrow(
      expect.objectContaining({ code: 'E_STATE_LOCKED' }),
    );
    if (fate === 'committed' || fate === 'rolled back') return;
    closed(this.state);
    if (fate === 'restored') this.restore();
    this.state = opened(this.folder);
    this.ledgers = this.open();
  }

  /** An old copy of the database opens no ledger that has charged more since; then the newest is put back. */
  private restore(): void {
    const path = join(this.folder, 'daemon.sqlite');
    const newest = `${this.folder}.newest`;
    copyFileSync(path, newest);
    try {
      copyFileSync(this.copy, path);
    } catch {
      return;
    }
    try {
      const state = opened(this.folder);
      try {
        expect(new Ledger(state, { budget }).size()).toBe(this.size());
      } finally {
        closed(state);
      }
    } catch (error) {
      if (!isRegulonError(error, 'E_LEDGER') && !isRegulonError(error, 'E_QUARANTINE')) throw error;
    }
    copyFileSync(newest, path);
    rmSync(this.copy);
  }

  size(): number {
    return this.released.size;
  }

  end(): number {
    const { length } = this.ledgers[0].list();
    closed(this.state);
    rmSync(this.folder, { recursive: true });
    return length;
  }
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a daemon charges for a round of the plan. @throws E_PLAN for a plan that is none */
function eventOf(privacy: Step['section'], counted: boolean, update: string): ChargedEvent {
  if (privacy === null) return { mechanism: 'none', purpose: 0, step: 'train' };
  const claim = { unit: 'patient', adjacency: 'add-or-remove-one', recordsPerPatient: 1, delta: 1e-5 };
  const plan = testPlan({
    prepare: [{ step: 'log2-cpm' }],
    ...{ evaluation: { split: 'none' }, privacy: { ...claim, ...privacy } },
  });
  const event = trainingEvent(plan.privacy!, { rounds: 1, counted });
  return { ...event, release: update.padStart(64, '0') };
}

describe('a hostile plan', () => {
  it('cannot make a daemon spend one unit more than its policy, whatever crashes, retries and copies come', () => {
    const codes = new Set<string>();
    let most = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 4, maxLength: 14 }), (story) => {
        const site = new Site();
        for (const one of story) {
          try {
            site.release(one);
          } catch (error) {
            if (isRegulonError(error)) codes.add(error.code);
            else if (!(error instanceof RangeError)) throw error;
          }
          site.again(one.fate);
        }
        const events = [...site.released.values()].map((event) => ({ event }));
        const { epsilon } = spendingOf(events, budget.delta);
        most = Math.max(most, epsilon);
        expect(epsilon).toBeLessThanOrEqual(budget.epsilon);
        expect(site.end()).toBe(events.length);
      }),
      { seed: 11, numRuns: 40, endOnFailure: true },
    );
    // the stories reach the budget, and everything that refuses
    expect(most).toBeGreaterThan(0.9 * budget.epsilon);
    expect([...codes].sort()).toEqual(['E_BUDGET', 'E_LEDGER', 'E_PLAN']);
  });
});
