import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parsePlan, planHashOf } from '@regulon/shared/plan';
import type { SiteId } from '@regulon/shared/secagg';
import type { Agreement } from '@regulon/client/policy';
import { seriesPlan, siteNames } from '../../../client/src/policy/site.support.js';
import { DaemonSite } from '../support/daemon-site.js';
import { coordinatorOf, privateRun } from '../support/private-run.js';
import { refused } from '../support/refused.js';

const four = siteNames.slice(0, 4);

/** A run that begins with training, in which some sites own the recurrent block; without owners all train it. */
function runOf(id: number, owners?: readonly string[]): Agreement {
  const agreement = privateRun(undefined, id);
  const owned = owners ? { aggregate: 'owners', owners, denominator: 2 } : {};
  const blocks = [
    { name: 'series', ...owned, layers: [{ type: 'gru', units: 4 }] },
    { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
  ];
  const plan = parsePlan({ ...seriesPlan(), model: { blocks }, title: `run ${id}` });
  return { ...agreement, contract: { ...agreement.contract, plan, planHash: planHashOf(plan) } };
}

let daemon: DaemonSite;
beforeEach(() => void (daemon = new DaemonSite()));
afterEach(() => daemon.stop());
const sent = (type: string): number => daemon.sent.filter((request) => request.type === type).length;

/** The daemon contributes with everybody, and is asked to confirm and to answer for these survivors. */
async function released(agreement: Agreement, u3: readonly SiteId[]): Promise<void> {
  const coordinator = coordinatorOf(agreement);
  await daemon.released(await daemon.contributed(agreement, coordinator), coordinator, u3);
}

describe('a block that only some sites train', () => {
  it('is E_U3 in R3 over three of its four owners, however many survive: nothing is signed, nothing answered', async () => {
    const few = released(runOf(7, four), [1, 2, 3, 5]);
    await expect(few).rejects.toThrow(
      refused('E_U3', /block series would be summed over 3 of its owners, 4 are needed/),
    );
    expect([sent('consistency'), sent('unmask')]).toEqual([0, 0]);
  });

  it('is released over all its owners, whoever else is missing', async () => {
    await released(runOf(7, four), [1, 2, 3, 4]);
    expect([sent('consistency'), sent('unmask')]).toEqual([1, 1]);
    expect(daemon.answered.exact()).toMatchObject([{ cohort: [1, 2, 3, 4] }]);
  });

  it('control: the same survivors are released where every site trains the block', async () => {
    await released(runOf(7), [1, 2, 3, 5]);
    expect(sent('unmask')).toBe(1);
  });
});
