import { enc, fromHex, hkdf, u32, utf8 } from '@regulon/shared/crypto';
import { KeyedGenerator } from '@regulon/shared/models';

/** The site's own randomness for one round: order of the units, dropout masks. Never leaves the site. */
export class RoundRandomness {
  readonly #secret: Uint8Array;

  /** @param shuffleKey hexadecimal secret of the run */
  constructor(
    shuffleKey: string,
    private readonly round: number,
  ) {
    this.#secret = fromHex(shuffleKey);
  }

  /**
   * Order of the units in one epoch.
   *
   * @returns a permutation of 0 … n − 1
   * @see Fisher–Yates; Knuth, TAOCP 2, Algorithm P
   */
  permutation(n: number, epoch: number): number[] {
    const generator = this.#generator('shuffle', u32(epoch));
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = generator.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  /** Uniform numbers of one layer at one step. */
  dropout(step: number, layer: string): KeyedGenerator {
    return this.#generator('dropout', u32(step), utf8(layer));
  }

  #generator(purpose: string, ...fields: Uint8Array[]): KeyedGenerator {
    const info = enc(`regulon/${purpose}/v1`, u32(this.round), ...fields);
    return new KeyedGenerator(hkdf(this.#secret, new Uint8Array(32), info, 32));
  }
}
