/** Median of some numbers, none of them NaN (mean of the middle two); NaN for none. @param values not changed */
export function medianOf(values: ArrayLike<number>): number {
  const own = new Float64Array(values);
  const half = own.length >> 1;
  const upper = selected(own, half);
  if (own.length % 2 === 1) return upper;
  const lower = own.subarray(0, half).reduce((a, b) => Math.max(a, b), -Infinity);
  return own.length === 0 ? NaN : (lower + upper) / 2;
}

/**
 * The element that ascending order has at a position; reorders the values so that none before it is larger.
 *
 * @see Hoare 1961, Algorithm 65 (FIND)
 */
function selected(values: Float64Array, position: number): number {
  const at = (k: number): number => values[k] ?? NaN;
  for (let low = 0, high = values.length - 1; low < high;) {
    const pivot = at(position);
    let [i, j] = [low, high];
    while (i <= j) {
      while (at(i) < pivot) i++;
      while (pivot < at(j)) j--;
      if (i > j) break;
      [values[i], values[j]] = [at(j), at(i)];
      i++;
      j--;
    }
    if (j < position) low = i;
    if (position < i) high = j;
  }
  return at(position);
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
