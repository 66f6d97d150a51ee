import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import {
  type LayerDeclaration,
  type Merge,
  mergeSchema,
  modelDeclarationSchema,
  patientLevelLayers,
  patientLevelMerges,
} from '@regulon/shared/models';
import { WasmBackend } from '../backends/wasm.js';
import type { UnitData } from '../data.js';
import { drawer } from '../gradient-check.support.js';
import { caseFiles, type LayerCase, layerCases } from '../layer-cases.support.js';
import { weightTensors } from '../local-round.js';
import { squaredError } from '../losses/index.js';
import { Network } from '../network.js';
import { clippedSum, clipFactor, type GradientSource } from './clipped-sum.js';
import type { Records } from './patients.js';

const context = { randomOf: () => ({ uniform: () => 0.7, words: (out: Uint32Array) => out.fill(2 ** 31) }) };
const RECORDS = 7;
/** one record, three and two of a patient, and one more; their rows in any order */
const PATIENTS: readonly Records[] = [[4], [0, 6, 2], [5, 1], [3]];

let backend: WasmBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});
const held: tf.Tensor[] = [];
afterAll(() => tf.dispose(held));

/** A network around a layer, random weights and records, and targets that differ. */
function sourceOf(layerCase: LayerCase): GradientSource {
  const { inputShape, layers, outputs = 2, ids, aggregate } = layerCase;
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers, aggregate }] });
  const network = new Network(declaration, { inputShape, outputs }, caseFiles);
  const draw = drawer(23);
  const size = network.specs.reduce((n, spec) => n + spec.size, 0);
  const width = inputShape.reduce((a, b) => a * b, 1);
  const numbers = draw(RECORDS * width, 1.5);
  const features = ids ? numbers.map((x) => Math.floor(Math.abs(x) * ids) % ids) : numbers;
  const [targets, out] = [draw(RECORDS * 64, 2), network.outputShape.reduce((a, b) => a * b, 1)];
  const data: UnitData = {
    ...{ n: RECORDS, inputShape, features },
    lossOf: (output, rows) => squaredError(output, targets, undefined, rows, out),
  };
  const weights = weightTensors(network, draw(size, 0.7), backend);
  held.push(...weights);
  return { network, data, backend, weights, lossScale: 0.5 };
}

/** Gradient of the records of one patient, by an ordinary way back that sees nobody else. */
function gradientOf({ network, data, weights, lossScale }: GradientSource, rows: Records): Float64Array {
  const gradient = new Float64Array(network.specs.reduce((n, { size }) => n + size, 0));
  for (const row of rows) {
    tf.tidy(() => {
      const x = backend.allocate([1, ...data.inputShape]);
      const width = x.size;
      backend.view(x).set(data.features.subarray(row * width, (row + 1) * width));
      const pass = network.forward(x, weights, { backend, training: true, ...context });
      const slope = backend.allocate(pass.output.shape);
      backend.view(slope).set(backend.view(pass.output));
      data.lossOf(backend.view(slope), [row]);
      pass.backward(slope).forEach((tensor, s) => {
        const { offset, trainable } = network.specs[s]!;
        if (trainable) backend.view(tensor).forEach((g, i) => (gradient[offset + i]! += lossScale * g));
      });
    });
  }
  return gradient;
}

/** Where sums are added to one array of all weights. */
const into =
  ({ network }: GradientSource, total: Float64Array) =>
  (spec: number, sum: Float32Array): void => {
    const { offset, trainable } = network.specs[spec]!;
    if (trainable) sum.forEach((g, i) => (total[offset + i]! += g));
  };
const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
const distance = (a: Float64Array, b: Float64Array): number => norm(a.map((x, i) => x - b[i]!));

/** Largest relative deviation of norms and of the clipped sum from one patient at a time. */
function deviation(source: GradientSource, clip?: number) {
  const alone = PATIENTS.map((rows) => gradientOf(source, rows));
  const sizes = alone.map(norm);
  const bound = clip ?? [...sizes].sort((a, b) => a - b)[1]! * 1.01;
  const expected = new Float64Array(alone[0]!.length);
  alone.forEach((gradient, p) => {
    const factor = clipFactor(sizes[p]!, bound);
    gradient.forEach((g, i) => (expected[i]! += factor * g));
  });
  const total = new Float64Array(expected.length);
  const { norms } = clippedSum(source, PATIENTS, bound, context, into(source, total));
  const ofNorms = Math.max(...sizes.map((size, p) => Math.abs(norms[p]! - size) / (size || 1)));
  return { ofNorms, ofSum: distance(total, expected) / (norm(expected) || 1), total, expected, bound };
}

