/** Median of some numbers (mean of the middle two); NaN for none. @param values not changed */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}

/**
 * Position in `list` of each element of `part`; both ascending.
 *
 * @returns shape of `part`; an element that is not in `list` gets the length of `list`
 */
export function positionsIn(list: Uint32Array, part: Uint32Array): Uint32Array {
  let at = 0;
  return Uint32Array.from(part, (wanted) => {
    while (at < list.length && (list[at] ?? 0) < wanted) at++;
    return list[at] === wanted ? at : list.length;
  });
}

/** Some elements of an array, in the given order. */
export function pick(from: Float64Array, positions: Uint32Array): Float64Array {
  return Float64Array.from(positions, (at) => from[at] ?? NaN);
}

/** Add a number to one place of an array. */
export function add(to: Float64Array, at: number, value: number): void {
  to[at] = (to[at] ?? 0) + value;
}
