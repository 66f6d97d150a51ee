import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { contractOf, Purpose, RunProgram } from '@regulon/shared/program';
import { armPrefix, siteBatchesPath } from '../../datasets/index.js';
import { testFederation, testPlan } from '../../policy/site.support.js';
import { siteModelsFolder, sitePartPath, type StatePaths } from '../../state/index.js';
import { temporaryFolder } from '../../state/temporary-folder.support.js';
import { keepSiteParts } from './keep-site-parts.js';
import { LocalWeights } from './local-weights.js';

const run = `run_${'0b'.repeat(16)}`;
const blocks = [
  { name: 'norm', aggregate: 'local', layers: [{ type: 'batch-norm' }] },
  { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
];

it('keeps how batches were fitted and the weights of local blocks, once', () => {
  const contract = contractOf({
    ...{ runId: new Uint8Array(16), roster: testFederation().roster, isPublic: true },
    plan: testPlan({ model: { blocks } }),
    panel: { digest: new Uint8Array(32), size: 4 },
  });
  const program = new RunProgram(contract);
  const folder = temporaryFolder('keep');
  const paths = { folder, runs: join(folder, 'runs') } as StatePaths;
  const own = join(paths.runs, run);
  mkdirSync(own, { recursive: true });
  const first = program.schedule.find(({ purpose }) => purpose === Purpose.train)!;
  const { nextLocalWeightsPath = '' } = new LocalWeights(own, program).pathsFor(first);
  writeFileSync(nextLocalWeightsPath, 'trained');
  writeFileSync(siteBatchesPath(armPrefix(own, 0, 'train')), 'fitted');
  writeFileSync(siteBatchesPath(armPrefix(own, 0, 'test')), 'of test units');

  const kept = (part: 'batches.json' | 'local.f32') =>
    sitePartPath(siteModelsFolder(folder), { run, arm: 0 }, part);
  keepSiteParts(paths, run, program);
  // again after a crash, with less left in the folder of the run
  keepSiteParts(paths, run, program);
  expect(readFileSync(kept('batches.json'), 'utf8')).toBe('fitted');
  expect(readFileSync(kept('local.f32'), 'utf8')).toBe('trained');
  expect(statSync(siteModelsFolder(folder)).mode & 0o777).toBe(0o700);
  expect(existsSync(nextLocalWeightsPath)).toBe(false);
});
