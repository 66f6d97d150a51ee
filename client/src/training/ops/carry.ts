import type { BackwardSlices, ForwardSlices } from './cell-slices.js';

/** Which units of the batch are padded at one step. */
export type IsPadded = (unit: number) => boolean;

/**
 * At a padded step a unit keeps its state, and what its cell remembers, from the step before.
 *
 * @param carried blocks of width H of the cache that belong to the state (the cell state of an LSTM)
 */
export function carryForward(step: ForwardSlices, carried: readonly number[], isPadded: IsPadded): void {
  const { batch, units, previous, previousCache, state, cache } = step;
  const cacheWidth = cache.length / batch;
  for (let b = 0; b < batch; b++) {
    if (!isPadded(b)) continue;
    state.set(previous.subarray(b * units, (b + 1) * units), b * units);
    for (const block of carried) {
      const from = b * cacheWidth + block * units;
      if (previousCache) cache.set(previousCache.subarray(from, from + units), from);
      else cache.fill(0, from, from + units);
    }
  }
}

/** Take a step back through the cell; what flows into a padded step flows on unchanged, and reaches no weight. */
export function carryBackward(
  step: BackwardSlices,
  isPadded: IsPadded | undefined,
  throughCell: () => void,
): void {
  if (!isPadded) return throughCell();
  const { batch, units, dState, dCarry, dFromInput, dFromState } = step;
  const before = { dState: dState.slice(), dCarry: dCarry.slice() };
  throughCell();
  const width = dFromInput.length / batch;
  for (let b = 0; b < batch; b++) {
    if (!isPadded(b)) continue;
    dState.set(before.dState.subarray(b * units, (b + 1) * units), b * units);
    dCarry.set(before.dCarry.subarray(b * units, (b + 1) * units), b * units);
    dFromInput.fill(0, b * width, (b + 1) * width);
    dFromState.fill(0, b * width, (b + 1) * width);
  }
}
