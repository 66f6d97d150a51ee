import { canonicalJsonBytes, sha256 } from '@regulon/shared/crypto';
import type { LocalDataset } from '../data/index.js';
import type { DatasetDescription } from './site-data.js';

/**
 * What a dataset is, without its values; everything that a round can depend on is in the digest of its content.
 *
 * @param report quality report of the dataset, where it has one
 */
export function describeDataset(dataset: LocalDataset, report?: Uint8Array): DatasetDescription {
  const { values, unitIds, genes, times, columns, patients, panel, panelDigest, notes } = dataset;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return {
    panel: { digest: panelDigest, size: panel.length, names: panel },
    // whose values, of what and when, which values, which labels
    content: sha256(
      sha256(canonicalJsonBytes(unitIds)),
      sha256(canonicalJsonBytes([genes, [...(times ?? [])]])),
      sha256(bytes),
      sha256(canonicalJsonBytes([...columns].sort(([a], [b]) => (a < b ? -1 : 1)))),
      ...(patients ? [sha256(canonicalJsonBytes([...patients]))] : []),
    ),
    units: unitIds.length,
    qualityReport: report ? sha256(report) : null,
    notes,
  };
}
