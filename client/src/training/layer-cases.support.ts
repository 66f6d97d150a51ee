import { createHash } from 'node:crypto';
import type { LayerDeclaration } from '@regulon/shared/models';
import type { ModelFiles } from './model-files.js';

const smooth = { activation: 'tanh' } as const;
const encoder = new TextEncoder();
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Seven genes; the last one has no edge. */
const graph = encoder.encode('a\tb\tweight\n0\t1\t1\n1\t2\t0.5\n2\t3\t2\n3\t4\t1\n4\t5\t1\n0\t5\t0.25\n');
const layout = encoder.encode('gene\trow\tcolumn\n0\t1\t2\n1\t0\t0\n2\t0\t1\n3\t1\t0\n4\t1\t1\n');

/** The files that the cases name. */
export const caseFiles: ModelFiles = {
  byDigest: new Map([graph, layout].map((bytes) => [digestOf(bytes), bytes])),
};
const graphDigest = digestOf(graph);
const layoutDigest = digestOf(layout);

/** A small model around one layer, odd sizes on purpose. */
export interface LayerCase {
  readonly inputShape: readonly number[];
  readonly layers: readonly unknown[];
  /** width of the last layer; 2 if not said */
  readonly outputs?: number;
  readonly training?: boolean;
  readonly aggregate?: 'local';
  /** whole numbers below this instead of numbers around 0 */
  readonly ids?: number;
}

const head = [{ type: 'flatten' }, { type: 'dense', units: 'outputs' }];
/** A layer behind one with weights, so that its input gradient is checked too. */
const after = (layer: object, inputShape: number[], width = 3): LayerCase => ({
  inputShape,
  layers: [{ type: 'dense', units: width, ...smooth }, layer, ...head],
});
const recurrent = (type: string): LayerCase[] => [
  after({ type, units: 5 }, [6, 2]),
  after({ type, units: 4, returnSequences: true }, [5, 2], 2),
  after({ type, units: 3, bidirectional: true }, [4, 3]),
  after({ type, units: 3, bidirectional: true, returnSequences: true }, [5, 1], 2),
  after({ type, units: 8, bidirectional: true, returnSequences: true }, [3, 4], 4),
];

