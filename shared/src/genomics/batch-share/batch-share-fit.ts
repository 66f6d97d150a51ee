/** Share of the variance between batches; nothing is transformed. */
export interface BatchShareFit {
  readonly step: 'batch-share';
  readonly units: number;
  /** batches over all sites */
  readonly batches: number;
  /** of each kept gene, while the squares are not known; then empty */
  readonly mean: Float64Array;
  /** mean over the genes of the adjusted R² of the batches, 0 to 1; −1 before the squares are known */
  readonly share: number;
}
