import type { Explained, Question } from './explained.js';

/** Rows made at once: a row for each gene would be inputs² numbers. */
const PIECE = 128;

/**
 * What the output loses when one number at a time is set to its baseline: a gene knocked out to its mean.
 *
 * @param baseline [inputs], the federated mean profile
 * @returns [inputs], f(unit) − f(unit with this number replaced)
 * @see Zeiler & Fergus 2014
 */
export function occlusion(
  model: Explained,
  { unit, output }: Question,
  baseline: Float64Array,
): Float64Array {
  const { inputs, outputs } = model;
  const { from, to } = model.endsOf(unit, baseline);
  const whole = model.outputsOf(to)[output]!;
  const values = new Float64Array(inputs);
  // what equals its baseline changes nothing
  const moved = [...to.keys()].filter((i) => to[i] !== from[i]);
  for (let at = 0; at < moved.length; at += PIECE) {
    const piece = moved.slice(at, at + PIECE);
    const rows = new Float64Array(piece.length * inputs);
    piece.forEach((i, r) => {
      rows.set(to, r * inputs);
      rows[r * inputs + i] = from[i]!;
    });
    const without = model.outputsOf(rows);
    piece.forEach((i, r) => (values[i] = whole - without[r * outputs + output]!));
  }
  return values;
}
