/** Histograms over all units; nothing is transformed. Outside public runs cells of fewer than 5 units read 0. */
export interface QualityFit {
  readonly step: 'quality';
  readonly units: number;
  /** cells of log10 of the library size, `LIBRARY` of quality-round; empty unless the data are counts */
  readonly library: Uint32Array;
  /** cells of the share of genes that are not zero, 0 to 1 */
  readonly detected: Uint32Array;
  /** cells of the share of missing values, 0 to 1 */
  readonly missing: Uint32Array;
}
