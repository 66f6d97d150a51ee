import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { systemClock } from '@regulon/coordinator/rounds';
import { parseRunName } from '@regulon/shared/program';
import { parseEntry, verifyBundle } from '@regulon/shared/transparency';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import { toyPlan } from '../support/toy-plan.js';
import { until } from '../support/until.js';

describe('masked vectors that are removed', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  /** how far the coordinator's clock is ahead, ms */
  let ahead = 0;
  const environment = {
    aggregator: new InlineAggregator(),
    fatal: (e: unknown) => void fatal.push(e),
    clock: { ...systemClock, now: () => Date.now() + ahead },
  };
  const rounds = { prepare: [], training: { rounds: 2, optimizer: { name: 'adam' } } };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-retention-'));
    ahead = 0;
  });
  afterEach(async () => {
    await federation.close();
    expect(fatal.splice(0)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  /** @returns rounds whose vectors were removed during the first run, and in all after the second has begun */
  async function removed(retention: object, awaited: number): Promise<[string[], string[]]> {
    federation = new SimulatedFederation(folder, 5, { retention }, environment);
    await federation.open();
    federation.connect();
    await federation.prepare();
    const run = await federation.submit(toyPlan(federation.names, rounds));
    const { sequencer } = federation.core;
    const recorded = (): string[] =>
      sequencer.indexesOf(run, 'retention.delete').map((index) => {
        const entry = parseEntry(sequencer.entry(index));
        if (entry.kind !== 'retention.delete') throw new TypeError(entry.kind);
        expect(entry.body).toMatchObject({ class: 'masked-vectors', vectors: 5 });
        return `${entry.round} ${entry.body.rule}`;
      });
    await federation.finished(run);
    // the last close may still be on its way into a checkpoint
    await until(() => recorded().length >= awaited);
    const first = recorded();
    ahead = 600_001;
    const next = await federation.submit(toyPlan(federation.names, { ...rounds, name: 'next' }));
    await federation.finished(next);
    const report = verifyBundle({
      bundle: await buffer(sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
    });
    expect(report.firstLine).toMatch(/^PASS/);
    return [first, recorded()];
  }

  it('leave a signed record, each when the next round has closed, the last ones when the next run begins', async () => {
    const [first, all] = await removed({}, 3);
    expect(first).toEqual(['0 later-close', '1 later-close', '2 later-close']);
    expect(all).toEqual([...first, '3 next-run']);
  });

  it('stay as long as the audit window says', async () => {
    const [first, all] = await removed({ auditRounds: 3 }, 1);
    expect(first).toEqual(['0 later-close']);
    expect(all).toEqual([...first, '1 next-run', '2 next-run', '3 next-run']);
  });

  it('stay for the audits of the last round when the next run waits in the queue', async () => {
    federation = new SimulatedFederation(folder, 5, {}, environment);
    await federation.open();
    federation.connect();
    await federation.prepare();
    const run = await federation.submit(toyPlan(federation.names, rounds));
    const next = await federation.submit(toyPlan(federation.names, { ...rounds, name: 'next' }));
    await federation.finished(run);
    await federation.finished(next);
    const at = { run: parseRunName(run), round: 3 };
    const pieces = [];
    for await (const piece of federation.core.gateway.fetch(1, { type: 'spotTiles', ...at, tiles: [0] }))
      pieces.push(piece);
    expect(pieces).toHaveLength(6);
    ahead = 600_001;
    await federation.finished(
      await federation.submit(toyPlan(federation.names, { ...rounds, name: 'third' })),
    );
    const late = federation.core.gateway.fetch(1, { type: 'spotTiles', ...at, tiles: [0] });
    await expect(late[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('are never removed, and nothing is recorded, under keep', async () => {
    expect(await removed({ spools: 'keep' }, 0)).toEqual([[], []]);
  });
});
