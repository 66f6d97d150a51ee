import { concatBytes } from '@regulon/shared/crypto';

const MOST_TRIES = 2_000;

/**
 * The shortest input found that still fails in the same way: pieces are left out, from halves down to single bytes.
 *
 * @param fails whether an input fails as the first one did
 */
export async function minimise(
  input: Uint8Array,
  fails: (input: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let smallest: Uint8Array = input.slice();
  let tries = 0;
  for (
    let width = Math.ceil(smallest.length / 2);
    width >= 1 && tries < MOST_TRIES;
    width = Math.floor(width / 2)
  ) {
    for (let at = 0; at < smallest.length && tries < MOST_TRIES; tries++) {
      const shorter = concatBytes(smallest.subarray(0, at), smallest.subarray(at + width));
      if (await fails(shorter)) smallest = shorter;
      else at += width;
    }
  }
  return smallest;
}
