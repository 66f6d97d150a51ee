import { beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema, sizeOf } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { CpuBackend } from '../backends/cpu.js';
import { drawer } from '../gradient-check.support.js';
import { caseFiles, type LayerCase, layerCases } from '../layer-cases.support.js';
import { Network } from '../network.js';
import { rowOf, weightsFor } from './attribution.support.js';
import { ExplainedNetwork, integratedGradients, midpoints } from './index.js';

let backend: TrainingBackend;
beforeAll(async () => {
  backend = await CpuBackend.start();
});

function networkOf({ inputShape, layers, outputs = 2, aggregate = undefined }: LayerCase): Network {
  const block = { name: 'trunk', layers, ...(aggregate ? { aggregate } : {}) };
  return new Network(modelDeclarationSchema.parse({ blocks: [block] }), { inputShape, outputs }, caseFiles);
}

function modelOf(network: Network): ExplainedNetwork {
  const weights = weightsFor(network);
  for (const { name, offset, size } of network.specs) {
    if (name.endsWith('running-variance')) weights.fill(0.8, offset, offset + size);
  }
  return new ExplainedNetwork(network, weights, backend);
}

/** Largest deviation from central differences along seeded directions that leave masks alone, relative to 1 + the slope. */
function errorOf(model: ExplainedNetwork, unit: Float64Array, free: (i: number) => boolean): number {
  const h = 4e-3;
  const { gradients } = model.gradientsOf(unit, 0);
  const deviations = [31, 32, 33].map((seed) => {
    const direction = rowOf(unit.length, seed).map((d, i) => (free(i) ? d : 0));
    const along = gradients.reduce((sum, g, i) => sum + (free(i) ? g * direction[i]! : 0), 0);
    const at = (by: number): number => model.outputsOf(unit.map((x, i) => x + by * direction[i]!))[0]!;
    return Math.abs((at(h) - at(-h)) / (2 * h) - along) / (1 + Math.abs(along));
  });
  return Math.max(...deviations);
}

const table = Object.entries(layerCases)
  .filter(([type]) => type !== 'embedding')
  .flatMap(([type, cases]) => cases.map((layerCase, i) => [`${type} ${i + 1}`, layerCase] as const));

describe('the gradient by the units themselves', () => {
  it.each(table)('%s: is that of finite differences', (_name, layerCase) => {
    const model = modelOf(networkOf(layerCase));
    const unit = rowOf(sizeOf(layerCase.inputShape), 3);
    const { gradients } = model.gradientsOf(unit, 0);
    expect(Math.hypot(...gradients)).toBeGreaterThan(1e-4);
    expect(errorOf(model, unit, () => true)).toBeLessThan(5e-3);
    model.dispose();
  });

  it('many units at once are explained as each is alone', () => {
    const network = networkOf({
      inputShape: [6],
      layers: [
        { type: 'dense', units: 5, activation: 'tanh' },
        { type: 'dense', units: 'outputs' },
      ],
    });
    const model = modelOf(network);
    const units = Float64Array.from(drawer(8)(6 * 300));
    const whole = model.gradientsOf(units, 1);
    for (const u of [0, 127, 128, 299]) {
      const alone = model.gradientsOf(units.subarray(u * 6, (u + 1) * 6), 1);
      expect(Math.abs(alone.values[0]! - whole.values[u]!)).toBeLessThan(1e-6);
      alone.gradients.forEach((g, i) => expect(Math.abs(g - whole.gradients[u * 6 + i]!)).toBeLessThan(1e-6));
    }
    model.dispose();
  });
});

describe('units that lack something', () => {
  const out = { type: 'dense', units: 'outputs' };
  const build = (declaration: unknown, width: number): ExplainedNetwork =>
    modelOf(new Network(modelDeclarationSchema.parse(declaration), { inputShape: [width], outputs: 2 }));
  const tanh = { type: 'dense', units: 4, activation: 'tanh' };

  it('an absent omic has no share, whatever stands in its place, and the rest adds up', () => {
    const model = build(
      {
        inputs: [
          { name: 'rna', shape: [3], mask: 'unit' },
          { name: 'protein', shape: [2], mask: 'unit' },
        ],
        blocks: [
          { name: 'rna-encoder', from: 'rna', layers: [tanh] },
          { name: 'protein-encoder', from: 'protein', layers: [tanh] },
          { name: 'joint', from: ['rna-encoder', 'protein-encoder'], merge: 'masked-mean', layers: [out] },
        ],
      },
      7,
    );
    const unit = Float64Array.of(0.5, -1, 0.7, 1, NaN, 5, 0);
    const { values, gap } = integratedGradients(
      model,
      { unit, output: 0 },
      new Float64Array(7),
      midpoints(64),
    );
    expect([...values.slice(3)]).toEqual([0, 0, 0, 0]);
    expect(Math.hypot(...values)).toBeGreaterThan(0.01);
    expect(Math.abs(gap)).toBeLessThan(1e-4);
    model.dispose();
  });

  it('a padded series: its steps have the gradient of finite differences, padding has none', () => {
    const model = build(
      {
        inputs: [{ name: 'series', shape: [6, 2], mask: 'steps' }],
        blocks: [
          {
            name: 'trunk',
            layers: [
              tanh,
              { type: 'conv1d', filters: 3, kernel: 3, padding: 'same', activation: 'tanh' },
              { type: 'gru', units: 3 },
              out,
            ],
          },
        ],
      },
      18,
    );
    const unit = rowOf(18, 3);
    unit.fill(1, 12, 16).fill(0, 16);
    const { gradients } = model.gradientsOf(unit, 0);
    expect(Math.hypot(...gradients.slice(8))).toBe(0);
    expect(errorOf(model, unit, (i) => i < 8)).toBeLessThan(5e-3);
    model.dispose();
  });
});
