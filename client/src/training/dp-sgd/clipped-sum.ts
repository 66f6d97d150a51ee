import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from '../backends/backend.js';
import type { UnitData } from '../data.js';
import { forwardLayer } from '../forward-layer.js';
import { batchTensor } from '../local-round.js';
import type { Network } from '../network.js';
import type { PassContext, UnitRange } from '../ops/op.js';
import type { Records } from './patients.js';

/** Sums of float32 gradients are rounded: what is clipped stays below the bound by more than that. */
const ROUNDING_ROOM = 1 - 2 ** -14;

/** Where gradients come from. */
export interface GradientSource {
  readonly network: Network;
  readonly data: UnitData;
  readonly backend: TrainingBackend;
  /** one tensor for each weight, in manifest order */
  readonly weights: readonly tf.Tensor[];
  /** factor of the loss of a record: 1 / terms of its loss */
  readonly lossScale: number;
}

/** Gradients of the patients of one pass, clipped and summed. */
export interface ClippedSum {
  /** ‖gradient‖ of each patient before clipping, over all trained weights and records */
  readonly norms: Float64Array;
}

/**
 * Σ over patients of gradient · min(1, C/‖gradient‖), one forward pass, one way back to the layers' products for the
 * norms, and one way back of the records' losses, each scaled by the factor of its patient.
 *
 * @param patients records of each; one or more
 * @param receive is told the sum of each weight by its place in the manifest, once; a view that is valid inside only
 * @throws E_LOSS_NOT_FINITE when a loss or a gradient is NaN or infinite; nothing was added then
 * @throws E_PRIVACY naming a layer that cannot tell patients apart
 * @see Abadi et al. 2016 (arXiv:1607.00133), Algorithm 1; Lee & Kifer 2021 (arXiv:2009.03106), reweighted losses
 */
export function clippedSum(
  source: GradientSource,
  patients: readonly Records[],
  clipNorm: number,
  context: Pick<PassContext, 'randomOf'>,
  receive: (spec: number, sum: Float32Array) => void,
): ClippedSum {
  const { network, data, backend, weights, lossScale } = source;
  const rows = patients.flat();
  const ranges = rangesOf(patients);
  const norms = new Float64Array(patients.length);
  tf.tidy(() => {
    const pass = network.forward(
      batchTensor(data, rows, backend),
      weights,
      { backend, training: true, ...context },
      { layer: forwardLayer },
    );
    const gradient = backend.allocate(pass.output.shape);
    backend.view(gradient).set(backend.view(pass.output));
    const { lossSum } = data.lossOf(backend.view(gradient), rows);
    if (!Number.isFinite(lossSum + pass.penalty)) throw notFinite('the loss');
    scaleRows(backend.view(gradient), ranges, () => lossScale);
    for (const addNorms of pass.taps(gradient)) addNorms(ranges, norms);
    for (let p = 0; p < norms.length; p++) norms[p] = Math.sqrt(norms[p]!);
    if (!norms.every(Number.isFinite)) throw notFinite('the gradient of a patient');
    scaleRows(backend.view(gradient), ranges, (p) => clipFactor(norms[p]!, clipNorm));
    pass.backward(gradient).forEach((tensor, s) => receive(s, backend.view(tensor)));
  });
  return { norms };
}

/** min(1, C/‖g‖), a little below it for the rounding of sums. */
export function clipFactor(norm: number, clipNorm: number): number {
  const bound = clipNorm * ROUNDING_ROOM;
  return norm > bound ? bound / norm : 1;
}

/** The records of each patient lie side by side in a pass. */
function rangesOf(patients: readonly Records[]): UnitRange[] {
  let at = 0;
  return patients.map(({ length }) => {
    at += length;
    return { from: at - length, to: at };
  });
}

/** Multiply the rows of each patient by a factor. */
function scaleRows(
  values: Float32Array,
  ranges: readonly UnitRange[],
  factor: (patient: number) => number,
): void {
  const width = values.length / (ranges.at(-1)?.to ?? 1);
  ranges.forEach(({ from, to }, p) => {
    const by = factor(p);
    for (let i = from * width; i < to * width; i++) values[i] = values[i]! * by;
  });
}

const notFinite = (what: string): RegulonError =>
  new RegulonError('E_LOSS_NOT_FINITE', `${what} of a private step is not finite`);
