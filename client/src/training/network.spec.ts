import { beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema, sizeOf } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { CpuBackend } from './backends/cpu.js';
import { drawer, gradientError, lossAndGradient, outputsOf } from './gradient-check.support.js';
import { Network } from './network.js';

let backend: TrainingBackend;
beforeAll(async () => {
  backend = await CpuBackend.start();
});

const out = { type: 'dense', units: 'outputs' };
const tanh = (units: number) => ({ type: 'dense', units, activation: 'tanh' });
const build = (declaration: unknown, inputShape: number[], outputs = 2): Network =>
  new Network(modelDeclarationSchema.parse(declaration), { inputShape, outputs });
const weightsFor = ({ specs }: Network, seed = 2): Float32Array =>
  drawer(seed)(
    specs.reduce((n, { size }) => n + size, 0),
    0.8,
  );

const RNA = 3;
const PROTEIN = 2;
/** Two omics of which a unit may lack one. */
function fusion(merge: string, extra: object = {}): unknown {
  return {
    inputs: [
      { name: 'rna', shape: [RNA], mask: 'unit' },
      { name: 'protein', shape: [PROTEIN], mask: 'unit' },
    ],
    blocks: [
      { name: 'rna-encoder', from: 'rna', layers: [tanh(4)], ...extra },
      { name: 'protein-encoder', from: 'protein', layers: [tanh(4)] },
      { name: 'joint', from: ['rna-encoder', 'protein-encoder'], merge, layers: [tanh(3)] },
      { name: 'head', layers: [out] },
    ],
  };
}
const row = (rna: Float32Array | null, protein: Float32Array | null): number[] => [
  ...(rna ? [...rna, 1] : [Number.NaN, 7, -7, 0]),
  ...(protein ? [...protein, 1] : [7, Number.NaN, 0]),
];

describe('several inputs', () => {
  it.each(['masked-mean', 'gated'])('%s: gradient, with units that lack an omic', (merge) => {
    const network = build(fusion(merge), [RNA + PROTEIN + 2]);
    const draw = drawer(3);
    const x = Float32Array.from([
      ...row(draw(RNA), draw(PROTEIN)),
      ...row(null, draw(PROTEIN)),
      ...row(draw(RNA), null),
      ...row(null, null),
    ]);
    expect(gradientError({ network, backend }, weightsFor(network), x, draw(8))).toBeLessThan(5e-3);
  });

  it.each(['masked-mean', 'gated'])('%s: without one omic the other alone decides (1e-6)', (merge) => {
    const network = build(fusion(merge), [RNA + PROTEIN + 2]);
    const weights = weightsFor(network);
    const protein = drawer(4)(PROTEIN);
    const { specs } = network;
    const own = (block: string) => specs.filter((s) => s.block === block);
    const alone = build(
      {
        blocks: [
          { name: 'a', layers: [tanh(4)] },
          { name: 'b', layers: [tanh(3), out] },
        ],
      },
      [PROTEIN],
    );
    const used = [
      ...own('protein-encoder'),
      ...own('joint').filter((s) => !s.name.includes('merge')),
      ...own('head'),
    ];
    const expected = outputsOf(
      { network: alone, backend },
      Float32Array.from(used.flatMap(({ offset, size }) => [...weights.subarray(offset, offset + size)])),
      protein,
    );
    const outputs = outputsOf({ network, backend }, weights, Float32Array.from(row(null, protein)));
    outputs.forEach((y, i) => expect(Math.abs(y - expected[i]!)).toBeLessThan(1e-6));
  });

  it('does not take zeros for what is absent', () => {
    expect(() => build(fusion('concat'), [RNA + PROTEIN + 2])).toThrow(
      /joint\/merge \(model\.blocks\[2\]\.merge\): rna-encoder may be absent/,
    );
  });

  it.each(['concat', 'add'])('%s of two blocks that read one input: gradient', (merge) => {
    const declaration = {
      blocks: [
        { name: 'left', layers: [tanh(3)] },
        { name: 'right', from: 'features', layers: [tanh(3)] },
        { name: 'joint', from: ['left', 'right'], merge, layers: [out] },
      ],
    };
    const network = build(declaration, [5]);
    const draw = drawer(5);
    expect(gradientError({ network, backend }, weightsFor(network), draw(15), draw(6))).toBeLessThan(5e-3);
  });
});

describe('several heads', () => {
  const declaration = {
    blocks: [
      { name: 'trunk', layers: [tanh(4)] },
      { name: 'subtype', layers: [out] },
      { name: 'gene', from: 'trunk', layers: [tanh(3), out] },
    ],
    heads: [
      { block: 'subtype', loss: { type: 'cross-entropy' } },
      { block: 'gene', outputs: 1, loss: { type: 'squared-error' }, weight: 0.5 },
    ],
  };

  it('stand side by side in the output, and share the gradient of the trunk', () => {
    const network = build(declaration, [5], 3);
    const draw = drawer(6);
    expect(network.outputShape).toEqual([4]);
    expect(network.heads.map(({ offset, targetOffset }) => [offset, targetOffset])).toEqual([
      [0, 0],
      [3, 1],
    ]);
    expect(gradientError({ network, backend }, weightsFor(network), draw(15), draw(12))).toBeLessThan(5e-3);
  });

  it('are refused where the width is not the declared one', () => {
    const heads = [{ block: 'trunk', loss: { type: 'cox' } }];
    expect(() => build({ ...declaration, heads }, [5], 3)).toThrow(
      /head trunk \(model\.heads\[0\]\): gets \[4\], needs 3 outputs/,
    );
  });
});

describe('frozen blocks', () => {
  it('have no gradient, and let none through to what lies below them for nothing', () => {
    const network = build(fusion('gated', { freeze: true }), [RNA + PROTEIN + 2]);
    const draw = drawer(7);
    const x = Float32Array.from([...row(draw(RNA), draw(PROTEIN)), ...row(draw(RNA), draw(PROTEIN))]);
    const { gradient } = lossAndGradient({ network, backend }, weightsFor(network), x, draw(4));
    for (const { block, offset, size } of network.specs) {
      const norm = Math.hypot(...gradient.subarray(offset, offset + size));
      if (block === 'rna-encoder') expect(norm).toBe(0);
      else expect(norm).toBeGreaterThan(0);
    }
  });
});

describe('filters on both strands', () => {
  it('give a sequence and its reverse complement the same score (1e-6)', () => {
    const layers = [
      { type: 'conv1d-strands', filters: 5, kernel: 4, activation: 'relu' },
      { type: 'global-max-pool' },
      out,
    ];
    const network = build({ blocks: [{ name: 'scan', layers }] }, [19, 4]);
    const draw = drawer(8);
    const bases = [...draw(19)].map((u) => Math.floor(2 * (u + 1)));
    const oneHot = (sequence: number[]): Float32Array =>
      Float32Array.from(sequence.flatMap((base) => [0, 1, 2, 3].map((b) => (b === base ? 1 : 0))));
    const score = (sequence: number[]) =>
      outputsOf({ network, backend }, weightsFor(network), oneHot(sequence));
    const forward = score(bases);
    const reverse = score([...bases].reverse().map((base) => 3 - base));
    forward.forEach((y, i) => expect(Math.abs(y - reverse[i]!)).toBeLessThan(1e-6));
    expect(sizeOf(network.outputShape)).toBe(2);
  });
});
