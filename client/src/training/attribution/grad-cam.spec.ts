import { beforeAll, describe, expect, it } from '@jest/globals';
import type { TrainingBackend } from '../backends/backend.js';
import { WasmBackend } from '../backends/wasm.js';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { Network } from '../network.js';
import { networkOf, rowOf, weightsFor } from './attribution.support.js';
import { ExplainedNetwork, gradCam } from './index.js';
import { sideOf, upsampled } from './positions.js';

let backend: TrainingBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});

const out = { type: 'dense', units: 'outputs' };
const one = sideOf(1, 1, { reach: 1, stride: 1, same: false });

describe('a map over windows', () => {
  it('is interpolated between their centres, and goes on beyond the outer ones', () => {
    // windows of 3 at 0 and 2: centres 1 and 3
    const side = sideOf(6, 2, { reach: 3, stride: 2, same: false });
    expect([...upsampled([10, 20], one, side)]).toEqual([10, 10, 15, 20, 20, 20]);
  });

  it('lies on its own positions where zeros are beyond the ends', () => {
    const side = sideOf(4, 4, { reach: 3, stride: 1, same: true });
    expect([...upsampled([1, 2, 3, 4], one, side)]).toEqual([1, 2, 3, 4]);
  });

  it('in two directions: a plane stays a plane between the centres', () => {
    const side = sideOf(4, 2, { reach: 2, stride: 2, same: false });
    const map = upsampled([0, 2, 20, 22], side, side);
    expect(map[1 * 4 + 1]).toBeCloseTo(0.25 * 2 + 0.25 * 20, 12);
    expect(map[3 * 4 + 3]).toBe(22);
  });
});

/**
 * A detector of the pattern 1, −1, 1 anywhere, through a pool and a plain head.
 *
 * @param separable the sequence and its opposite as two channels, each with a filter of its own
 */
function detector(padding: 'valid' | 'same', steps: number, separable = false): ExplainedNetwork {
  const window = { kernel: 3, padding, activation: 'relu' };
  const signs = { type: 'conv1d', filters: 2, kernel: 1 };
  const network = networkOf(
    [
      { type: 'reshape', shape: [steps, 1] },
      ...(separable
        ? [signs, { type: 'depthwise-conv1d', ...window }]
        : [{ type: 'conv1d', filters: 2, ...window }]),
      { type: 'global-average-pool' },
      out,
    ],
    [steps],
  );
  const weights = new Float32Array(network.specs.reduce((n, { size }) => n + size, 0));
  const [kernel, bias, dense] = network.specs.slice(separable ? 2 : 0);
  // [taps, 1, filters]: filter 0 looks for the pattern, filter 1 for its opposite
  weights.set(separable ? [1, 1, -1, -1, 1, 1] : [1, -1, -1, 1, 1, -1], kernel!.offset);
  if (separable) weights.set([1, -1], network.specs[0]!.offset);
  weights.fill(-2, bias!.offset, bias!.offset + 2);
  // output 1 rises with filter 0 and falls with filter 1
  weights.set([0, 5, 0, -5], dense!.offset);
  return new ExplainedNetwork(network, weights, backend);
}

describe('Grad-CAM', () => {
  it.each([
    ['valid', false],
    ['same', false],
    ['same', true],
  ] as const)(
    '%s, a filter a channel %s: the genes of the pattern shine, those of its opposite do not',
    (padding, separable) => {
      const unit = new Float64Array(24);
      unit.set([1, -1, 1], 6);
      unit.set([-1, 1, -1], 17);
      const model = detector(padding, 24, separable);
      const map = gradCam(model, { unit, output: 1 });
      model.dispose();
      const best = map.indexOf(Math.max(...map));
      expect(best).toBe(7);
      expect(map[best]).toBeGreaterThan(0);
      map.forEach((value, g) => expect(Math.abs(g - 7) > 1 ? value : 0).toBe(0));
    },
  );

  it('goes back through grids, pools and layers a channel, by gene', () => {
    const network = networkOf(
      [
        { type: 'gene-grid', rows: 6, columns: 7 },
        { type: 'conv2d', filters: 3, kernel: [3, 3], padding: 'same' },
        { type: 'group-norm', groups: 1 },
        { type: 'activation', function: 'relu' },
        { type: 'max-pool2d', size: 2 },
        { type: 'conv2d', filters: 4, kernel: [2, 2], activation: 'relu' },
        { type: 'flatten' },
        out,
      ],
      [40],
    );
    const model = new ExplainedNetwork(network, weightsFor(network), backend);
    const map = gradCam(model, { unit: rowOf(40), output: 1 });
    model.dispose();
    expect(map).toHaveLength(40);
    expect(Math.max(...map)).toBeGreaterThan(0);
    expect(Math.min(...map)).toBeGreaterThanOrEqual(0);
  });

  it('is refused without a convolution, where genes are mixed below it, and between several ways', () => {
    const refuse = (network: Network, message: RegExp): void => {
      const model = new ExplainedNetwork(network, weightsFor(network), backend);
      const work = () => gradCam(model, { unit: rowOf(model.inputs), output: 0 });
      expect(work).toThrow(expect.objectContaining({ code: 'E_MODEL_SHAPE' }));
      expect(work).toThrow(message);
      model.dispose();
    };
    const conv = { type: 'conv1d', filters: 2, kernel: 3 };
    refuse(networkOf([out], [5]), /no convolution/);
    const mixed = [
      { type: 'dense', units: 8 },
      { type: 'reshape', shape: [8, 1] },
      conv,
      { type: 'flatten' },
      out,
    ];
    refuse(networkOf(mixed, [9]), /trunk\/0-dense lies below the convolution/);
    const blocks = [
      { name: 'left', layers: [conv, { type: 'flatten' }] },
      { name: 'right', from: 'features', layers: [{ type: 'flatten' }] },
      { name: 'joint', from: ['left', 'right'], merge: 'concat', layers: [out] },
    ];
    const declaration = modelDeclarationSchema.parse({ blocks });
    refuse(new Network(declaration, { inputShape: [9, 2], outputs: 2 }), /only way/);
  });
});
