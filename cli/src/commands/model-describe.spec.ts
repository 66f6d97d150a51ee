import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import type { ModelTime } from '@regulon/client/training/calibration';
import type { ModelOutline } from '../model-view/index.js';
import { run } from './run-program.support.js';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));
const cnn = join(examples, 'brca3-cnn.yaml');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-model-describe-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Configuration of a daemon with its section `training`. */
const daemonConfig = (training: object): object => ({
  ...{ schema: 'regulon.daemon/1', site: 'a', stateFolder: 'state', federation: 'fed', training },
  ...{
    rosterHash: 'ab'.repeat(32),
    coordinator: { host: 'localhost', controlPort: 1 },
    policyFile: 'p.yaml',
  },
  tls: { cert: 'c.pem', key: 'k.pem', ca: 'ca.pem' },
  dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient', counts: 'x.tsv' },
});
const outputs = { type: 'dense', units: 'outputs' };

/** The CNN's plan with another model. */
function planWith(model: unknown, change: object = {}): string {
  const plan = parse(readFileSync(cnn, 'utf8')) as object;
  const path = join(folder, `plan-${Math.floor(performance.now() * 1000)}.yaml`);
  writeFileSync(path, stringify({ ...plan, model, ...change }));
  return path;
}
const dataOf = async (...args: string[]): Promise<ModelOutline> => {
  const { out, code } = await run('model', 'describe', ...args, '--no-time', '--json');
  expect(code).toBe(0);
  return (JSON.parse(out) as { data: ModelOutline }).data;
};

describe('regulon model describe', () => {
  it('prints a line for each layer: shape, parameters, bytes on the wire', async () => {
    const { out, code } = await run('model', 'describe', cnn, '--no-time', '--format', 'table');
    expect(code).toBe(0);
    expect(out).toMatch(/trunk\/0-conv1d +\[996, 8\] +48 +192 B +conv1d filters 8 kernel 5 tanh/);
    expect(out).toMatch(/trunk\/1-max-pool1d +\[498, 8\] +0 +0 B/);
    expect(out).toMatch(/head +subtype \[3\], cross-entropy/);
    expect(out).toMatch(/^parameters 127,299$/m);
  });

  it('adds up to what plan validate says', async () => {
    const outline = await dataOf(cnn);
    const { out } = await run('plan', 'validate', cnn, '--format', 'json');
    const { parameters } = (JSON.parse(out) as { data: { parameters: number } }).data;
    expect(outline.parameters).toBe(parameters);
    expect(outline.wireBytes).toBe(4 * parameters);
  });

  it('draws a graph that stands alone, with the same content as text; replaces no file unasked', async () => {
    const model = {
      blocks: [
        { name: 'left', layers: [{ type: 'dense', units: 4 }], freeze: true },
        { name: 'right', from: 'features', layers: [{ type: 'dense', units: 4 }], rate: 0.1 },
        {
          name: 'joint',
          from: ['left', 'right'],
          merge: 'add',
          layers: [outputs],
        },
      ],
    };
    const file = join(folder, 'model.svg');
    const plan = planWith(model, { title: 'a < b & "c"' });
    const outline = await dataOf(plan, '--svg', file);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^>]*role="img" aria-labelledby="title text">/,
    );
    expect(svg).not.toMatch(/href|script|url\((?!#)/);
    expect(svg).toContain('joint/merge (add of blocks) reads left/0-dense and right/0-dense, gives [4]');
    expect(svg.match(/<rect class="box/g)).toHaveLength(1 + 4 + 1);
    expect(svg.match(/<path marker-end/g)).toHaveLength(outline.arrows.length);
    expect(outline.layers.map(({ note }) => note)).toEqual(['frozen', 'rate × 0.1', null, null]);
    expect(await run('model', 'describe', plan, '--svg', file)).toMatchObject({ code: 4 });
    expect(await run('model', 'describe', plan, '--svg', file, '--force', '--no-time')).toMatchObject({
      code: 0,
    });
  });

  it('asks for the gene panel where the plan does not fix the features', async () => {
    const model = { blocks: [{ name: 'head', layers: [outputs] }] };
    const plan = planWith(model, { prepare: [] });
    expect((await run('model', 'describe', plan)).err).toMatch(
      /depends on the gene panel\nnext: add --genes N/,
    );
    expect((await dataOf(plan, '--genes', '50')).parameters).toBe(50 * 3 + 3);
  });

  it('describes series by their steps', async () => {
    const outline = await dataOf(join(examples, 'yeast-gru.yaml'), '--steps', '17');
    expect(outline.layers.map(({ outputShape }) => outputShape)).toEqual([
      [17, 32],
      [17, 1],
    ]);
  });

  it('names layer, path and both shapes of what does not fit', async () => {
    const plan = planWith({
      blocks: [{ name: 'trunk', layers: [{ type: 'gene-grid', rows: 9, columns: 9 }] }],
    });
    const { err, code } = await run('model', 'describe', plan);
    expect(code).toBe(4);
    expect(err).toContain(
      'trunk/0-gene-grid (model.blocks[0].layers[0]): gets [1000], needs [81 or fewer genes]',
    );
  });

  it('times a step on this machine, in a process of its own', async () => {
    const { out, err } = await run('model', 'describe', cnn, '--backend', 'wasm', '--format', 'table');
    expect(out).toMatch(/^trunk\/0-conv1d +\[996, 8\] +48 +192 B +[\d.,]+ ms +conv1d/m);
    expect(out).toMatch(/^step +[\d.,]+ ms for 32 units on this machine: wasm, 1 thread$/m);
    expect(err).toBe('timing some steps on wasm\n');
    const json = await run(
      'model',
      'describe',
      cnn,
      '--backend',
      'wasm',
      '--threads',
      '2',
      '--json',
      '--quiet',
    );
    expect(json.err).toBe('');
    const { time } = (JSON.parse(json.out) as { data: { time: ModelTime } }).data;
    expect(time).toMatchObject({ backend: 'wasm', batchSize: 32, threads: 1 });
    expect(time.milliseconds).toEqual({ wasm: time.stepMilliseconds });
    expect(time.stepMilliseconds).toBeGreaterThan(0);
  });

  it('describes what does not fit into the memory, and says why it has no time', async () => {
    const config = join(folder, 'daemon.json');
    writeFileSync(config, JSON.stringify(daemonConfig({ memoryLimitMb: 128 })));
    const wide = { blocks: [{ name: 'wide', layers: [{ type: 'dense', units: 20_000 }, outputs] }] };
    const { out, err, code } = await run('model', 'describe', planWith(wide), '--config', config, '--json');
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/E_TRAINER_OOM: training needs about \d+ MB, 128 MB/),
    ]);
    expect(JSON.parse(out)).toMatchObject({
      data: { time: null, parameters: 20_000 * 1000 + 20_000 + 60_003 },
      warnings: [expect.stringContaining('E_TRAINER_OOM')],
    });
  });

  it('refuses threads that are no count', async () => {
    expect(await run('model', 'describe', cnn, '--threads', 'many')).toMatchObject({ code: 4 });
  });
});
