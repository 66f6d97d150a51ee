import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { MaskedVectorFolder } from '@regulon/cli/audit';
import { type BodyOf, type VerifyReport, verifyBundle } from '@regulon/shared/transparency';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import type { SiteBehaviour, StageNotice } from '../support/coordinator/simulated-site.js';
import { toyPlan } from '../support/toy-plan.js';

/** Ten sites, no colluder: training rounds in two groups of five, of which each may lose two uploads. */
describe('a run with sub-cohorts', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-groups-'));
  });
  afterEach(async () => {
    await federation.close();
    rmSync(folder, { recursive: true });
    expect(fatal.splice(0)).toEqual([]);
  });

  async function open(behaviours: Record<number, SiteBehaviour> = {}): Promise<void> {
    federation = new SimulatedFederation(
      folder,
      10,
      {
        ...{ allowTesting: true, testing: { runId: '07'.repeat(16) }, retention: { spools: 'keep' } },
        rounds: { departureSeconds: 0.05, gatherSeconds: 0.05, maxAttempts: 2 },
      },
      { aggregator: new InlineAggregator(), fatal: (error) => void fatal.push(error) },
      { gamma: { num: 0, den: 1 } },
    );
    await federation.open();
    federation.connect(behaviours);
    await federation.prepare();
  }

  const plan = (): Record<string, unknown> =>
    toyPlan(federation.names, {
      secureAggregation: { weightCap: 128, gamma: { num: 0, den: 1 }, subCohort: 5 },
    });

  async function audited(): Promise<VerifyReport> {
    const vectors = new MaskedVectorFolder(join(folder, 'state', 'spool'));
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
      maskedVectors: vectors.of,
    });
    vectors.close();
    return report;
  }

  it('sums every group by itself, and an auditor replays all of them', async () => {
    await open();
    const document = await federation.finished(await federation.submit(plan()));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    const training = document.rounds.filter(({ purpose }) => purpose === 'train');
    expect(training).not.toHaveLength(0);
    for (const { groups = [], survivors } of training) {
      expect(groups.map(({ sites }) => sites.length)).toEqual([5, 5]);
      expect(groups.flatMap(({ sites }) => sites).sort((a, b) => a - b)).toEqual(survivors);
    }
    const report = await audited();
    expect(report.rules.filter((r) => r.status === 'fail')).toEqual([]);
    expect(report.rules.find(({ id }) => id === 'S3')?.note).toBe('7 of 7 rounds replayed');
    expect(report.rules.find(({ id }) => id === 'S1')?.note).toMatch(/sum of every group of 5/);
  });

  it('does not pass when the coordinator logs other groups, other survivors of one, or another sum of one', async () => {
    await open();
    type Groups = NonNullable<BodyOf<'round.aggregate'>['groups']>;
    const wrong = `sha256:${'9'.repeat(64)}`;
    const lies: ((groups: Groups) => Groups)[] = [
      (groups) => [...groups].reverse(),
      ([first, ...others]) => (first ? [{ ...first, h3: wrong }, ...others] : others),
      ([first, ...others]) => (first ? [{ ...first, aggregateRoot: wrong }, ...others] : others),
    ];
    const { sequencer } = federation.core;
    const append = sequencer.appendOwn.bind(sequencer);
    jest.spyOn(sequencer, 'appendOwn').mockImplementation((own) => {
      if (own.kind !== 'round.aggregate' || !own.body.groups) return append(own);
      const groups = lies.shift()?.(own.body.groups) ?? own.body.groups;
      return append({ ...own, body: { ...own.body, groups } });
    });
    const run = await federation.submit(plan());
    await federation.finished(run);
    const report = verifyBundle({
      bundle: await buffer(sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
    });
    const row = report.rules.find(({ id }) => id === 'S2');
    expect(row).toMatchObject({
      status: 'fail',
      note: expect.stringMatching(/groups do not follow from U1/),
    });
    expect(row?.evidence).toEqual(sequencer.indexesOf(run, 'round.aggregate').slice(3, 6));
    expect(report.rules.filter(({ status }) => status === 'fail').map(({ id }) => id)).toEqual(['S2']);
  });

  it('goes on when one upload of a group is lost', async () => {
    const leaves = {
      before: (site: { disconnect(): void }, notice: StageNotice): void => {
        if (notice.stage === 'r2' && notice.round >= 5) site.disconnect();
      },
    };
    await open({ 6: leaves });
    const document = await federation.finished(await federation.submit(plan()));
    expect(document.status).toBe('COMPLETED_PARTIAL');
    expect(document.rounds.at(-1)?.survivors).toHaveLength(9);
    expect((await audited()).rules.filter((r) => r.status === 'fail')).toEqual([]);
  });

  it('ends the attempt of all when one group falls under its least size; the next one has other groups', async () => {
    const seen: number[][][] = [];
    const sitsOut: SiteBehaviour = {
      before: async (site, { run, round, attempt, stage }) => {
        if (stage !== 'r2' || round !== 5) return;
        const server = federation.core.runs.driverOf(run)?.round?.current?.server;
        const groups = server?.groups.map(({ u1 }) => u1) ?? [];
        seen[attempt] = groups;
        if (attempt > 0 || groups[0]?.slice(0, 3).includes(site.id) !== true) return;
        await site.ask({ type: 'refuse', run, round, attempt, stage, code: 'E_GATE' });
        throw new Error('sits out');
      },
    };
    await open(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i + 1, sitsOut])));
    const document = await federation.finished(await federation.submit(plan()));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    expect(document.rounds[5]).toMatchObject({ attempt: 1 });
    expect(seen.map((groups) => groups.flat().length)).toEqual([10, 10]);
    expect(seen[1]).not.toEqual(seen[0]);
    expect((await audited()).rules.filter((r) => r.status === 'fail')).toEqual([]);
  });
});
