import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Trainer } from '@regulon/client/training';
import { parsePlan } from '@regulon/shared/plan';
import { federated, scoredElsewhere } from '../recipes/federation.js';
import {
  fedBn,
  GROUP_NORM,
  NORM_BATCHES,
  NORM_OPTIMIZER,
  NORM_SITES,
  normsPlan,
} from '../support/quartet-norms.js';
import { DONORS, writeQuartetSites } from '../support/quartet-sites.js';

const data = process.env['REGULON_DATA'];
const real = data !== undefined && existsSync(join(data, 'quartet')) ? it : it.skip;
const NEEDS = '(needs the shared data)';
const MINUTES = 60_000;
const planOf = (more: object) => parsePlan(normsPlan(more));

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
        model: fedBn(64),
        training: { rounds: 12, localEpochs: 4, optimizer: NORM_OPTIMIZER },
        evaluation: { split: 'det5', finalModel: false },
      });
      const { files } = writeQuartetSites(join(folder, 'all'), NORM_SITES, NORM_BATCHES);
      const { pooled } = await federated(plan, files, placeOf());
      expect(pooled.count).toBe(180);
      expect(pooled.accuracy).toBeGreaterThanOrEqual(0.95);
    },
    20 * MINUTES,
  );

  real(
    `is told by GroupNorm in most cases: two replicates of each site train, the third tests, three seeds ${NEEDS}`,
    async () => {
      const { files: train } = writeQuartetSites(join(folder, 'train'), NORM_SITES, NORM_BATCHES, [1, 2]);
      const { files: test } = writeQuartetSites(join(folder, 'test'), NORM_SITES, NORM_BATCHES, [3]);
      let [right, all] = [0, 0];
      for (const seed of [0, 1, 2]) {
        const plan = planOf({
          // batches of 32, 40 rounds of an epoch, as all recipes of nets
          ...{ seed, model: GROUP_NORM, training: { rounds: 40, optimizer: NORM_OPTIMIZER } },
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
