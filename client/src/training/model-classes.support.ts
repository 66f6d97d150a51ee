import { createHash } from 'node:crypto';
import type { TrainJob } from './job.js';
import {
  linear,
  motif,
  separable,
  series,
  survival,
  type ToyTask,
  twoFactors,
  twoOmics,
  words,
} from './toy-tasks.support.js';

/** A class of models with a task that it can learn. */
export interface ModelClass {
  readonly task: TrainJob['task'];
  readonly units: ToyTask;
  readonly model: unknown;
  /** shape of a unit; a flat row if not said */
  readonly inputShape?: readonly number[];
  readonly outputs: number;
  readonly files?: readonly Uint8Array[];
  /** share of the first loss that must be gone after training; .4 if not said */
  readonly falls?: number;
}

const out = { type: 'dense', units: 'outputs' };
const relu = { activation: 'relu' } as const;
const dense = (units: number) => ({ type: 'dense', units, activation: 'tanh' });
const one = (...layers: unknown[]) => ({ blocks: [{ name: 'trunk', layers }] });
const classifier = (genes: number, ...layers: unknown[]): ModelClass => ({
  ...{ task: 'classify', units: separable(genes), outputs: 2, model: one(...layers, out) },
});
const autoencoder = (genes: number, ...layers: unknown[]): ModelClass => ({
  ...{ task: 'reconstruct', units: twoFactors(genes), outputs: genes, model: one(...layers) },
});
const heads = (units: ToyTask, outputs: number, loss: object, ...layers: unknown[]): ModelClass => ({
  ...{ task: 'heads', units, outputs, model: { ...one(...layers), heads: [{ block: 'trunk', loss }] } },
});
const padded = (...layers: unknown[]): ModelClass => ({
  ...{ task: 'classify', units: series(7), outputs: 2 },
  model: { inputs: [{ name: 'series', shape: [7, 2], mask: 'steps' }], ...one(...layers, out) },
});
const fusion = (merge: string): ModelClass => ({
  ...{ task: 'classify', units: twoOmics(6, 5), outputs: 2 },
  model: {
    inputs: [
      { name: 'rna', shape: [6], mask: 'unit' },
      { name: 'protein', shape: [5], mask: 'unit' },
    ],
    blocks: [
      { name: 'rna-encoder', from: 'rna', layers: [dense(6)] },
      { name: 'protein-encoder', from: 'protein', layers: [dense(6)] },
      { name: 'joint', from: ['rna-encoder', 'protein-encoder'], merge, layers: [out] },
    ],
  },
});

const encode = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(`${lines.join('\n')}\n`);
/** The digest of a model file, as plans name it. */
export const fileDigest = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const genes = Array.from({ length: 12 }, (_, g) => g);
const ring = encode(['a\tb\tweight', ...genes.map((g) => `${g}\t${(g + 1) % 12}\t1`)]);
const grid = encode(['gene\trow\tcolumn', ...genes.map((g) => `${g}\t${g % 4}\t${Math.floor(g / 4)}`)]);

