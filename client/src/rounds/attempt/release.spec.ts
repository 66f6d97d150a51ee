import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { concatBytes, sha256, u32, utf8 } from '@regulon/shared/crypto';
import { Purpose } from '@regulon/shared/program';
import { AnsweredTable, SiteState, UnitSetTable } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { NO_FOLD, type UnitSets } from '../../unit-sets/index.js';
import { ClosedRound } from '../audits/closed-round.support.js';
import { testFederation } from '../../policy/site.support.js';
import { recordAnswer, type ReleasePlace, verifyRelease } from './release.js';

let state: SiteState;
let answered: AnsweredTable;
let unitSets: UnitSetTable;
beforeEach(() => {
  const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
  state = SiteState.open(join(temporaryFolder('release'), 'state'), pins);
  answered = new AnsweredTable(state);
  unitSets = new UnitSetTable(state);
  for (const run of ['run_1', 'run_2']) unitSets.save(run, unitsOf(20));
});
afterEach(() => state.close());

const closed = new ClosedRound();
const plan = { model: { blocks: [{ name: 'omic', owners: ['a', 'b', 'c', 'd'] }] }, deadlines: {} };
const sites = ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({ id: i + 1, name }));
const place = (run: string, purpose: Purpose = Purpose.statistics): ReleasePlace =>
  ({
    opened: { u1: 5 },
    session: {
      run,
      agreement: { contract: { isPublic: false, plan, sites }, uncounted: [] },
      program: { weightSpecs: () => [{ block: 'omic', offset: 2, size: 7, denominator: 1 }] },
      site: {
        federation: testFederation(),
        ...{ answered, unitSets, outbox: { append: () => undefined } },
        site: { policy: { stableCohort: false, leaveSiteOut: 'off' } },
      },
    },
    round: { ...closed.program.schedule[0], purpose },
    manifest: { ...closed.manifest, planHash: sha256(utf8(run)) },
  }) as unknown as ReleasePlace;

/** The first units of a dataset, without folds and levels. */
function unitsOf(count: number): UnitSets {
  const units = Array.from({ length: count }, (_, unit) =>
    concatBytes(...['id', 'values', 'id'].map((what) => sha256(utf8(what), u32(unit)).slice(0, 16))),
  ).sort((a, b) => Buffer.compare(a, b));
  return {
    ...{ units: concatBytes(...units), folds: new Uint8Array(count).fill(NO_FOLD), heldOut: [] },
    levels: new Uint32Array(0),
  };
}

/** An answer over these survivors. */
const answerOver = (u3: readonly number[]) => {
  const entries = [1, 2, 3, 4, 5].map((about) => {
    const kind = u3.includes(about) ? (0 as const) : (1 as const);
    return { kind, about, share: new Uint8Array(32), r: new Uint8Array(16) };
  });
  const answer = { id: 1, entries, sig: new Uint8Array(64) };
  return { ctx: closed.ctx, h3: sha256(u32(u3.length)), answer, signatures: [] };
};

describe('the answer of R4', () => {
  it('is refused when another sum was released since R3 whose cohort differs', () => {
    const all = [1, 2, 3, 4, 5];
    expect(() => verifyRelease(place('run_1'), all)).not.toThrow();
    // another run, meanwhile
    state.transact('answer', () => recordAnswer(place('run_2'), answerOver([1, 2, 3, 4])));
    const late = () => state.transact('answer', () => recordAnswer(place('run_1'), answerOver(all)));
    expect(late).toThrow(expect.objectContaining({ code: 'E_U3' }));
    expect(answered.find('run_1', 0)).toBeUndefined();
  });

  it('is refused when a sum over almost the same units was released since the run began', () => {
    const all = [1, 2, 3, 4, 5];
    unitSets.save('run_2', unitsOf(21));
    expect(() => verifyRelease(place('run_1'), all)).not.toThrow();
    state.transact('answer', () => recordAnswer(place('run_2'), answerOver(all)));
    expect(() => verifyRelease(place('run_1'), all)).toThrow(/all units\) differ by fewer than 5 patients/);
    unitSets.save('run_1', unitsOf(26));
    expect(() => verifyRelease(place('run_1'), all)).not.toThrow();
  });

  it('is not given for a run whose units are not known', () => {
    expect(() => verifyRelease(place('run_3'), [1, 2, 3, 4, 5])).toThrow('are not known at this site');
  });

  it('is written down for the same cohort', () => {
    const answer = (run: string) => recordAnswer(place(run), answerOver([1, 2, 3, 4]));
    state.transact('answer', () => answer('run_1'));
    state.transact('answer', () => answer('run_2'));
    expect(answered.find('run_2', 0)?.cohort).toEqual([1, 2, 3, 4]);
  });

  it('is refused for a training round over too few owners of a block', () => {
    const training = place('run_1', Purpose.train);
    const over = (u3: readonly number[]) => () =>
      state.transact('answer', () => recordAnswer(training, answerOver(u3)));
    expect(over([1, 2, 3, 5])).toThrow(/block omic would be summed over 3 of its owners, 4 are needed/);
    expect(answered.find('run_1', 0)).toBeUndefined();
    expect(over([1, 2, 3, 4])).not.toThrow();
    expect(answered.find('run_1', 0)?.cohort).toEqual([1, 2, 3, 4]);
  });
});
