import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readDaemonConfig } from '@regulon/client/config';
import { type PulledModel, scoreSamples } from '@regulon/client/samples';
import { siteModelsFolder, sitePartPath } from '@regulon/client/state';
import type { SimFederation } from '@regulon/cli/sim';
import { parsePlan } from '@regulon/shared/plan';
import { pulledModel } from '../support/pulled-model.js';
import {
  fedBn,
  GROUP_NORM,
  NORM_BATCHES,
  NORM_OPTIMIZER,
  NORM_SITES,
  normsPlan,
} from '../support/quartet-norms.js';
import { writeQuartetSites } from '../support/quartet-sites.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';

const data = process.env['REGULON_DATA'];
const real = compiled && data !== undefined && existsSync(join(data, 'quartet')) ? it : it.skip;
const NEEDS = '(needs the compiled programs and the shared data)';
const MINUTES = 60_000;

const planOf = (more: object) => normsPlan({ ...more, evaluation: { split: 'none' } });
const inputNorm = planOf({
  ...{ name: 'fed-bn', model: fedBn(256, 0.9) },
  training: { rounds: 10, localEpochs: 4, optimizer: NORM_OPTIMIZER },
});
const groupNorm = planOf({
  ...{ name: 'group-norm', seed: 0, model: GROUP_NORM },
  training: { rounds: 40, optimizer: NORM_OPTIMIZER },
});

describe('the donor of a Quartet metabolite sample, two replicates of each batch at its daemon', () => {
  let root: string;
  let federation: SimFederation;
  beforeAll(async () => {
    if (real === it.skip) return;
    root = mkdtempSync(join(tmpdir(), 'regulon-norms-'));
    const { files } = writeQuartetSites(join(root, 'data'), NORM_SITES, NORM_BATCHES, [1, 2]);
    ({ federation } = await openRealFederation(root, inputNorm, { files }));
  }, 10 * MINUTES);
  afterAll(async () => {
    if (real === it.skip) return;
    await federation.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const trained = async (plan: Record<string, unknown>, folder: string): Promise<PulledModel> => {
    mkdirSync(folder);
    const document = await runToItsEnd(federation, parsePlan(plan));
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    return pulledModel(federation, document, folder);
  };

  real(
    `is told in the third replicate by the norm that each site keeps (FedBN) ${NEEDS}`,
    async () => {
      const folder = join(root, 'fed-bn');
      const model = await trained(inputNorm, folder);
      const { files } = writeQuartetSites(join(root, 'third'), NORM_SITES, NORM_BATCHES, [3]);
      let [right, all] = [0, 0];
      for (const { name, counts, labels } of files) {
        const config = federation.founded.sites.find((own) => own.name === name)?.config ?? '';
        const siteModels = siteModelsFolder(readDaemonConfig(config).stateFolder);
        const kept = sitePartPath(siteModels, model, 'local.f32');
        // a site has ended the run a moment after the coordinator
        while (!existsSync(kept)) await new Promise((done) => setTimeout(done, 100));
        const source = { where: { counts, labels }, siteModels };
        const { units, accuracy } = await scoreSamples(model, source, { folder, backend: 'wasm' });
        right += Math.round(units * accuracy);
        all += units;
      }
      expect(all).toBe(60);
      expect(right / all).toBeGreaterThanOrEqual(0.95);
    },
    20 * MINUTES,
  );

  real(
    `is told in the third replicate by GroupNorm in most cases ${NEEDS}`,
    async () => {
      const folder = join(root, 'group-norm');
      const model = await trained(groupNorm, folder);
      const [where] = writeQuartetSites(join(root, 'all'), ['all'], [NORM_BATCHES.flat()], [3]).files;
      if (!where) throw new Error('no samples');
      const { counts, labels } = where;
      const score = await scoreSamples(model, { where: { counts, labels } }, { folder, backend: 'wasm' });
      expect(score.units).toBe(60);
      expect(score.accuracy).toBeGreaterThanOrEqual(0.78);
    },
    20 * MINUTES,
  );
});
