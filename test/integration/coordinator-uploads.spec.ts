import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import type { SimulatedSite, StageNotice } from '../support/coordinator/simulated-site.js';
import { toyPlan } from '../support/toy-plan.js';

const TRAINING = 1;
const BROKEN = 2;
const STRIKES = 3;

describe('uploads of a round', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-uploads-'));
    const environment = { aggregator: new InlineAggregator(), fatal: (e: unknown) => void fatal.push(e) };
    federation = new SimulatedFederation(folder, 5, {}, environment);
    await federation.open();
  });
  afterEach(async () => {
    await federation.close();
    expect(fatal.splice(0)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  /** @param before what site 2 does instead of its upload in the training round */
  async function runWith(before: (site: SimulatedSite, notice: StageNotice) => Promise<void>) {
    federation.connect({
      [BROKEN]: {
        before: async (site, notice) => {
          if (notice.stage === 'r2' && notice.round === TRAINING) await before(site, notice);
        },
      },
    });
    await federation.prepare();
    const rounds = { prepare: [], training: { rounds: 2, optimizer: { name: 'adam' } } };
    return federation.finished(await federation.submit(toyPlan(federation.names, rounds)));
  }
  const askLease = ({ run, round, attempt }: StageNotice) =>
    federation.gateway.control.exchange(BROKEN, { type: 'acquireLease', run, round, attempt });

  it('go on at once without a site that broke their rules three times', async () => {
    const struck = async (_site: SimulatedSite, notice: StageNotice): Promise<void> => {
      const round = federation.core.runs.driverOf(notice.run)?.round;
      const uploadId = round?.current?.uploadId(BROKEN) ?? new Uint8Array(16);
      for (let strike = 0; strike < STRIKES; strike++) {
        const lease = await askLease(notice);
        const leaseId = lease.type === 'acquireLease' ? lease.leaseId : new Uint8Array(16);
        const session = await federation.gateway.bulk.open(BROKEN, { uploadId, leaseId });
        await session.discard('a gap');
      }
      throw new Error('this site sends no more');
    };
    const document = await runWith(struck);
    expect(document).toMatchObject({ status: 'COMPLETED_PARTIAL' });
    expect(document.rounds.map(({ round, survivors }) => [round, survivors.includes(BROKEN)])).toContainEqual(
      [TRAINING, false],
    );
    expect(document.rounds.filter(({ survivors }) => survivors.length < 5)).toHaveLength(1);
  });

  it('begin no more while the event loop lags, and do so afterwards', async () => {
    const loop = { maxMs: 0, recentMs: 0 };
    federation.core.monitor.add(loop);
    const replies: unknown[] = [];
    const document = await runWith(async (_site, notice) => {
      loop.recentMs = 201;
      replies.push(await askLease(notice));
      loop.recentMs = 0;
    });
    expect(replies).toEqual([expect.objectContaining({ leaseId: new Uint8Array(0), fence: 0 })]);
    expect(replies[0]).toMatchObject({ retryAfterMs: expect.any(Number) });
    expect(document).toMatchObject({ status: 'COMPLETED' });
  });
});
