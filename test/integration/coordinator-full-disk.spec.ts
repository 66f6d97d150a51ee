import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator, type Job, type ResultOf } from '@regulon/coordinator/aggregation';
import { type Clock, systemClock } from '@regulon/coordinator/rounds';
import { RegulonError } from '@regulon/shared/errors';
import { verifyBundle } from '@regulon/shared/transparency';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { toyPlan } from '../support/toy-plan.js';
import { until } from '../support/until.js';

/** What a full volume says to a file, and to SQLite at its commit. */
const fullVolume = (): Error => new RegulonError('E_DISK_FULL', 'the volume of the state folder is full');
const fullDatabase = (): Error =>
  Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });

/** Has no room for the sum of the first round, once. */
class FullAggregator extends InlineAggregator {
  folds = 0;

  constructor(private readonly onServerStep: () => void) {
    super();
  }

  override async run<J extends Job>(job: J): Promise<ResultOf[J['kind']]> {
    if (job.kind === 'fold' && this.folds++ === 0) throw fullVolume();
    const result = await super.run(job);
    if (job.kind === 'server-step') this.onServerStep();
    return result;
  }
}

describe('a volume that is full when a round closes', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  /** waits are cut short: what is tried again later is tried again soon */
  const clock: Clock = {
    now: () => Date.now(),
    after: (ms, call) => systemClock.after(Math.min(ms, 50), call),
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-full-'));
  });
  afterEach(async () => {
    await federation.close();
    rmSync(folder, { recursive: true });
  });

  it('keeps program and round where the journal is, and closes when there is room again', async () => {
    let failsCommit = false;
    const refused: { program: number | undefined; phase: string | undefined; rows: number }[] = [];
    const aggregator = new FullAggregator(() => (failsCommit ||= refused.length === 0));
    federation = new SimulatedFederation(
      folder,
      5,
      {},
      { aggregator, clock, fatal: (e) => void fatal.push(e) },
    );
    await federation.open();
    const { store, runs } = federation.core;
    const transaction = store.transaction.bind(store);
    // everything is written, and then the volume is full: SQLite takes all of it back
    store.transaction = <T>(work: () => T, durable?: boolean): T => {
      if (!failsCommit || store.raw.inTransaction) return transaction(work, durable);
      const inside = (): T => {
        const result = work();
        const [live] = runs.live;
        const closes = store.raw.prepare('SELECT count(*) FROM outcomes').pluck().get() === 2;
        if (!closes || !live) return result;
        failsCommit = false;
        setImmediate(() => {
          const rows = store.raw.prepare('SELECT count(*) FROM outcomes').pluck().get() as number;
          refused.push({ program: live.context.program.next()?.round, phase: live.round?.phase, rows });
        });
        throw fullDatabase();
      };
      return transaction(inside, durable);
    };
    federation.connect();
    await federation.prepare();
    const rounds = { prepare: [], training: { rounds: 2, optimizer: { name: 'adam' } } };
    const run = await federation.submit(toyPlan(federation.names, rounds));
    await until(() => refused.length > 0);
    expect(refused).toEqual([{ program: 1, phase: 'fold', rows: 1 }]);
    expect(await federation.finished(run)).toMatchObject({ status: 'COMPLETED', reason: null });
    expect(aggregator.folds).toBeGreaterThan(4);
    expect(fatal).toEqual([]);
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
    });
    expect(report.firstLine).toMatch(/^PASS/);
  });
});
