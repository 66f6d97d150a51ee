import type { ModelDeclaration } from './declaration.js';
import type { LayerDeclaration } from './layers/index.js';
import type { Merge } from './layers/merge.js';
import type { Loss } from './losses.js';

/** Layers of which the gradient of each patient is known, or that have no weights and mix no units. */
export const patientLevelLayers: ReadonlySet<LayerDeclaration['type']> = new Set([
  'dense',
  'conv1d',
  'depthwise-conv1d',
  'conv1d-strands',
  'conv2d',
  'embedding',
  'position-embedding',
  'temporal-attention',
  'feature-attention',
  'transformer',
  'chebyshev',
  'group-norm',
  'layer-norm',
  'gru',
  'gru-v3',
  'lstm',
  'simple-rnn',
  'activation',
  'dropout',
  'masking-noise',
  'gaussian-noise',
  'max-pool1d',
  'average-pool1d',
  'max-pool2d',
  'average-pool2d',
  'global-max-pool',
  'global-average-pool',
  'upsample1d',
  'flatten',
  'reshape',
  'tokens',
  'gene-grid',
]);

/** Merges whose gradient is known by patient: they have no weights and mix no units. */
export const patientLevelMerges: ReadonlySet<Merge> = new Set(['concat', 'add', 'masked-mean']);

/** Losses that are sums over units, each of its own output and target alone. */
export const patientLevelLosses: ReadonlySet<Loss['type']> = new Set([
  'cross-entropy',
  'binary-cross-entropy',
  'focal',
  'squared-error',
  'absolute-error',
  'huber',
  'poisson',
  'discrete-time',
]);

/**
 * What of a model cannot be trained with patient-level differential privacy: what is not known to be exact is refused.
 *
 * @returns path inside the model and rule of the first thing, or null
 */
export function patientLevelRule(model: ModelDeclaration): { path: string; rule: string } | null {
  for (const [b, { layers, merge }] of model.blocks.entries()) {
    const l = layers.findIndex(({ type }) => !patientLevelLayers.has(type));
    const rule = 'gradients of this layer are not known patient by patient';
    if (l >= 0) return { path: `blocks[${b}].layers[${l}].type`, rule: `${layers[l]?.type}: ${rule}` };
    if (merge !== undefined && !patientLevelMerges.has(merge))
      return { path: `blocks[${b}].merge`, rule: `${merge}: ${rule}` };
  }
  const loss = (model.heads ?? []).map((head) => head.loss.type);
  const h = loss.findIndex((type) => !patientLevelLosses.has(type));
  if (h < 0) return null;
  return {
    path: `heads[${h}].loss`,
    rule: `${loss[h]}: the loss of a patient depends on the others of the batch`,
  };
}
