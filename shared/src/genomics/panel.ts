import { equalBytes, hex, sha256 } from '../crypto/index.js';
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

/**
 * Stop unless a site's genes are exactly those of the run, in that order.
 *
 * @param expected digest of the run's panel, and its genes where they are known (the error then names the place)
 * @throws E_PANEL naming the first gene position that differs, or both digests
 */
export function verifyPanel(
  genes: readonly string[],
  expected: { readonly digest: Uint8Array; readonly genes?: readonly string[] },
): void {
  const own = panelDigest(genes);
  if (equalBytes(own, expected.digest)) return;
  throw new RegulonError(
    'E_PANEL',
    `gene panel differs from the run's: ${differenceOf(genes, expected, own)}`,
  );
}

function differenceOf(
  genes: readonly string[],
  expected: { readonly digest: Uint8Array; readonly genes?: readonly string[] },
  own: Uint8Array,
): string {
  const wanted = expected.genes;
  if (!wanted) return `sha256 ${hex(own).slice(0, 16)}… instead of ${hex(expected.digest).slice(0, 16)}…`;
  const at = wanted.findIndex((gene, i) => gene !== genes[i]);
  if (at < 0) return `${genes.length} genes instead of ${wanted.length}`;
  const sameSet = genes.length === wanted.length && new Set([...genes, ...wanted]).size === wanted.length;
  return sameSet
    ? `same genes in another order, first at position ${at + 1}`
    : `${genes.length} genes against ${wanted.length}, first difference at position ${at + 1}`;
}

/** Panel of series data: one feature over time, whatever its time steps, so that sites of unequal length agree. */
export const SERIES_PANEL: readonly string[] = ['series-value'];
