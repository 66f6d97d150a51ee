import { describe, expect, it } from '@jest/globals';
import { hex } from '../crypto/index.js';
import {
  activationSizeOf,
  initialWeights,
  type LayerDeclaration,
  manifestDigest,
  manifestOf,
  type ModelDeclaration,
  modelDeclarationSchema,
  parameterCount,
  resolveModel,
  travellingWeights,
} from './index.js';

/** What a layer makes of an input: [layer, input, output, shapes of its weights]. */
type Case = [layer: object, input: number[], output: number[], weights: number[][]];
const graph = `sha256:${'0a'.repeat(32)}`;
const recurrent = (type: string, gates: number, bias: number[]): Case[] => [
  [{ type, units: 3 }, [7, 2], [3], [[2, 3 * gates], [3, 3 * gates], bias]],
  [
    { type, units: 3, bidirectional: true, returnSequences: true },
    [7],
    [7, 6],
    [[1, 3 * gates], [3, 3 * gates], bias, [1, 3 * gates], [3, 3 * gates], bias],
  ],
];
const norm = (channels: number) => [[channels], [channels]];

const cases: Readonly<Record<LayerDeclaration['type'], readonly Case[]>> = {
  dense: [[{ type: 'dense', units: 5 }, [4, 3], [4, 5], [[3, 5], [5]]]],
  'dense-tied': [],
  'gaussian-code': [[{ type: 'gaussian-code', units: 3 }, [5], [3], [[5, 3], [3], [5, 3], [3]]]],
  activation: [[{ type: 'activation', function: 'relu' }, [5, 2], [5, 2], []]],
  dropout: [[{ type: 'dropout', rate: 0.5 }, [5], [5], []]],
  'masking-noise': [[{ type: 'masking-noise', rate: 0.1 }, [5], [5], []]],
  'gaussian-noise': [[{ type: 'gaussian-noise', sd: 0.1 }, [5], [5], []]],
  conv1d: [
    [{ type: 'conv1d', filters: 4, kernel: 3, stride: 2 }, [10], [4, 4], [[3, 1, 4], [4]]],
    [{ type: 'conv1d', filters: 4, kernel: 3, dilation: 3 }, [10, 2], [4, 4], [[3, 2, 4], [4]]],
    [{ type: 'conv1d', filters: 4, kernel: 4, padding: 'same' }, [3, 2], [3, 4], [[4, 2, 4], [4]]],
  ],
  'depthwise-conv1d': [
    [{ type: 'depthwise-conv1d', kernel: 3, stride: 2 }, [10, 3], [4, 3], [[3, 1, 3], [3]]],
    [{ type: 'depthwise-conv1d', kernel: 3, dilation: 3 }, [10], [4, 1], [[3, 1, 1], [1]]],
    [{ type: 'depthwise-conv1d', kernel: 4, padding: 'same' }, [3, 2], [3, 2], [[4, 1, 2], [2]]],
  ],
  'conv1d-strands': [[{ type: 'conv1d-strands', filters: 3, kernel: 5 }, [9, 4], [5, 3], [[5, 4, 3], [3]]]],
  conv2d: [
    [{ type: 'conv2d', filters: 4, kernel: [2, 3] }, [5, 7], [4, 5, 4], [[2, 3, 1, 4], [4]]],
    [{ type: 'conv2d', filters: 4, kernel: [2, 2], stride: 3 }, [5, 8, 2], [2, 3, 4], [[2, 2, 2, 4], [4]]],
    [
      { type: 'conv2d', filters: 4, kernel: [5, 5], padding: 'same' },
      [3, 2, 1],
      [3, 2, 4],
      [[5, 5, 1, 4], [4]],
    ],
  ],
  'max-pool1d': [[{ type: 'max-pool1d', size: 3 }, [11, 2], [3, 2], []]],
  'average-pool1d': [[{ type: 'average-pool1d', size: 3 }, [11], [3, 1], []]],
  'max-pool2d': [[{ type: 'max-pool2d', size: 2 }, [5, 7, 3], [2, 3, 3], []]],
  'average-pool2d': [[{ type: 'average-pool2d', size: 2 }, [5, 7], [2, 3, 1], []]],
  'global-max-pool': [[{ type: 'global-max-pool' }, [5, 7, 3], [3], []]],
  'global-average-pool': [[{ type: 'global-average-pool' }, [5, 3], [3], []]],
  upsample1d: [[{ type: 'upsample1d', size: 3 }, [5, 2], [15, 2], []]],
  flatten: [[{ type: 'flatten' }, [2, 3, 4], [24], []]],
  reshape: [[{ type: 'reshape', shape: [4, 6] }, [2, 3, 4], [4, 6], []]],
  tokens: [[{ type: 'tokens', count: 4 }, [10], [4, 3], []]],
  'gene-grid': [[{ type: 'gene-grid', rows: 3, columns: 4 }, [10], [3, 4, 1], []]],
  'group-norm': [[{ type: 'group-norm', groups: 3 }, [5, 6], [5, 6], norm(6)]],
  'layer-norm': [[{ type: 'layer-norm' }, [5, 6], [5, 6], norm(6)]],
  'batch-norm': [],
  gru: recurrent('gru', 3, [2, 9]),
  'gru-v3': recurrent('gru-v3', 3, [9]),
  lstm: recurrent('lstm', 4, [12]),
  'simple-rnn': recurrent('simple-rnn', 1, [3]),
  'temporal-attention': [[{ type: 'temporal-attention', units: 4 }, [7, 3], [3], [[3, 4], [4], [4, 1]]]],
  'feature-attention': [[{ type: 'feature-attention' }, [5], [5], [[5, 5], [5]]]],
  'position-embedding': [[{ type: 'position-embedding' }, [5, 3], [5, 3], [[5, 3]]]],
  transformer: [
    [
      { type: 'transformer', heads: 2, feedForward: 7 },
      [5, 4],
      [5, 4],
      [...norm(4), ...[1, 2, 3, 4].flatMap(() => [[4, 4], [4]]), ...norm(4), ...[[4, 7], [7], [7, 4], [4]]],
    ],
  ],
  embedding: [[{ type: 'embedding', vocabulary: 9, units: 3 }, [5], [5, 3], [[9, 3]]]],
  chebyshev: [[{ type: 'chebyshev', filters: 4, order: 3, graph }, [6], [6, 4], [[3, 1, 4], [4]]]],
};

