import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Aggregator, InlineAggregator } from '@regulon/coordinator/aggregation';
import { MaskedVectorFolder } from '@regulon/cli/audit';
import { parsePlan, planHashOf } from '@regulon/shared/plan';
import { parseRunName } from '@regulon/shared/program';
import { digestText, verifyBundle } from '@regulon/shared/transparency';
import type { SimulatedSite, StageNotice } from '../support/coordinator/simulated-site.js';
import { type Clock, systemClock } from '@regulon/coordinator/rounds';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { toyPlan } from '../support/toy-plan.js';

describe('coordinator with sites at its gateway', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  const environment = {
    aggregator: new InlineAggregator(),
    fatal: (error: unknown) => void fatal.push(error),
  };
  const runId = '07'.repeat(16);

  beforeEach(() => {
    fatal.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'regulon-coordinator-'));
  });
  afterEach(async () => {
    await federation.close();
    expect(fatal).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  async function started(
    count = 5,
    config: Record<string, unknown> = {},
    more: { readonly aggregator?: Aggregator; readonly clock?: Clock } = {},
  ): Promise<void> {
    federation = new SimulatedFederation(
      folder,
      count,
      { allowTesting: true, testing: { runId }, ...config },
      { ...environment, ...more },
    );
    await federation.open();
  }

  it('takes a plan from proposal to result, with evidence that an auditor accepts', async () => {
    await started();
    federation.connect();
    await federation.prepare();
    const run = await federation.submit();
    const document = await federation.finished(run);
    expect(document.reason).toBeNull();
    expect(document.status).toBe('COMPLETED');
    expect(document.curve.map((p) => [p.loss, p.accuracy, p.survivors])).toEqual(
      Array(3).fill([0.5, 0.25, 5]),
    );
    expect(document.result?.pooled).toMatchObject({ count: 25, accuracy: 0.8 });
    const { runs } = federation.core.views.list();
    expect(runs).toMatchObject([{ run, sites: 5, rounds: { closed: 7, of: 7 }, reason: null }]);
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
    });
    expect(report.rules.filter((r) => r.status === 'fail')).toEqual([]);
  });

  it('keeps the masked vectors of the survivors where it is told to, and an auditor replays every sum from them', async () => {
    await started(6, { retention: { spools: 'keep' } });
    federation.connect();
    await federation.prepare();
    const run = await federation.submit();
    expect(await federation.finished(run)).toMatchObject({ status: 'COMPLETED' });
    const vectors = new MaskedVectorFolder(join(folder, 'state', 'spool'));
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
      maskedVectors: vectors.of,
    });
    vectors.close();
    expect(report.rules.find(({ id }) => id === 'S3')).toMatchObject({
      ...{ status: 'pass', note: '7 of 7 rounds replayed' },
    });
  });

  it('aborts before anything is asked of the sites when one has another gene panel', async () => {
    await started();
    federation.connect();
    await federation.prepare({ 3: 'H' });
    const document = await federation.finished(await federation.submit());
    expect(document).toMatchObject({ status: 'ABORTED', reason: { code: 'E_PANEL' }, rounds: [] });
    expect(document.reason?.message).toContain('site-3');
  });

  it('starts only when every steward has approved', async () => {
    await started();
    federation.connect();
    await federation.prepare();
    const run = await federation.submit(toyPlan(federation.names), federation.names.slice(0, 4));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(federation.core.views.run(run).status).toBe('QUEUED');
    expect(federation.core.views.run(run).sites.map((s) => s.approved)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    federation.core.runs.stop(run);
    expect(federation.core.views.run(run)).toMatchObject({
      status: 'ABORTED',
      reason: { code: 'E_RUN_ABORTED' },
    });
  });

  it('does not go on with a run that was stopped while its start was being published', async () => {
    await started();
    federation.connect();
    await federation.prepare();
    const run = await federation.submit();
    const { views, runs, sequencer } = federation.core;
    while (views.run(run).status === 'QUEUED') await new Promise((resolve) => setImmediate(resolve));
    runs.stop(run);
    expect(views.run(run)).toMatchObject({ status: 'ABORTED', reason: { code: 'E_RUN_ABORTED' } });
    // the next run starts only after the start of this one is through
    const next = await federation.finished(await federation.submit(toyPlan(federation.names, { seed: 4 })));
    expect(next.status).toBe('COMPLETED');
    expect(views.run(run)).toMatchObject({ status: 'ABORTED', rounds: [] });
    expect(sequencer.indexesOf(run, 'run.finish')).toHaveLength(1);
  });

  it('ends a run that is stopped while a round closes with what was closed before', async () => {
    const inline = new InlineAggregator();
    const aggregator: Aggregator = {
      run: async (job) => {
        const result = await inline.run(job);
        // the model of the round is made, its evidence is written next
        if (job.kind === 'server-step') setImmediate(() => federation.core.runs.stop(run));
        return result;
      },
      close: () => inline.close(),
    };
    await started(5, {}, { aggregator });
    federation.connect();
    await federation.prepare();
    const run = await federation.submit();
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'ABORTED', reason: { code: 'E_RUN_ABORTED' }, curve: [] });
    expect(document.rounds.map((round) => round.purpose)).toEqual(Array(3).fill('statistics'));
  });

  it('shows and keeps no words of a site that refuses with a code nobody knows', async () => {
    await started();
    const refuses = {
      before: async (site: SimulatedSite, notice: StageNotice): Promise<void> => {
        const { run, round, attempt, stage } = notice;
        if (stage !== 'r1') return;
        await site.ask({ type: 'refuse', run, round, attempt, stage, code: 'Jane Doe' });
        throw new Error('does not answer');
      },
    };
    federation.connect({ 1: refuses });
    await federation.prepare();
    const run = await federation.submit();
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'FAILED', reason: { code: 'E_POLICY' } });
    const events: unknown[] = [];
    federation.core.runs.eventsOf(parseRunName(run)).follow(0, (event) => events.push(event));
    expect(events).toContainEqual(expect.objectContaining({ state: 'refused', site: 1, code: 'E_POLICY' }));
    expect(JSON.stringify([events, document])).not.toContain('Jane');
  });

  it('keeps the sums of a run for its audits, and removes them when a later one starts, when it is told to', async () => {
    let ahead = 0;
    const clock = { ...systemClock, now: () => Date.now() + ahead };
    await started(5, { retention: { aggregates: 'run' } }, { clock });
    federation.connect();
    await federation.prepare();
    const { views, store } = federation.core;
    // with other weights the sums are others: equal ones would be one file
    const plan = (weightCap: number): Record<string, unknown> =>
      toyPlan(federation.names, { secureAggregation: { weightCap } });
    const sumsOf = (run: string): unknown =>
      store.raw
        .prepare("SELECT count(*) FROM blobs WHERE kind = 'aggregate' AND run_id = ?")
        .pluck()
        .get(parseRunName(run));
    const run = await federation.submit(plan(64));
    const { modelDigest } = await federation.finished(run);
    expect(sumsOf(run)).toBeGreaterThan(0);
    const specification = await views.modelSpecification(modelDigest ?? '');
    expect(specification.run).toBe(run);
    // who has the model reads of the plan what it is for
    const { plan: sent } = JSON.parse(JSON.stringify(specification)) as { plan: unknown };
    expect(digestText(planHashOf(parsePlan(sent)))).toBe(views.run(run).planHash);
    // its sites have had ten minutes for its last round
    ahead = 600_001;
    const next = await federation.submit(plan(128));
    expect(await federation.finished(next)).toMatchObject({ status: 'COMPLETED' });
    expect(sumsOf(run)).toBe(0);
    expect(sumsOf(next)).toBeGreaterThan(0);
    expect(views.run(run)).toMatchObject({ status: 'COMPLETED', modelDigest });
    await expect(views.modelSpecification(modelDigest ?? '')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('goes on with the survivors when an upload never comes, and says so in the first line', async () => {
    await started(6, { rounds: { departureSeconds: 0.05, gatherSeconds: 0.05 } });
    const leaves = {
      before: (site: { disconnect(): void }, notice: { stage: string; round: number }): void => {
        if (notice.stage === 'r2' && notice.round >= 5) site.disconnect();
      },
    };
    federation.connect({ 6: leaves });
    await federation.prepare();
    const document = await federation.finished(await federation.submit());
    expect(document.status).toBe('COMPLETED_PARTIAL');
    expect(document.rounds.at(-1)?.survivors).toEqual([1, 2, 3, 4, 5]);
    expect(document.coverage?.text).toMatch(/with 5 of 6 \(without site-6\)/);
  });

  it('repeats a statistic that one site missed, in a public run too: the next one covers the same patients', async () => {
    await started(6);
    const missesOnce = {
      before: async (site: SimulatedSite, notice: StageNotice): Promise<void> => {
        const { run, round, attempt, stage } = notice;
        if (stage !== 'r2' || round !== 1 || attempt > 0) return;
        await site.ask({ type: 'refuse', run, round, attempt, stage, code: 'E_GATE' });
        throw new Error('sits out');
      },
    };
    federation.connect({ 6: missesOnce });
    await federation.prepare();
    const document = await federation.finished(await federation.submit());
    expect(document.status).toBe('COMPLETED');
    expect(document.rounds[1]).toMatchObject({ attempt: 1, survivors: [1, 2, 3, 4, 5, 6] });
  });

  it('ends the run at once, with the reason, when the sites refuse to answer by their own rule', async () => {
    await started();
    const refuses = {
      before: async (site: SimulatedSite, notice: StageNotice): Promise<void> => {
        const { run, round, attempt, stage } = notice;
        if (stage !== 'r4' || round !== 2) return;
        await site.ask({ type: 'refuse', run, round, attempt, stage, code: 'E_REPLAY' });
        throw new Error('does not answer');
      },
    };
    federation.connect({ 1: refuses, 2: refuses, 3: refuses, 4: refuses, 5: refuses });
    await federation.prepare();
    // no stage of this plan ends by its deadline within the time that is waited here
    const document = await federation.finished(await federation.submit(), 20_000);
    expect(document).toMatchObject({ status: 'FAILED', reason: { code: 'E_REPLAY' } });
    expect(document.reason?.message).toMatch(/refused by site \d \(E_REPLAY\)/);
    expect(document.rounds).toHaveLength(2);
  });

  it('gives the places of uploads that never came to the next attempt', async () => {
    await started(5, { rounds: { leases: 5 } });
    const takesAPlaceOnly = {
      before: async (site: SimulatedSite, notice: StageNotice): Promise<void> => {
        const { run, round, attempt, stage } = notice;
        if (stage !== 'r2' || round !== 2 || attempt > 0) return;
        await site.ask({ type: 'acquireLease', run, round, attempt });
        await site.ask({ type: 'refuse', run, round, attempt, stage, code: 'E_GATE' });
        throw new Error('sits out');
      },
    };
    federation.connect({ 4: takesAPlaceOnly, 5: takesAPlaceOnly });
    await federation.prepare();
    const document = await federation.finished(await federation.submit());
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    expect(document.rounds[2]).toMatchObject({ attempt: 1 });
  });

  it('repeats an attempt in which too many sites sit out, and fails when all attempts are used', async () => {
    await started(5, { rounds: { maxAttempts: 1 } });
    const refuses = {
      before: async (site: SimulatedSite, notice: StageNotice): Promise<void> => {
        const { run, round, attempt, stage } = notice;
        if (stage !== 'r2' || round !== 3) return;
        await site.ask({ type: 'refuse', run, round, attempt, stage, code: 'E_GATE' });
        throw new Error('sits out');
      },
    };
    federation.connect({ 4: refuses, 5: refuses });
    await federation.prepare();
    const document = await federation.finished(await federation.submit());
    expect(document).toMatchObject({ status: 'FAILED', reason: { code: 'E_COHORT' } });
    expect(document.reason?.message).toContain('site 4 E_GATE, site 5 E_GATE');
    expect(document.rounds).toHaveLength(3);
  });
});
