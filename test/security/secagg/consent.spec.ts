import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import type { SiteId } from '@regulon/shared/secagg';
import { DaemonSite } from '../support/daemon-site.js';
import type { LyingCoordinator } from '../support/lying-coordinator.js';
import { coordinatorOf, OWN, privateRun } from '../support/private-run.js';

const all: SiteId[] = [1, 2, 3, 4, 5];
const never = new AbortController().signal;

describe('a plan that its steward takes back in the middle of a round', () => {
  const agreement = privateRun();
  let daemon: DaemonSite;
  let coordinator: LyingCoordinator;
  beforeEach(() => {
    daemon = new DaemonSite();
    coordinator = coordinatorOf(agreement);
  });
  afterEach(() => daemon.stop());
  const takeBack = (): void => {
    daemon.verifyConsent = () => {
      throw new RegulonError('E_POLICY', 'the steward of a has taken the plan back');
    };
  };

  it('after the contribution was logged: not a byte of it is uploaded, though the coordinator asks again', async () => {
    const attempt = daemon.join(agreement, coordinator);
    daemon.show('advertised', coordinator.keys(all));
    await attempt.share(never);
    coordinator.deal([2, 3, 4, 5], all);
    daemon.show('deliveries', coordinator.deliveries(OWN, all));
    takeBack();
    await expect(attempt.contribute(never)).rejects.toMatchObject({ code: 'E_POLICY' });
    expect(daemon.entries()).toHaveLength(2);
    await expect(daemon.restore(agreement, coordinator)?.contribute(never)).rejects.toMatchObject({
      code: 'E_POLICY',
    });
    expect(coordinator.site(OWN).commit).toBeUndefined();
  });

  it('after the receipt: what has left is part of the sum, and the others are answered', async () => {
    const attempt = await daemon.contributed(agreement, coordinator);
    takeBack();
    await daemon.released(attempt, coordinator, all);
    expect(daemon.sent.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['shareKeys', 'consistency', 'unmask']),
    );
  });
});
