import { RegulonError } from '../errors/index.js';
import type { UnitsView } from './view.js';

/** First training step that is a target: it has two steps before it (rounds.md §6, "from the third step on"). */
export const FIRST_TARGET = 2;

/** Series of one site, filled so that a recurrent net can read them. */
export interface FilledSeries {
  /** positions in the view of the units that have at least one training value, ascending */
  readonly units: Uint32Array;
  readonly n: number;
  /** time steps T; the last `horizon` are test */
  readonly steps: number;
  /** row-major [n, T]: interpolated training steps, then observed values or the last one carried forward */
  readonly values: Float64Array;
  /** row-major [n, T]: 1 where the value at a step is a target of its predecessor, else 0 */
  readonly mask: Float64Array;
}

/**
 * Fill the gaps of series without looking ahead.
 *
 * Training steps (the first T − horizon) are interpolated linearly between observed training steps, ends filled with
 * the nearest one; units without any training value are dropped. In the last `horizon` steps a missing value is the
 * last known one, and only observed values are targets.
 *
 * @param view series, NaN = missing; shape [n, T]
 * @param horizon test steps at the end, at least 1
 * @throws E_PLAN when fewer than four training steps remain
 * @throws E_UNITS when no unit has a training value
 * @see rounds.md §6, `yeast-next`
 */
export function fillSeries(view: UnitsView, horizon: number): FilledSeries {
  const steps = view.genes;
  const training = steps - horizon;
  if (!Number.isInteger(horizon) || horizon < 1 || training < 4) {
    throw new RegulonError(
      'E_PLAN',
      `evaluation.horizon: ${horizon} of ${steps} time steps leaves fewer than 4 to train on`,
    );
  }
  const rowOf = (unit: number): Float64Array => view.values.subarray(unit * steps, (unit + 1) * steps);
  const units = Uint32Array.from({ length: view.n }, (_, i) => i).filter((i) =>
    rowOf(i).subarray(0, training).some(Number.isFinite),
  );
  if (units.length === 0) throw new RegulonError('E_UNITS', 'no series has a value in its training steps');
  const values = new Float64Array(units.length * steps);
  const mask = new Float64Array(units.length * steps);
  units.forEach((unit, i) => {
    const [from, to] = [i * steps, (i + 1) * steps];
    fillRow(rowOf(unit), training, values.subarray(from, to), mask.subarray(from, to));
  });
  return { units, n: units.length, steps, values, mask };
}

/**
 * Series to be classified: every step may be seen, so gaps are interpolated over all of them; a series without any
 * value is zero.
 *
 * @param view series, NaN = missing; shape [n, C·T], channel after channel
 * @param channels C, 1 or more
 * @returns row-major [n, T, 2·C]: of each channel its value, and 1 where it was observed; the caller owns it
 */
export function wholeSeries({ n, genes, values }: UnitsView, channels = 1): Float32Array {
  const steps = genes / channels;
  const out = new Float32Array(2 * n * genes);
  const row = new Float64Array(steps);
  for (let series = 0; series < n * channels; series++) {
    const [unit, channel] = [Math.floor(series / channels), series % channels];
    const raw = values.subarray(series * steps, (series + 1) * steps);
    row.fill(0);
    interpolate(raw, steps, row);
    row.forEach((value, t) => {
      out.set([value, Number.isFinite(raw[t]) ? 1 : 0], 2 * ((unit * steps + t) * channels + channel));
    });
  }
  return out;
}

function fillRow(raw: Float64Array, training: number, out: Float64Array, mask: Float64Array): void {
  interpolate(raw, training, out);
  mask.fill(1, FIRST_TARGET, training);
  for (let t = training; t < raw.length; t++) {
    const observed = Number.isFinite(raw[t]);
    out[t] = (observed ? raw[t] : out[t - 1]) ?? 0;
    mask[t] = observed ? 1 : 0;
  }
}

/** Linear between observed steps by step number; constant before the first and after the last. */
function interpolate(raw: Float64Array, training: number, out: Float64Array): void {
  let last = -1;
  for (let t = 0; t < training; t++) {
    const value = raw[t] ?? NaN;
    if (!Number.isFinite(value)) continue;
    out[t] = value;
    if (last < 0) out.fill(value, 0, t);
    else {
      const before = out[last] ?? 0;
      for (let s = last + 1; s < t; s++) out[s] = before + ((value - before) * (s - last)) / (t - last);
    }
    last = t;
  }
  out.fill(out[last] ?? 0, last + 1, training);
}
