import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readDaemonConfig } from '@regulon/client/config';
import { loadDataset, viewOf } from '@regulon/client/data';
import { openModel, type PulledModel } from '@regulon/client/samples';
import { siteModelsFolder, sitePartPath } from '@regulon/client/state';
import { readPlanFile } from '@regulon/cli/plan-file';
import { exampleFile, type SimFederation } from '@regulon/cli/sim';
import type { RunDocument } from '@regulon/coordinator/runs';
import { designOf, transform, type UnitsView } from '@regulon/shared/genomics';
import { verifyBundle } from '@regulon/shared/transparency';
import { run as regulon } from '../../cli/src/commands/run-program.support.js';
import { compiled, openRealFederation, runToItsEnd } from '../support/real-federation.js';
import { simulatedDataPlan } from '../support/toy-plan.js';

const real = compiled ? it : it.skip;
const MINUTES = 60_000;
const SITES = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'regulon-samples-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const rowsOf = (path: string): string[][] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

/** Carry out a plan with real processes. @param pulled what is done with the model while the coordinator is there */
async function carriedOut(
  plan: unknown,
  pulled: (federation: SimFederation, document: RunDocument, model: PulledModel) => Promise<void>,
): Promise<void> {
  const { federation, plan: parsed } = await openRealFederation(root, plan);
  try {
    const document = await runToItsEnd(federation, parsed);
    expect(document).toMatchObject({ status: 'COMPLETED', reason: null });
    const { founded } = federation;
    const token = join(root, 'token');
    writeFileSync(token, founded.token, { mode: 0o600 });
    const { host, httpPort } = founded.addresses;
    const server = ['--server', `http://${host}:${httpPort}`, '--token-file', token];
    const out = join(root, 'model.f32');
    const pull = await regulon('model', 'pull', document.modelDigest ?? '', '--out', out, ...server);
    expect(pull).toMatchObject({ code: 0 });
    await pulled(federation, document, await openModel(out));
  } finally {
    await federation.stop();
  }
}

const configOf = ({ founded }: SimFederation, site: string): string =>
  founded.sites.find(({ name }) => name === site)?.config ?? '';

/** Apply the pulled model at a site, as its own people do. */
async function applied(
  federation: SimFederation,
  command: 'predict' | 'attribute',
  site: string,
  files: { counts: string; labels?: string },
): Promise<{ code: number; err: string; rows: () => string[][] }> {
  const out = join(root, `${command}.tsv`);
  const labels = files.labels === undefined ? [] : ['--labels', files.labels];
  const from = [
    '--data',
    files.counts,
    ...labels,
    '--config',
    configOf(federation, site),
    '--backend',
    'wasm',
  ];
  const { code, err } = await regulon(
    'model',
    command,
    join(root, 'model.f32'),
    ...from,
    '--out',
    out,
    '--force',
  );
  return { code, err, rows: () => rowsOf(out) };
}

const dataOf = (site: string, file: string): string => join(root, 'data', site, file);

real(
  'omics, each missing at a patient or a whole site, train through daemons; the model is applied at a site (needs the compiled programs)',
  async () => {
    const text = JSON.parse(JSON.stringify(readPlanFile(exampleFile('omics-fusion.sim.yaml')))) as object;
    const plan = {
      ...text,
      training: { rounds: 4, localEpochs: 4, optimizer: { name: 'adam', learningRate: 0.01 } },
    };
    await carriedOut(plan, async (federation, { result }) => {
      expect(result?.pooled.accuracy).toBeGreaterThan(0.6);
      const policy = readFileSync(join(federation.founded.folder.federation, 'quorum.policy'), 'utf8');
      expect(verifyBundle({ bundle: await federation.api.bundle(), policy }).status).toBe('pass');
      // the last site has no RNA at all
      const counts = dataOf('site-5', 'counts.tsv');
      const subtypes = new Map(rowsOf(dataOf('site-5', 'design.tsv')).map(([id, own]) => [id, own]));
      const predictions = await applied(federation, 'predict', 'site-5', { counts });
      expect(predictions).toMatchObject({ code: 0, err: '' });
      const [, ...rows] = predictions.rows();
      const right = rows.filter(([id = '', predicted]) => subtypes.get(id) === predicted);
      expect(right.length / rows.length).toBeGreaterThan(0.6);
      const speaks = await applied(federation, 'attribute', 'site-5', { counts });
      expect(speaks).toMatchObject({ code: 0, err: '' });
      for (const [, , , feature = '', meanAbsolute] of speaks.rows().slice(1))
        expect([feature, Number(meanAbsolute) > 0]).toEqual([feature, feature.startsWith('protein:')]);
    });
  },
  10 * MINUTES,
);

