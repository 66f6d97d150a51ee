import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_FOLD, type UnitSets } from '../unit-sets/index.js';
import { AnsweredTable } from './answered.js';
import { SiteState } from './site-state.js';
import { temporaryFolder } from './temporary-folder.support.js';
import { UnitSetTable } from './unit-set-table.js';

let state: SiteState;
let table: UnitSetTable;
beforeEach(() => {
  const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
  state = SiteState.open(join(temporaryFolder('unit-sets'), 'state'), pins);
  table = new UnitSetTable(state);
});
afterEach(() => state.close());

const sets = (first: number): UnitSets => ({
  ...{ units: new Uint8Array(48).fill(first), folds: Uint8Array.of(NO_FOLD), heldOut: [0, 3] },
  levels: Uint32Array.of(first, 2 ** 31),
});

const answer = (run: string, relaxed: boolean): void =>
  new AnsweredTable(state).insert(
    {
      ...{ run, round: 0, attempt: 0, purpose: 1, stepId: 'counts', arm: 0, iteration: 0, modelHash: run },
      ...{ planHash: run, h3: new Uint8Array(32), cohort: [1], relaxed, answer: new Uint8Array() },
      reopened: false,
    },
    false,
  );

describe('the units behind the sums of a site', () => {
  it('are found again as they were', () => {
    table.save('run_1', sets(1));
    expect(table.find('run_1')).toEqual(sets(1));
    expect(table.find('run_2')).toBeUndefined();
  });

  it('count from the first exact answer of their run, for every other run with other units', () => {
    table.save('run_1', sets(1));
    table.save('run_2', sets(2));
    table.save('run_3', sets(1));
    expect(table.answered('run_2')).toEqual([]);
    answer('run_1', true);
    expect(table.answered('run_2')).toEqual([]);
    answer('run_3', false);
    expect(table.answered('run_2')).toEqual([sets(1)]);
    expect(table.answered('run_1')).toEqual([]);
  });
});