const declare = (layers: unknown[], block: object = {}): ModelDeclaration =>
  modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers, ...block }] });
const bytesOf = (
  declaration: ModelDeclaration,
  frame: { inputShape: number[]; outputs: number },
  seed: number,
) =>
  Buffer.concat(
    [...initialWeights(manifestOf(declaration, frame), { seed, arm: 0 })].map((p) =>
      Buffer.from(p.buffer, p.byteOffset, p.byteLength),
    ),
  );

describe('every layer of the catalogue', () => {
  const table = Object.entries(cases).flatMap(([type, list]) =>
    list.map((c, i) => [`${type} ${i + 1}`, c] as const),
  );

  it.each(table)(
    '%s: shapes, weights, the same bytes from the same seed',
    (_name, [layer, input, output, weights]) => {
      const declaration = declare([layer]);
      const frame = { inputShape: input, outputs: output.at(-1)! };
      const model = resolveModel(declaration, frame);
      expect(model.blocks[0]?.outputShape).toEqual(output);
      const specs = manifestOf(declaration, frame);
      expect(specs.map(({ shape }) => [...shape])).toEqual(weights);
      expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
      expect(activationSizeOf(model)).toBeGreaterThanOrEqual(output.reduce((a, b) => a * b, 1));
      const bytes = bytesOf(declaration, frame, 1);
      expect(bytes.length).toBe(4 * parameterCount(specs));
      expect(bytesOf(declaration, frame, 1).equals(bytes)).toBe(true);
      if (specs.some(({ init }) => init !== 'zeros' && init !== 'ones')) {
        expect(bytesOf(declaration, frame, 2).equals(bytes)).toBe(false);
      }
    },
  );

  it.each(table)(
    '%s: a declaration goes through JSON unchanged; an unknown key is refused',
    (_name, [layer]) => {
      const declaration = declare([layer]);
      expect(modelDeclarationSchema.parse(JSON.parse(JSON.stringify(declaration)))).toEqual(declaration);
      expect(() => declare([{ ...layer, script: 'x' }])).toThrow(/script/);
    },
  );
});

describe('a tied decoder', () => {
  const layers = (of: string) => [
    { type: 'dense', units: 3 },
    { type: 'dense-tied', of },
  ];

  it('has a bias only, and gives what the encoder read', () => {
    const specs = manifestOf(declare(layers('trunk/0')), { inputShape: [7], outputs: 7 });
    expect(specs.map(({ name, shape }) => [name, ...shape])).toEqual([
      ['trunk/0-dense/kernel', 7, 3],
      ['trunk/0-dense/bias', 3],
      ['trunk/1-dense-tied/bias', 7],
    ]);
  });

  it('is refused without the dense layer that it names', () => {
    expect(() => manifestOf(declare(layers('trunk/5')), { inputShape: [7], outputs: 7 })).toThrow(
      /trunk\/1-dense-tied \(model\.blocks\[0\]\.layers\[1\]\): trunk\/5 is no dense layer/,
    );
  });
});

