import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { initialWeights, manifestOf, modelDeclarationSchema } from '@regulon/shared/models';
import { WasmBackend } from '../../client/src/training/backends/wasm.js';
import type { TrainJob } from '../../client/src/training/job.js';
import { runTrainJob } from '../../client/src/training/run-job.js';
import { Dice } from '../../client/src/training/toy-tasks.support.js';

const [RNA, PROTEIN, UNITS] = [4, 3, 24];
const sites = ['a', 'b', 'c'];
const owned = { aggregate: 'owners', owners: ['a', 'b'], denominator: 1 };
const layers = [{ type: 'dense', units: 2 }];
/** Two encoders of the same omic get the same gradient: everybody trains one, some sites own the other. */
const declaration = modelDeclarationSchema.parse({
  inputs: [
    { name: 'rna', shape: [RNA], mask: 'unit' },
    { name: 'protein', shape: [PROTEIN], mask: 'unit' },
  ],
  blocks: [
    { name: 'twin', from: 'rna', layers },
    { name: 'encoder', from: 'rna', ...owned, layers },
    { name: 'other', from: 'protein', layers },
    { name: 'joint', from: ['twin', 'encoder', 'other'], merge: 'masked-mean', layers: [] },
    { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
  ],
});
const frame = { inputShape: [RNA + 1 + PROTEIN + 1], outputs: 2 };
const specs = manifestOf(declaration, frame);
/** Positions of the weights of a block in the vector. */
const placesOf = (block: string): number[] =>
  specs
    .filter((spec) => spec.block === block)
    .flatMap(({ offset, size }) => Array.from({ length: size }, (_, k) => offset + k));

let backend: WasmBackend;
let folder: string;
beforeAll(async () => {
  backend = await WasmBackend.start();
  folder = mkdtempSync(join(tmpdir(), 'regulon-twin-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows of a site: values of each omic, behind them whether the unit has it. */
function rowsOf(site: string, hasRna: boolean): Float32Array {
  const dice = new Dice(1 + sites.indexOf(site));
  return Float32Array.from(
    Array.from({ length: UNITS }, () => {
      const rna = Array.from({ length: RNA }, () => (hasRna ? dice.number() : 0));
      return [...rna, hasRna ? 1 : 0, ...Array.from({ length: PROTEIN }, () => dice.number()), 1];
    }).flat(),
  );
}

/** The update of a site after two local epochs. */
async function updateOf(site: string, hasRna: boolean, weightDecay: number): Promise<Float32Array> {
  const file = (name: string, values: Float32Array | Int32Array): string => {
    const path = join(folder, name);
    writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return path;
  };
  const start = [...initialWeights(specs, { seed: 3, arm: 0 })].flatMap((piece) => [...piece]);
  const job: TrainJob = {
    ...{ ...frame, declaration, task: 'classify', epochs: 2, batchSize: 8, round: 0, site },
    data: {
      featuresPath: file('features', rowsOf(site, hasRna)),
      targetsPath: file(
        'targets',
        Int32Array.from({ length: UNITS }, (_, i) => i % 2),
      ),
      ...{ shape: [UNITS, ...frame.inputShape], n: UNITS },
    },
    ...{ weightsPath: file('weights', Float32Array.from(start)), deltaPath: join(folder, 'delta') },
    optimizer: { name: 'adam', learningRate: 0.01, weightDecay },
    ...{ strategy: 'fed-avg', shuffleKey: '07'.repeat(32), modelFiles: {} },
  };
  await runTrainJob(job, { backend, onBeat: () => undefined });
  return new Float32Array(Uint8Array.from(readFileSync(job.deltaPath)).buffer);
}

/** Sum over all sites of the encoder that all train, less the sum of the one that two own; and the last site's part of it. */
async function difference(atLast: { hasRna: boolean; weightDecay: number }) {
  const updates = await sites.reduce<Promise<Float32Array[]>>(
    async (before, site) => [
      ...(await before),
      await updateOf(site, site !== 'c' || atLast.hasRna, atLast.weightDecay),
    ],
    Promise.resolve([]),
  );
  const [twin, encoder] = [placesOf('twin'), placesOf('encoder')];
  const sum = (at: number): number => updates.reduce((total, update) => total + update[at]!, 0);
  return {
    left: twin.map((at, k) => sum(at) - sum(encoder[k]!)),
    own: twin.map((at) => updates[2]![at]!),
  };
}
const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

describe('an encoder that some sites own, beside a twin that all train', () => {
  it('control: where the last site has the omic, the difference of the two sums is its own update', async () => {
    const { left, own } = await difference({ hasRna: true, weightDecay: 0 });
    expect(largest(own)).toBeGreaterThan(0.01);
    left.forEach((value, k) => expect(Math.abs(value - own[k]!)).toBeLessThan(1e-6));
  });

  it('leaves nothing of a site without the omic, as it must be outside public runs', async () => {
    const { left, own } = await difference({ hasRna: false, weightDecay: 0 });
    expect(largest(own)).toBe(0);
    expect(largest(left)).toBeLessThan(1e-6);
  });

  it('control: weight decay moves the twin without the omic too, by the steps that the site took', async () => {
    const { left, own } = await difference({ hasRna: false, weightDecay: 0.1 });
    expect(largest(own)).toBeGreaterThan(1e-3);
    expect(largest(left)).toBeGreaterThan(1e-3);
  });
});
