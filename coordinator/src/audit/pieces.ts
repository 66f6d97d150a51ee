/** Bytes of a piece at most. */
export const PIECE_BYTES = 64 * 1024;

/** Lets whatever waits for the event loop come first. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * The same bytes in pieces of 64 KiB, the last one shorter. After each the event loop turns; nothing more of `parts` is
 * read than the piece needs that was asked for.
 *
 * @returns pieces of their own memory
 */
export async function* inPieces(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [piece, filled] = [new Uint8Array(PIECE_BYTES), 0];
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      const taken = part.subarray(at, at + PIECE_BYTES - filled);
      piece.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < PIECE_BYTES) continue;
      yield piece;
      await turn();
      [piece, filled] = [new Uint8Array(PIECE_BYTES), 0];
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
