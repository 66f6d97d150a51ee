import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Trainer } from '@regulon/client/training';
import { parsePlan } from '@regulon/shared/plan';
import { federated } from '../recipes/federation.js';
import { DONORS, type QuartetFiles, writeQuartetSites } from '../support/quartet-sites.js';
import { toyPlan } from '../support/toy-plan.js';

const data = process.env['REGULON_DATA'];
const real = data !== undefined && existsSync(join(data, 'quartet')) ? it : it.skip;
const NEEDS = '(needs the shared data)';
const MINUTES = 60_000;
const names = Array.from({ length: 15 }, (_, batch) => `batch-${String(batch + 1).padStart(2, '0')}`);

/** Over the units of a site, whose weights stay there. */
const FED_BN = [
  { name: 'norm', aggregate: 'local', layers: [{ type: 'batch-norm' }] },
  { name: 'trunk', layers: [{ type: 'dense', units: 64, activation: 'relu' }] },
  { name: 'donor', layers: [{ type: 'dense', units: 'outputs' }] },
];

const planOf = () =>
  parsePlan(
    toyPlan(names, {
      dataset: { name: 'quartet', kind: 'expression', scale: 'log-ratio', unit: 'library' },
      label: { classes: DONORS.map((name) => ({ name, rule: `donor == "${name}"` })) },
      prepare: [{ step: 'z-score' }],
      model: { blocks: FED_BN },
      training: {
        ...{ rounds: 12, localEpochs: 4 },
        optimizer: { name: 'adam', learningRate: 1e-3, weightDecay: 1e-4 },
      },
      evaluation: { split: 'det5', finalModel: false },
      secureAggregation: { weightCap: 16 },
    }),
  );

describe('the donor of a Quartet metabolite sample, fifteen batches of other scales as sites, a fifth of each held out', () => {
  let folder: string;
  let files: QuartetFiles['files'];
  let trainer: Trainer;
  beforeAll(async () => {
    if (real === it.skip) return;
    folder = mkdtempSync(join(tmpdir(), 'regulon-norms-'));
    ({ files } = writeQuartetSites(
      join(folder, 'data'),
      names,
      names.map((_, batch) => [batch]),
    ));
    trainer = await Trainer.start({ folder, backend: 'wasm' });
  }, MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await trainer.close();
    rmSync(folder, { recursive: true });
  });

  real(
    `is told by BatchNorm of each site before the input (FedBN) ${NEEDS}`,
    async () => {
      const own = mkdtempSync(join(folder, 'run-'));
      const { pooled } = await federated(planOf(), files, { trainer, folder: own, say: () => undefined });
      expect(pooled.count).toBe(180);
      expect(pooled.accuracy).toBeGreaterThanOrEqual(0.95);
    },
    20 * MINUTES,
  );
});