describe('what stays at a site', () => {
  const layers = [{ type: 'batch-norm' }, { type: 'dense', units: 'outputs' }];
  const frame = { inputShape: [4], outputs: 2 };

  it('is the end of the manifest, and batch statistics are nowhere else', () => {
    const blocks = [
      { name: 'input', aggregate: 'local', layers: [{ type: 'batch-norm' }] },
      { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
    ];
    const specs = manifestOf(modelDeclarationSchema.parse({ blocks }), frame);
    expect(specs.map(({ name, aggregate, trainable }) => [name, aggregate, trainable])).toEqual([
      ['head/0-dense/kernel', 'sum', true],
      ['head/0-dense/bias', 'sum', true],
      ['input/0-batch-norm/scale', 'local', true],
      ['input/0-batch-norm/shift', 'local', true],
      ['input/0-batch-norm/running-mean', 'local', false],
      ['input/0-batch-norm/running-variance', 'local', false],
    ]);
    expect(parameterCount(travellingWeights(specs))).toBe(10);
    expect(() => manifestOf(declare(layers), frame)).toThrow(/batch statistics of sites are not averaged/);
  });

  it('changes the digest: frozen and local weights are part of the contract', () => {
    const digest = (block: object) => hex(manifestDigest(manifestOf(declare([layers[1]], block), frame)));
    expect(new Set([digest({}), digest({ freeze: true }), digest({ aggregate: 'local' })]).size).toBe(3);
  });

  it('names the owners of a block exactly where only they train it', () => {
    const owned = { aggregate: 'owners', owners: ['north', 'south'], denominator: 0.5 };
    const [kernel] = manifestOf(declare([layers[1]], owned), frame);
    expect(kernel).toMatchObject(owned);
    expect(parameterCount(travellingWeights(manifestOf(declare([layers[1]], owned), frame)))).toBe(10);
    expect(() => declare([layers[1]], { aggregate: 'owners' })).toThrow(/owners are named exactly where/);
    expect(() => declare([layers[1]], { owners: ['north'] })).toThrow(/owners are named exactly where/);
    const twice = { ...owned, owners: ['north', 'north'] };
    expect(() => declare([layers[1]], twice)).toThrow(/each owner is named once/);
    for (const block of [{ ...owned, denominator: undefined }, { denominator: 1 }])
      expect(() => declare([layers[1]], block)).toThrow(/a denominator is declared exactly where/);
  });
});

describe('shape errors', () => {
  it.each([
    [
      [{ type: 'conv2d', filters: 2, kernel: [3, 9] }],
      [5, 7],
      'gets [5, 7, 1], needs [3 or more rows, 9 or more columns, 1]',
    ],
    [
      [{ type: 'conv1d-strands', filters: 2, kernel: 3 }],
      [9, 5],
      'gets [9, 5], needs [3 or more steps, 4 bases]',
    ],
    [[{ type: 'group-norm', groups: 4 }], [6], 'gets [6], needs [a multiple of 4]'],
    [[{ type: 'transformer', heads: 4, feedForward: 2 }], [5, 6], 'gets [5, 6], needs [5, a multiple of 4]'],
    [[{ type: 'gene-grid', rows: 2, columns: 2 }], [5], 'gets [5], needs [4 or fewer genes]'],
    [[{ type: 'reshape', shape: [2, 2] }], [5], 'gets [5], needs [2, 2]'],
    [[{ type: 'tokens', count: 9 }], [5], 'gets [5], needs [9 or more features]'],
    [[{ type: 'max-pool1d', size: 9 }], [5], 'gets [5, 1], needs [9 or more steps, 1]'],
    [[{ type: 'embedding', vocabulary: 9, units: 3 }], [5, 2], 'gets [5, 2], needs [steps]'],
  ])('%j on %j', (layers, inputShape, message) => {
    const type = (layers[0] as { type: string }).type;
    expect(() => manifestOf(declare(layers), { inputShape, outputs: 2 })).toThrow(
      `trunk/0-${type} (model.blocks[0].layers[0]): ${message}`,
    );
  });
});
