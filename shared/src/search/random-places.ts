import { enc, sha256, utf8 } from '../crypto/index.js';
import type { Place } from './space.js';

/**
 * The k-th random place of a search: the same for the same seed, whatever was drawn before.
 *
 * @param purpose keeps draws for different ends apart
 */
export function randomPlace(seed: number, purpose: string, k: number, dimensions: number): Place {
  return Array.from({ length: dimensions }, (_, d) => {
    const digest = sha256(enc(utf8('regulon/search/v1'), utf8(`${seed} ${purpose} ${k} ${d}`)));
    return new DataView(digest.buffer, digest.byteOffset).getUint32(0) / 2 ** 32;
  });
}