/** Two blocks put together; where a merge allows for it, units that lack one of them. */
function mergedSource(merge: Merge): GradientSource {
  const layers = [{ type: 'dense', units: 4, activation: 'tanh' }];
  const head = { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] };
  const isMasked = merge === 'masked-mean' || merge === 'gated';
  const names = isMasked ? ['rna', 'protein'] : ['all', 'all'];
  const inputs = names.map((name) => ({ name, shape: [3], mask: 'unit' }));
  const blocks = names.map((from, b) => ({ name: `block-${b}`, from, layers }));
  const joint = { name: 'joint', from: blocks.map(({ name }) => name), merge, layers };
  const declaration = modelDeclarationSchema.parse({
    inputs: isMasked ? inputs : [{ name: 'all', shape: [8] }],
    blocks: [...blocks, joint, head],
  });
  const network = new Network(declaration, { inputShape: [8], outputs: 2 });
  const draw = drawer(29);
  const features = draw(RECORDS * 8, 1.5);
  if (isMasked)
    for (let r = 0; r < RECORDS; r++) [features[8 * r + 3], features[8 * r + 7]] = [r % 3 ? 1 : 0, r % 2];
  const targets = draw(RECORDS * 2, 2);
  const data: UnitData = {
    ...{ n: RECORDS, inputShape: [8], features },
    lossOf: (output, rows) => squaredError(output, targets, undefined, rows, 2),
  };
  const size = network.specs.reduce((n, spec) => n + spec.size, 0);
  const weights = weightTensors(network, draw(size, 0.7), backend);
  held.push(...weights);
  return { network, data, backend, weights, lossScale: 0.5 };
}

const cases = Object.entries(layerCases) as [LayerDeclaration['type'], readonly LayerCase[]][];
const known = cases.filter(([type]) => patientLevelLayers.has(type));
const unknown = cases.filter(([type]) => !patientLevelLayers.has(type));

describe('gradients by patient, without a loop over patients', () => {
  it.each(known)('%s: within 1e-5 of one patient at a time, with several records a patient', (_, list) => {
    for (const layerCase of list) {
      const { ofNorms, ofSum } = deviation(sourceOf(layerCase));
      expect(ofNorms).toBeLessThan(1e-5);
      expect(ofSum).toBeLessThan(1e-5);
    }
  });

  it.each(unknown)('%s: refused by name', (type, list) => {
    for (const layerCase of list) {
      const source = sourceOf(layerCase);
      const total = new Float64Array(source.network.specs.reduce((n, { size }) => n + size, 0));
      expect(() => clippedSum(source, PATIENTS, 1, context, into(source, total))).toThrow(
        expect.objectContaining({ code: 'E_PRIVACY', message: expect.stringContaining(type) }),
      );
    }
  });

  it('takes the way of many rows where a patient has many, with the same norms', () => {
    const layers = [{ type: 'dense', units: 3 }, { type: 'flatten' }, { type: 'dense', units: 'outputs' }];
    const { ofNorms, ofSum } = deviation(sourceOf({ inputShape: [40, 4], layers }));
    expect(ofNorms).toBeLessThan(1e-5);
    expect(ofSum).toBeLessThan(1e-5);
  });

  it('no patient moves the sum by more than the bound, however large the gradient', () => {
    const source = sourceOf({ inputShape: [9], layers: [{ type: 'dense', units: 'outputs' }] });
    for (const bound of [1e-3, 0.5, 10]) {
      for (const rows of PATIENTS) {
        const total = new Float64Array(source.network.specs.reduce((n, { size }) => n + size, 0));
        clippedSum(source, [rows], bound, context, into(source, total));
        expect(norm(total)).toBeLessThanOrEqual(bound);
      }
    }
  });

  it.each(mergeSchema.options)('%s: exact by patient, or refused', (merge) => {
    const source = mergedSource(merge);
    if (patientLevelMerges.has(merge)) {
      const { ofNorms, ofSum } = deviation(source);
      expect(ofNorms).toBeLessThan(1e-5);
      expect(ofSum).toBeLessThan(1e-5);
      return;
    }
    const total = new Float64Array(source.network.specs.reduce((n, spec) => n + spec.size, 0));
    expect(() => clippedSum(source, PATIENTS, 1, context, into(source, total))).toThrow(
      expect.objectContaining({ code: 'E_PRIVACY' }),
    );
  });

  it('a frozen weight has no part in the norm', () => {
    const declaration = modelDeclarationSchema.parse({
      blocks: [
        { name: 'trunk', freeze: true, layers: [{ type: 'dense', units: 5, activation: 'tanh' }] },
        { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
      ],
    });
    const source = sourceOf({ inputShape: [9], layers: [{ type: 'dense', units: 'outputs' }] });
    const network = new Network(declaration, { inputShape: [9], outputs: 2 });
    const size = network.specs.reduce((n, spec) => n + spec.size, 0);
    const weights = weightTensors(network, drawer(3)(size, 0.7), backend);
    held.push(...weights);
    const { ofNorms, ofSum, total } = deviation({ ...source, network, weights });
    expect(ofNorms).toBeLessThan(1e-5);
    expect(ofSum).toBeLessThan(1e-5);
    expect(norm(total.subarray(0, 50))).toBe(0);
  });
});
