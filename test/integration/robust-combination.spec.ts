import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InlineAggregator } from '@regulon/coordinator/aggregation';
import { MaskedVectorFolder } from '@regulon/cli/audit';
import { fromHex } from '@regulon/shared/crypto';
import { type Manifest } from '@regulon/shared/secagg';
import { verifyBundle } from '@regulon/shared/transparency';
import { refused } from '../security/support/refused.js';
import { SimulatedFederation } from '../support/coordinator/simulated-federation.js';
import type { SiteBehaviour } from '../support/coordinator/simulated-site.js';
import { toyPlan } from '../support/toy-plan.js';

const [SITES, GROUP, ROUNDS, POISONED] = [15, 5, 2, 7];
const runId = '07'.repeat(16);
const none = { num: 0, den: 1 };

/** An update of so many clip norms, the same in every weight: honest ones are far below one. */
function scaled(times: number): SiteBehaviour {
  return {
    poison: (vector, { purpose, d, Q }: Manifest) => {
      if (purpose !== 0) return;
      const words = new Int32Array(vector.buffer, 0, d);
      words.fill(Math.round((times * Q) / Math.sqrt(d)));
    },
  };
}

/** Fifteen sites, no colluder: groups of five, drawn anew in every round. */
describe('one poisoned site of fifteen, through secure aggregation', () => {
  let folder: string;
  let federation: SimulatedFederation;
  const fatal: unknown[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-robust-'));
  });
  afterEach(async () => {
    await federation.close();
    rmSync(folder, { recursive: true });
    expect(fatal.splice(0)).toEqual([]);
  });

  async function open(behaviours: Record<number, SiteBehaviour> = {}): Promise<void> {
    federation = new SimulatedFederation(
      folder,
      SITES,
      {
        ...{ allowTesting: true, testing: { runId }, retention: { spools: 'keep' } },
        rounds: { departureSeconds: 0.05, gatherSeconds: 0.05, maxAttempts: 2 },
      },
      { aggregator: new InlineAggregator(), fatal: (error) => void fatal.push(error) },
      { gamma: none },
    );
    await federation.open();
    federation.connect(behaviours);
    await federation.prepare();
  }

  const plan = (secureAggregation: object): Record<string, unknown> =>
    toyPlan(federation.names, {
      ...{ prepare: [], training: { rounds: ROUNDS, optimizer: { name: 'adam' } } },
      secureAggregation: { weightCap: 128, gamma: none, subCohort: GROUP, ...secureAggregation },
    });

  /** Weights after a run, the same at every site. */
  async function trained(secureAggregation: object, behaviours: Record<number, SiteBehaviour> = {}) {
    await open(behaviours);
    const document = await federation.finished(await federation.submit(plan(secureAggregation)));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    expect(federation.sites.flatMap(({ failures }) => failures)).toEqual([]);
    const models = await Promise.all(federation.sites.map((site) => site.weights(fromHex(runId), 0)));
    for (const model of models) expect(model).toEqual(models[0]);
    const training = document.rounds.filter(({ purpose }) => purpose === 'train');
    return { weights: models[0] ?? new Float32Array(), training };
  }

  /** Largest difference of two models, in one weight. */
  const distance = (a: Float32Array, b: Float32Array): number =>
    Math.max(...a.map((weight, k) => Math.abs(weight - (b[k] ?? NaN))));

  let known: Float32Array | undefined;
  /** The mean of honest sites; it does not depend on the groups, nor on the keys of a run. */
  async function cleanWeights(): Promise<Float32Array> {
    if (known) return known;
    known = (await trained({})).weights;
    await federation.close();
    rmSync(folder, { recursive: true });
    return known;
  }

  it('owns the mean; every weight ends where it wants, and nothing is named', async () => {
    const clean = await cleanWeights();
    const { weights, training } = await trained({}, { [POISONED]: scaled(13) });
    // 13 clip norms of 100 over all weights, divided by the weight of all sites, twice
    const units = Array.from({ length: SITES }, (_, i) => 20 + 4 * (i + 1)).reduce((a, b) => a + b);
    const pushed = (ROUNDS * 13 * 100) / Math.sqrt(weights.length) / (units / 128);
    expect(distance(weights, clean) / pushed).toBeCloseTo(1, 2);
    for (const { norm = NaN, ceiling = NaN } of training) expect(norm).toBeLessThan(ceiling);
  });

  it.each([
    ['median', 400],
    ['trimmed-mean', -13],
  ] as const)('moves the %s of three groups no further than honest sites do', async (combine, times) => {
    const clean = await cleanWeights();
    const { weights, training } = await trained({ combine }, { [POISONED]: scaled(times) });
    // an honest update moves a weight by 0.03 at most: two choices of honest groups differ by twice that in a round
    expect(distance(weights, clean)).toBeLessThanOrEqual(ROUNDS * 0.06);
    expect(training).toHaveLength(ROUNDS);
    for (const { groups = [] } of training) {
      expect(groups).toHaveLength(3);
      // what honest sites cannot have sent is named by its group, so that rounds can be compared
      const above = groups.filter(({ norm = NaN, ceiling = NaN }) => norm > ceiling);
      expect(above.map(({ sites }) => sites.includes(POISONED))).toEqual([true]);
    }
    const vectors = new MaskedVectorFolder(join(folder, 'state', 'spool'));
    const report = verifyBundle({
      bundle: await buffer(federation.core.sequencer.exportBundle()),
      policy: federation.federation.genesis.quorumPolicy,
      maskedVectors: vectors.of,
    });
    vectors.close();
    expect(report.rules.filter((r) => r.status === 'fail')).toEqual([]);
  });

  it('ends a run that takes the mean, by name, and no model is made of the sum', async () => {
    await open({ [POISONED]: scaled(16) });
    const run = await federation.submit(plan({}));
    const document = await federation.finished(run);
    expect(document).toMatchObject({ status: 'FAILED', reason: { code: 'E_CEILING' } });
    expect(document.rounds.filter(({ purpose }) => purpose === 'train')).toEqual([]);
  });

  it('cannot be compared in two groups: the proposal is refused', async () => {
    await open();
    const two = { ...plan({ combine: 'median', subCohort: 6 }) };
    await expect(federation.submit(two)).rejects.toThrow(refused('E_PLAN', /15 sites make 2 of 6/));
  });
});