/** Every layer of the catalogue: a layer without a case does not compile. */
export const layerCases: Readonly<Record<LayerDeclaration['type'], readonly LayerCase[]>> = {
  dense: [
    after({ type: 'dense', units: 5, activation: 'sigmoid' }, [9], 7),
    after({ type: 'dense', units: 4, ...smooth, init: 'he-uniform' }, [4, 3], 6),
  ],
  'dense-tied': [
    {
      inputShape: [9],
      outputs: 9,
      layers: [
        { type: 'dense', units: 5, ...smooth },
        { type: 'dense', units: 3, ...smooth },
        { type: 'dense-tied', of: 'trunk/1', ...smooth },
        { type: 'dense-tied', of: 'trunk/0' },
      ],
    },
  ],
  'gaussian-code': [
    { ...after({ type: 'gaussian-code', units: 3, klWeight: 0.5 }, [7], 5), training: true },
    after({ type: 'gaussian-code', units: 3 }, [7], 5),
  ],
  activation: [after({ type: 'activation', function: 'sigmoid' }, [5])],
  dropout: [{ ...after({ type: 'dropout', rate: 0.4 }, [9], 8), training: true }],
  'masking-noise': [{ ...after({ type: 'masking-noise', rate: 0.4 }, [9], 8), training: true }],
  'gaussian-noise': [{ ...after({ type: 'gaussian-noise', sd: 0.3 }, [9], 8), training: true }],
  conv1d: [
    after({ type: 'conv1d', filters: 2, kernel: 3, ...smooth }, [11, 2], 3),
    after({ type: 'conv1d', filters: 2, kernel: 4, stride: 3, ...smooth }, [20, 2], 3),
    after({ type: 'conv1d', filters: 2, kernel: 3, dilation: 2, stride: 2, ...smooth }, [13, 1], 2),
    after({ type: 'conv1d', filters: 3, kernel: 4, padding: 'same', ...smooth }, [7, 2], 3),
  ],
  'depthwise-conv1d': [
    after({ type: 'depthwise-conv1d', kernel: 3, ...smooth }, [11, 2], 3),
    after({ type: 'depthwise-conv1d', kernel: 4, stride: 3, activation: 'relu' }, [20, 2], 8),
    after({ type: 'depthwise-conv1d', kernel: 3, dilation: 2, stride: 2, ...smooth }, [13, 1], 4),
    after({ type: 'depthwise-conv1d', kernel: 4, padding: 'same', ...smooth }, [7, 2], 4),
    after({ type: 'depthwise-conv1d', kernel: 5, dilation: 2, padding: 'same' }, [3, 2], 5),
  ],
  'conv1d-strands': [after({ type: 'conv1d-strands', filters: 3, kernel: 5, ...smooth }, [13, 2], 4)],
  conv2d: [
    after({ type: 'conv2d', filters: 2, kernel: [2, 3], ...smooth }, [5, 6, 2], 3),
    after({ type: 'conv2d', filters: 2, kernel: [3, 2], stride: 2, ...smooth }, [6, 5, 1], 2),
    after({ type: 'conv2d', filters: 2, kernel: [3, 3], padding: 'same', ...smooth }, [3, 4, 1], 2),
  ],
  'max-pool1d': [after({ type: 'max-pool1d', size: 3 }, [11, 2])],
  'average-pool1d': [after({ type: 'average-pool1d', size: 3 }, [11, 2])],
  'max-pool2d': [after({ type: 'max-pool2d', size: 2 }, [5, 7, 1], 2)],
  'average-pool2d': [after({ type: 'average-pool2d', size: 2 }, [5, 7, 1], 2)],
  'global-max-pool': [
    after({ type: 'global-max-pool' }, [5, 2]),
    after({ type: 'global-max-pool' }, [3, 2, 2]),
  ],
  'global-average-pool': [after({ type: 'global-average-pool' }, [5, 2])],
  upsample1d: [after({ type: 'upsample1d', size: 3 }, [4, 2])],
  flatten: [after({ type: 'flatten' }, [3, 2])],
  reshape: [after({ type: 'reshape', shape: [2, 9] }, [6, 1])],
  tokens: [after({ type: 'tokens', count: 3 }, [5], 7)],
  'gene-grid': [
    after({ type: 'gene-grid', rows: 2, columns: 3, layout: layoutDigest }, [4], 5),
    after({ type: 'gene-grid', rows: 3, columns: 2 }, [4], 5),
  ],
  'group-norm': [
    after({ type: 'group-norm', groups: 3 }, [4], 9),
    after({ type: 'group-norm', groups: 2 }, [3, 2], 4),
    after({ type: 'group-norm', groups: 2 }, [5, 2], 8),
  ],
  'layer-norm': [
    after({ type: 'layer-norm' }, [4, 2], 5),
    after({ type: 'layer-norm' }, [7], 6),
    after({ type: 'layer-norm' }, [3, 2], 12),
  ],
  'batch-norm': [
    { ...after({ type: 'batch-norm' }, [4], 5), training: true, aggregate: 'local' },
    { ...after({ type: 'batch-norm' }, [3, 2], 4), aggregate: 'local' },
  ],
  gru: recurrent('gru'),
  'gru-v3': recurrent('gru-v3'),
  lstm: recurrent('lstm'),
  'simple-rnn': recurrent('simple-rnn'),
  'temporal-attention': [after({ type: 'temporal-attention', units: 4 }, [5, 2])],
  'feature-attention': [
    after({ type: 'feature-attention' }, [6], 5),
    after({ type: 'feature-attention' }, [3, 2]),
  ],
  'position-embedding': [after({ type: 'position-embedding' }, [5, 2])],
  transformer: [after({ type: 'transformer', heads: 2, feedForward: 5 }, [5, 3], 6)],
  embedding: [{ inputShape: [6], layers: [{ type: 'embedding', vocabulary: 5, units: 3 }, ...head], ids: 5 }],
  chebyshev: [
    {
      inputShape: [7],
      layers: [
        { type: 'chebyshev', filters: 2, order: 4, graph: graphDigest, ...smooth },
        { type: 'chebyshev', filters: 3, order: 3, graph: graphDigest, ...smooth },
        { type: 'chebyshev', filters: 2, order: 1, graph: graphDigest },
        ...head,
      ],
    },
  ],
};