real(
  'batches are corrected in a new sample as the daemon fitted them, after the run is over (needs the compiled programs)',
  async () => {
    const plan = simulatedDataPlan(SITES, {
      name: 'batches-test',
      design: { batch: 'stage', covariates: [{ name: 'age', column: 'age' }] },
      prepare: [
        ...[{ step: 'log2-cpm' }, { step: 'combat', covariates: ['age'] }],
        ...[{ step: 'top-variance', k: 8 }, { step: 'z-score' }],
      ],
      training: { rounds: 1, optimizer: { name: 'adam' } },
      evaluation: { split: 'none' },
    });
    await carriedOut(plan, async (federation, { run }, model) => {
      // a site has ended the run a moment after the coordinator
      const { stateFolder } = readDaemonConfig(configOf(federation, 'site-2'));
      const kept = sitePartPath(siteModelsFolder(stateFolder), { run, arm: 0 }, 'batches.json');
      while (!existsSync(kept)) await new Promise((done) => setTimeout(done, 100));
      const whole = { counts: dataOf('site-2', 'counts.tsv'), labels: dataOf('site-2', 'design.tsv') };
      const few = fewOf(whole);
      const predictions = await applied(federation, 'predict', 'site-2', few);
      expect(predictions).toMatchObject({ code: 0, err: '' });
      const [, ...rows] = predictions.rows();
      const expected = await chancesOf(model, whole);
      expect(rows).toHaveLength(3);
      for (const [id = '', , ...chances] of rows)
        chances.forEach((text, k) => expect(Number(text)).toBeCloseTo(expected.get(id)?.[k] ?? NaN, 5));
      writeFileSync(few.labels, readFileSync(few.labels, 'utf8').replace(/\t[1-4]\t/g, '\t9\t'));
      const stranger = await applied(federation, 'predict', 'site-2', few);
      expect(stranger.code).toBe(4);
      expect(stranger.err).toContain('sample 1: its batch (column stage) is none of the');
    });
  },
  10 * MINUTES,
);

/** Three samples of a site in files of their own, without their subtypes. */
function fewOf(whole: { counts: string; labels: string }): { counts: string; labels: string } {
  const few = { counts: join(root, 'few.tsv'), labels: join(root, 'few-design.tsv') };
  const [ids = [], ...genes] = rowsOf(whole.counts);
  const wanted = [7, 3, 12];
  const table = [ids, ...genes].map(([name = '', ...cells]) =>
    [name, ...wanted.map((u) => cells[u])].join('\t'),
  );
  writeFileSync(few.counts, `${table.join('\n')}\n`);
  const [header = [], ...patients] = rowsOf(whole.labels);
  const [age, stage] = ['age', 'stage'].map((name) => header.indexOf(name)) as [number, number];
  const design = wanted.map((u) => [patients[u]?.[0], patients[u]?.[stage], patients[u]?.[age]].join('\t'));
  writeFileSync(few.labels, `id\tstage\tage\n${design.join('\n')}\n`);
  return few;
}

/** What the model says of all units of a site, with batches fitted on all of them: softmax of one dense layer, in float64. */
async function chancesOf(
  { plan, specification, weightsPath }: PulledModel,
  files: { counts: string; labels: string },
): Promise<Map<string, number[]>> {
  if (!specification) throw new Error('nothing was prepared');
  const dataset = await loadDataset({ ...files, kind: 'expression', scale: 'counts' });
  const view: UnitsView = { ...viewOf(dataset), ...designOf(dataset, plan.design) };
  const { features, shape } = transform(view, specification);
  const weights = new Float32Array(Uint8Array.from(readFileSync(weightsPath)).buffer);
  const [genes, classes] = [shape[1], 3];
  return new Map(
    dataset.unitIds.map((id, u) => {
      const powers = Array.from({ length: classes }, (_, k) => {
        let logit = weights[genes * classes + k] ?? NaN;
        for (let g = 0; g < genes; g++)
          logit += (features[u * genes + g] ?? NaN) * (weights[g * classes + k] ?? NaN);
        return Math.exp(logit);
      });
      const sum = powers.reduce((a, b) => a + b, 0);
      return [id, powers.map((power) => power / sum)];
    }),
  );
}
