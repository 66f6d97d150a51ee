import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Trainer } from '@regulon/client/training';
import { parsePlan } from '@regulon/shared/plan';
import { federated, scoredElsewhere } from '../recipes/federation.js';
import { DONORS, writeQuartetSites } from '../support/quartet-sites.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = data !== undefined && existsSync(join(data, 'quartet')) ? it : it.skip;
const NEEDS = '(needs the shared data)';
const MINUTES = 60_000;
const names = Array.from({ length: 15 }, (_, batch) => `batch-${String(batch + 1).padStart(2, '0')}`);

const optimizer = { name: 'adam', learningRate: 1e-3, weightDecay: 1e-4 };
const batches = names.map((_, batch) => [batch]);

/** Over the units of a site, whose weights stay there. */
const FED_BN = [
  { name: 'norm', aggregate: 'local', layers: [{ type: 'batch-norm' }] },
  { name: 'trunk', layers: [{ type: 'dense', units: 64, activation: 'relu' }] },
  { name: 'donor', layers: [{ type: 'dense', units: 'outputs' }] },
];

/** The rules of all recipes of nets: Adam 1e-3 with weight decay 1e-4, batches of 32, 40 rounds of an epoch. */
const GROUP_NORM = [
  {
    name: 'trunk',
    layers: [
      { type: 'dense', units: 256 },
      { type: 'group-norm', groups: 8 },
      { type: 'activation', function: 'relu' },
    ],
  },
  { name: 'donor', layers: [{ type: 'dense', units: 'outputs' }] },
];

const planOf = (more: object) =>
  parsePlan(
    toyPlan(names, {
      dataset: { name: 'quartet', kind: 'expression', scale: 'log-ratio', unit: 'library' },
      label: { classes: DONORS.map((name) => ({ name, rule: `donor == "${name}"` })) },
      prepare: [{ step: 'z-score' }],
      secureAggregation: { weightCap: 16 },
      ...more,
    }),
  );

describe('the donor of a Quartet metabolite sample, fifteen batches of other scales as sites', () => {
  let folder: string;
  let trainer: Trainer;
  beforeAll(async () => {
    if (real === it.skip) return;
    folder = mkdtempSync(join(tmpdir(), 'regulon-norms-'));
    trainer = await Trainer.start({ folder, backend: 'wasm' });
  }, MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await trainer.close();
    rmSync(folder, { recursive: true });
  });

  const placeOf = () => ({ trainer, folder: mkdtempSync(join(folder, 'run-')), say: () => undefined });

  real(
    `is told by BatchNorm of each site before the input (FedBN), a fifth of each site held out ${NEEDS}`,
    async () => {
      const plan = planOf({
        model: { blocks: FED_BN },
        training: { rounds: 12, localEpochs: 4, optimizer },
        evaluation: { split: 'det5', finalModel: false },
      });
      const { files } = writeQuartetSites(join(folder, 'all'), names, batches);
      const { pooled } = await federated(plan, files, placeOf());
      expect(pooled.count).toBe(180);
      expect(pooled.accuracy).toBeGreaterThanOrEqual(0.95);
    },
    20 * MINUTES,
  );

  real(
    `is told by GroupNorm in most cases: two replicates of each site train, the third tests, three seeds ${NEEDS}`,
    async () => {
      const { files: train } = writeQuartetSites(join(folder, 'train'), names, batches, [1, 2]);
      const { files: test } = writeQuartetSites(join(folder, 'test'), names, batches, [3]);
      let [right, all] = [0, 0];
      for (const seed of [0, 1, 2]) {
        const plan = planOf({
          ...{ seed, model: { blocks: GROUP_NORM }, training: { rounds: 40, optimizer } },
          evaluation: { split: 'none' },
        });
        const { count, confusion = [] } = await scoredElsewhere(plan, { train, test }, placeOf());
        expect(count).toBe(60);
        right += DONORS.reduce((sum, _, k) => sum + (confusion[k * (DONORS.length + 1)] ?? 0), 0);
        all += count;
      }
      expect(right / all).toBeGreaterThanOrEqual(0.78);
    },
    20 * MINUTES,
  );
});
