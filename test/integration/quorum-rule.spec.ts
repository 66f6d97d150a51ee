import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { parseRunName } from '@regulon/shared/program';
import { verifyBundle } from '@regulon/shared/transparency';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';

/** Ten members of which three may collude: the strict quorum is seven, a simple majority six. */
describe('the quorum rule of a roster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regulon-quorum-'));
  let federation: SimulatedFederation;
  afterEach(async () => {
    await federation.close();
    rmSync(folder, { recursive: true });
  });

  it('majority: a run goes on with six of ten sites, each round and the audit say what that costs', async () => {
    federation = new SimulatedFederation(
      folder,
      10,
      {
        ...{ allowTesting: true, testing: { runId: '07'.repeat(16) } },
        rounds: { departureSeconds: 0.05, gatherSeconds: 0.05 },
      },
      { aggregator: new InlineAggregator() },
      { quorumRule: 'majority' },
    );
    await federation.open();
    const leaves = {
      before: (site: { disconnect(): void }, notice: { stage: string; round: number }): void => {
        if (notice.stage === 'r0' && notice.round >= 4) site.disconnect();
      },
    };
    federation.connect({ 7: leaves, 8: leaves, 9: leaves, 10: leaves });
    await federation.prepare();
    const run = await federation.submit();
    const document = await federation.finished(run);
    expect(document.reason).toBeNull();
    expect(document.rounds.at(-1)?.survivors).toEqual([1, 2, 3, 4, 5, 6]);
    const events: { type?: string; warnings?: readonly string[] }[] = [];
    federation.core.runs.eventsOf(parseRunName(run)).follow(0, (event) => events.push(event));
    const rounds = events.filter(({ type }) => type === 'round');
    expect(rounds).toHaveLength(document.rounds.length);
    for (const { warnings } of rounds) expect(warnings?.join()).toMatch(/simple majority.*split cohorts/);
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
    });
    expect(report.rules.filter((r) => r.status === 'fail')).toEqual([]);
    expect(report.rules.find(({ id }) => id === 'S1')).toMatchObject({
      status: 'pass',
      note: expect.stringMatching(/simple majority/) as unknown,
    });
  });
});
