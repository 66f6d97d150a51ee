import { sha256 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';

/**
 * Digest of an ordered gene panel.
 *
 * @param genes identifiers in their order; without line breaks
 * @returns SHA-256 of the identifiers joined by newlines, 32 bytes
 * @throws E_PANEL when the panel is empty, or an identifier is empty or holds a line break
 * @throws E_DATA_DUPLICATE when an identifier stands twice
 */
export function panelDigest(genes: readonly string[]): Uint8Array {
  if (genes.length === 0) throw new RegulonError('E_PANEL', 'the gene panel is empty');
  const seen = new Map<string, number>();
  genes.forEach((gene, i) => {
    if (gene === '' || /[\r\n]/.test(gene)) {
      throw new RegulonError('E_PANEL', `gene ${i + 1} of the panel: empty name or line break`);
    }
    const first = seen.get(gene);
    if (first !== undefined) {
      throw new RegulonError(
        'E_DATA_DUPLICATE',
        `genes ${first + 1} and ${i + 1} of the panel have one name`,
      );
    }
    seen.set(gene, i);
  });
  return sha256(new TextEncoder().encode(genes.join('\n')));
}

/** Panel of series data: one feature over time, whatever its time steps, so that sites of unequal length agree. */
export const SERIES_PANEL: readonly string[] = ['series-value'];
