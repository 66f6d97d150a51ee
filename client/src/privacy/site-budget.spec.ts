import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ChargedEvent } from '@regulon/shared/privacy';
import { Ledger, type SiteState } from '../state/index.js';
import { opened, stateFolder } from '../state/state.support.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { type BudgetPlace, siteBudgetOf } from './site-budget.js';

const noisy = (z: string): ChargedEvent => ({
  ...{ mechanism: 'gaussian', q: '1', z, steps: 1, unit: 'patient', adjacency: 'add-or-remove-one' },
  ...{ sampler: 'float64-rounded', purpose: 0, step: 'train' },
});

/** A site whose policy has these lines, and its state. */
function siteWith(policy: string): { place: BudgetPlace; state: SiteState } {
  const policyFile = join(temporaryFolder('policy'), 'policy.yaml');
  writeFileSync(policyFile, `schema: regulon.site-policy/1\npurposes: [research]\n${policy}`);
  const folder = stateFolder();
  return { place: { policyFile, stateFolder: folder, dataset: { name: 'd' } }, state: opened(folder) };
}
const budget = 'privacy: { epsilon: 3, delta: 0.00001, minNoise: 1 }\n';

describe('the budget of a site', () => {
  it('is what its policy allows less what the ledger says, by run, while the daemon runs', () => {
    const { place, state } = siteWith(budget);
    const ledger = new Ledger(state, { budget: { epsilon: 3, delta: 1e-5, minNoise: 1 } });
    ledger.charge({ dataset: 'd', run: 'run_a', round: 0, attempt: 0, event: noisy('4') });
    ledger.charge({ dataset: 'd', run: 'run_a', round: 1, attempt: 0, event: noisy('4') });
    ledger.charge({ dataset: 'd', run: 'run_b', round: 0, attempt: 0, event: noisy('4') });
    ledger.charge({ dataset: 'd', run: 'run_b', round: 0, attempt: 1, event: noisy('4') });
    ledger.charge({ dataset: 'other', run: 'run_c', round: 0, attempt: 0, event: noisy('4') });
    ledger.settle();
    const found = siteBudgetOf(place);
    // four steps of z = 4 are one of z = 2
    expect(found.spent).toMatchObject({ by: 'exact', charges: 4, delta: 1e-5 });
    expect(found.spent.epsilon).toBeCloseTo(1.9930914044, 9);
    expect(found.left).toBeCloseTo(3 - 1.9930914044, 9);
    expect(found.runs).toEqual([
      { run: 'run_a', charges: 2, mechanisms: ['gaussian'] },
      { run: 'run_b', charges: 2, mechanisms: ['gaussian'] },
    ]);
  });

  it('is unbounded spending where a sum without noise was released', () => {
    const { place, state } = siteWith('');
    const ledger = new Ledger(state);
    const event = { mechanism: 'none', purpose: 1, step: 'counts' } as const;
    ledger.charge({ dataset: 'd', run: 'run_a', round: 0, attempt: 0, event });
    expect(siteBudgetOf(place)).toMatchObject({
      budget: null,
      left: null,
      spent: { epsilon: Infinity, by: 'none' },
    });
  });

  it('is refused of a ledger that was edited, and where there is none', () => {
    const { place, state } = siteWith(budget);
    const ledger = new Ledger(state);
    ledger.charge({ dataset: 'd', run: 'run_a', round: 0, attempt: 0, event: noisy('4') });
    state.db.exec(
      `DROP TRIGGER ledger_is_append_only; UPDATE ledger SET event = replace(event, '"4"', '"40"')`,
    );
    expect(() => siteBudgetOf(place)).toThrow(expect.objectContaining({ code: 'E_LEDGER' }));
    const nowhere = { ...place, stateFolder: join(place.stateFolder, 'none') };
    expect(() => siteBudgetOf(nowhere)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });
});
