import { z } from 'zod';

/** A key of a plan with a number of a range, or with one of some values. */
export const dimensionSchema = z.union([
  z
    .strictObject({
      /** keys of the plan, joined by dots: `training.optimizer.learningRate` */
      key: z.string().min(1).max(200),
      low: z.number(),
      high: z.number(),
      /** equal steps of the logarithm; needs low > 0 */
      log: z.boolean().default(false),
      /** rounded to whole numbers */
      whole: z.boolean().default(false),
    })
    .refine(({ low, high }) => low < high, 'low is below high')
    .refine(({ low, log }) => !log || low > 0, 'the logarithm needs low > 0'),
  z.strictObject({
    key: z.string().min(1).max(200),
    values: z
      .array(z.union([z.number(), z.string()]))
      .min(1)
      .max(100),
  }),
]);

/** One thing that a search varies. */
export type Dimension = z.infer<typeof dimensionSchema>;

/** A place in a space: a number of [0, 1] for each dimension. */
export type Place = readonly number[];

/** What a plan says at a place, in the order of the dimensions. */
export const valuesAt = (space: readonly Dimension[], place: Place): (number | string)[] =>
  space.map((dimension, d) => valueAt(dimension, place[d] ?? 0));

function valueAt(dimension: Dimension, u: number): number | string {
  if ('values' in dimension) {
    const { values } = dimension;
    return values[Math.min(values.length - 1, Math.floor(u * values.length))] ?? values[0] ?? '';
  }
  const { low, high, log, whole } = dimension;
  const value = log ? low * (high / low) ** u : low + u * (high - low);
  return whole ? Math.min(high, Math.max(low, Math.round(value))) : value;
}

/** The place of values, as near as they tell; null when one is none of the space. */
export function placeOf(space: readonly Dimension[], values: readonly unknown[]): Place | null {
  const place = space.map((dimension, d) => coordinateOf(dimension, values[d]));
  return place.every((u) => u !== null) ? place : null;
}

function coordinateOf(dimension: Dimension, value: unknown): number | null {
  if ('values' in dimension) {
    const k = dimension.values.findIndex((known) => known === value);
    return k < 0 ? null : (k + 0.5) / dimension.values.length;
  }
  if (typeof value !== 'number') return null;
  const { low, high, log } = dimension;
  const u = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return u >= -1e-9 && u <= 1 + 1e-9 ? Math.min(1, Math.max(0, u)) : null;
}

/** Places of a grid: all values, and of a range so many steps, ends included; the last dimension runs fastest. */
export function gridPlaces(space: readonly Dimension[], steps: number): Place[] {
  return space.reduce<number[][]>(
    (places, dimension) => {
      const count = 'values' in dimension ? dimension.values.length : steps;
      const own = Array.from({ length: count }, (_, k) =>
        'values' in dimension ? (k + 0.5) / count : count === 1 ? 0.5 : k / (count - 1),
      );
      return places.flatMap((place) => own.map((u) => [...place, u]));
    },
    [[]],
  );
}