/** Every class of models of the catalogue, small. */
export const modelClasses: Readonly<Record<string, ModelClass>> = {
  'softmax regression': classifier(8),
  'linear regression': { ...heads(linear(8, 1), 1, { type: 'squared-error' }, out), falls: 0.8 },
  'MLP with dropout': classifier(8, dense(16), { type: 'dropout', rate: 0.2 }),
  'MLP with group norm': classifier(
    8,
    { type: 'dense', units: 16 },
    { type: 'group-norm', groups: 4 },
    { type: 'activation', function: 'relu' },
  ),
  'MLP with layer norm and feature attention': classifier(8, { type: 'feature-attention' }, dense(12), {
    type: 'layer-norm',
  }),
  '1D CNN': classifier(
    12,
    { type: 'conv1d', filters: 6, kernel: 3, ...relu },
    { type: 'max-pool1d', size: 2 },
    { type: 'flatten' },
    dense(8),
  ),
  'dilated 1D CNN': {
    falls: 0.15,
    ...classifier(
      12,
      { type: 'conv1d', filters: 6, kernel: 3, dilation: 2, padding: 'same', ...relu },
      { type: 'average-pool1d', size: 2 },
      { type: 'flatten' },
    ),
  },
  'separable 1D CNN': classifier(
    12,
    { type: 'conv1d', filters: 6, kernel: 3, ...relu },
    { type: 'depthwise-conv1d', kernel: 3, padding: 'same' },
    { type: 'dense', units: 6, ...relu },
    { type: 'max-pool1d', size: 2 },
    { type: 'flatten' },
    dense(8),
  ),
  '2D CNN on a gene grid': {
    ...classifier(
      12,
      { type: 'gene-grid', rows: 4, columns: 3, layout: fileDigest(grid) },
      { type: 'conv2d', filters: 6, kernel: [3, 2], padding: 'same', ...relu },
      { type: 'max-pool2d', size: 2 },
      { type: 'flatten' },
      dense(8),
    ),
    files: [grid],
  },
  'graph convolution': {
    ...classifier(
      12,
      { type: 'chebyshev', filters: 4, order: 3, graph: fileDigest(ring), activation: 'tanh' },
      { type: 'flatten' },
    ),
    files: [ring],
  },
  transformer: classifier(
    12,
    { type: 'tokens', count: 4 },
    { type: 'dense', units: 8 },
    { type: 'position-embedding' },
    { type: 'transformer', heads: 2, feedForward: 16 },
    { type: 'flatten' },
  ),
  autoencoder: autoencoder(10, dense(6), { type: 'dense', units: 2 }, dense(6), out),
  'denoising autoencoder, tied': autoencoder(
    10,
    { type: 'masking-noise', rate: 0.1 },
    { type: 'gaussian-noise', sd: 0.05 },
    { type: 'dense', units: 4 },
    { type: 'dense-tied', of: 'trunk/2' },
  ),
  'variational autoencoder': autoencoder(
    10,
    dense(8),
    { type: 'gaussian-code', units: 2, klWeight: 0.01 },
    dense(8),
    out,
  ),
  'convolutional autoencoder': autoencoder(
    12,
    { type: 'conv1d', filters: 6, kernel: 3, padding: 'same', activation: 'tanh' },
    { type: 'max-pool1d', size: 2 },
    { type: 'upsample1d', size: 2 },
    { type: 'conv1d', filters: 4, kernel: 3, padding: 'same', activation: 'tanh' },
    { type: 'flatten' },
    out,
  ),
  'D-GEX: landmarks to other genes': { ...autoencoder(5, dense(12), out), units: linear(6, 5) },
  'simple RNN': padded({ type: 'simple-rnn', units: 6 }),
  LSTM: padded({ type: 'lstm', units: 6 }),
  GRU: padded({ type: 'gru', units: 6 }),
  'GRU v3': padded({ type: 'gru-v3', units: 6 }),
  'GRU in both directions with attention': padded(
    { type: 'gru', units: 5, bidirectional: true, returnSequences: true },
    { type: 'temporal-attention', units: 6 },
  ),
  'several omics, masked mean': fusion('masked-mean'),
  'several omics, gated': fusion('gated'),
  'motif scanner on both strands': {
    ...{ task: 'classify', units: motif(20), outputs: 2, inputShape: [20, 4], falls: 0.25 },
    model: one({ type: 'conv1d-strands', filters: 8, kernel: 5, ...relu }, { type: 'global-max-pool' }, out),
  },
  'a class at each step': heads(
    words(6, 8),
    2,
    { type: 'cross-entropy' },
    { type: 'embedding', vocabulary: 8, units: 4 },
    { type: 'gru', units: 6, returnSequences: true },
    out,
  ),
  'several labels': heads(
    linear(8, 3, (y) => (y > 0.8 ? Number.NaN : y > 0 ? 1 : 0)),
    3,
    { type: 'binary-cross-entropy' },
    dense(12),
    out,
  ),
  'several labels, focal': heads(
    linear(8, 3, (y) => (y > 0 ? 1 : 0)),
    3,
    { type: 'focal' },
    dense(12),
    out,
  ),
  'robust regression': heads(linear(8, 2), 2, { type: 'huber', delta: 0.5 }, dense(12), out),
  'Cox regression': { ...heads(survival(6), 1, { type: 'cox' }, dense(8), out), falls: 0.2 },
  'discrete-time hazards': {
    ...heads(survival(6), 4, { type: 'discrete-time', edges: [0.4, 0.9, 2, 5] }, dense(12), out),
    falls: 0.3,
  },
  'several tasks': {
    ...{ task: 'heads', outputs: 2 },
    units: (n, dice) => {
      const { features, targets = [] } = linear(8, 2)(n, dice);
      return { features, targets: targets.map(([a = 0, b = 0]) => [a > 0.7 ? -1 : a > 0 ? 1 : 0, b]) };
    },
    model: {
      blocks: [
        { name: 'trunk', layers: [dense(12)] },
        { name: 'subtype', layers: [out] },
        { name: 'gene', from: 'trunk', layers: [out] },
      ],
      heads: [
        { block: 'subtype', loss: { type: 'cross-entropy', smoothing: 0.02, classWeights: [1, 2] } },
        { block: 'gene', outputs: 1, loss: { type: 'squared-error' }, weight: 2 },
      ],
    },
  },
  'MLP with batch statistics of its site (FedBN)': {
    ...classifier(8),
    model: {
      blocks: [
        { name: 'input', aggregate: 'local', layers: [{ type: 'batch-norm' }] },
        { name: 'head', layers: [dense(12), out] },
      ],
    },
  },
};
