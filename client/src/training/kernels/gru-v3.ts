import type { BackwardSlices, ForwardSlices } from '../ops/cell-slices.js';
import type { LayerKernels, Sized } from './layer-kernels.js';

/** The four loops of `gruV3Cell`: each returns false where the plain loop must run. */
export function gruV3Gates(step: ForwardSlices, kernels: LayerKernels | undefined): boolean {
  const { batch, units, fromInput, bias, previous, cache } = step;
  const n = batch * units;
  const arrays: Sized[] = [
    [fromInput, 3 * n],
    [bias, 3 * units],
    [previous, n],
    [cache, 4 * n],
  ];
  return kernels?.run('gru_v3_gates', units, [batch, units], arrays) ?? false;
}

/** @see gruV3Gates */
export function gruV3State(step: ForwardSlices, kernels: LayerKernels | undefined): boolean {
  const { batch, units, fromInput, bias, previous, cache, state } = step;
  const n = batch * units;
  const arrays: Sized[] = [
    [fromInput, 3 * n],
    [bias, 3 * units],
    [previous, n],
    [cache, 4 * n],
    [state, n],
  ];
  return kernels?.run('gru_v3_state', units, [batch, units], arrays) ?? false;
}

/** @see gruV3Gates */
export function gruV3Backward(step: BackwardSlices, kernels: LayerKernels | undefined): boolean {
  return kernels?.run('gru_v3_backward', step.units, [step.batch, step.units], backwardArrays(step)) ?? false;
}

/** @see gruV3Gates */
export function gruV3Reset(
  step: BackwardSlices,
  dGated: Float32Array,
  kernels: LayerKernels | undefined,
): boolean {
  const { batch, units } = step;
  const arrays: Sized[] = [...backwardArrays(step), [dGated, batch * units]];
  return kernels?.run('gru_v3_reset', units, [batch, units], arrays) ?? false;
}

function backwardArrays({ batch, units, dState, previous, cache, dFromInput }: BackwardSlices): Sized[] {
  const n = batch * units;
  return [
    [dState, n],
    [previous, n],
    [cache, 4 * n],
    [dFromInput, 3 * n],
  ];
}
