import { sha256, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';

/** What the identifiers of a panel were translated with. */
export interface PanelIdentifiers {
  readonly kind: 'symbol' | 'ensembl' | 'entrez';
  /** who named the genes, e.g. `HGNC`, and when */
  readonly source: string;
  readonly release: string;
  /** of the gene table, hexadecimal */
  readonly sha256: string;
}

/** Identifiers as one line of text. @param identifiers null: names as the files have them */
export function identifiersText(identifiers: PanelIdentifiers | null): string {
  if (!identifiers) return 'names as written';
  const { kind, source, release, sha256: digest } = identifiers;
  return `${kind} of ${source} ${release} sha256:${digest}`;
}

/**
 * Digest of an ordered gene panel.
 *
 * @param genes identifiers in their order; without line breaks
 * @param identifiers the gene table behind them; absent: names as the files have them
 * @returns SHA-256 of the identifiers joined by newlines, then, of translated ones, an empty line and the line that
 *   tells their table; 32 bytes
 * @throws E_PANEL when the panel is empty, or an identifier is empty or holds a line break
 * @throws E_DATA_DUPLICATE when an identifier stands twice
 */
export function panelDigest(genes: readonly string[], identifiers?: PanelIdentifiers): Uint8Array {
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
  const table = identifiers ? `\n\n${identifiersText(identifiers)}` : '';
  return sha256(utf8(`${genes.join('\n')}${table}`));
}

/** Panel of series data: one feature over time, whatever its time steps, so that sites of unequal length agree. */
export const SERIES_PANEL: readonly string[] = ['series-value'];
