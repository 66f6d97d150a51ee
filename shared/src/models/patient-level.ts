import type { ModelDeclaration } from './declaration.js';
import type { LayerDeclaration } from './layers/index.js';

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

/**
 * What of a model cannot be trained with patient-level differential privacy.
 *
 * @returns path inside the model and rule of the first thing, or null
 */
export function patientLevelRule(model: ModelDeclaration): { path: string; rule: string } | null {
  for (const [b, { layers, merge }] of model.blocks.entries()) {
    const l = layers.findIndex(({ type }) => !patientLevelLayers.has(type));
    const rule = 'gradients of this layer are not known patient by patient';
    if (l >= 0) return { path: `blocks[${b}].layers[${l}].type`, rule: `${layers[l]?.type}: ${rule}` };
    if (merge === 'gated') return { path: `blocks[${b}].merge`, rule: `gated: ${rule}` };
  }
  const h = model.heads?.findIndex(({ loss }) => loss.type === 'cox') ?? -1;
  if (h < 0) return null;
  return { path: `heads[${h}].loss`, rule: 'cox: the loss of a patient depends on the others of the batch' };
}
