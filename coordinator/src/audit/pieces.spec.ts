import { describe, expect, it } from '@jest/globals';
import { inPieces, PIECE_BYTES } from './pieces.js';

describe('bytes in pieces', () => {
  const parts = async function* (...lengths: number[]): AsyncGenerator<Uint8Array> {
    let next = 0;
    for (const length of lengths) yield await Promise.resolve(new Uint8Array(length).map(() => next++ % 251));
  };

  it('are the same bytes, whatever they came in', async () => {
    for (const lengths of [[], [0], [1], [PIECE_BYTES], [3, PIECE_BYTES, 0, 2 * PIECE_BYTES + 7, 1]]) {
      const given: Uint8Array[] = [];
      for await (const part of parts(...lengths)) given.push(part);
      const pieces: Uint8Array[] = [];
      for await (const piece of inPieces(parts(...lengths))) pieces.push(piece);
      expect(Buffer.concat(pieces).equals(Buffer.concat(given))).toBe(true);
      expect(pieces.slice(0, -1).every(({ length }) => length === PIECE_BYTES)).toBe(true);
      expect(pieces.every(({ length }) => length > 0 && length <= PIECE_BYTES)).toBe(true);
    }
  });

  it('let the event loop turn after each piece, though all of them are there at once', async () => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    for await (const piece of inPieces(parts(20 * PIECE_BYTES))) expect(piece).toHaveLength(PIECE_BYTES);
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(19);
  });
});
