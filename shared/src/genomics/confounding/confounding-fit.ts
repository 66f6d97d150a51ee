/** Labels against batches, as sums; nothing is transformed. */
export interface ConfoundingFit {
  readonly step: 'confounding';
  readonly units: number;
  readonly classUnits: Uint32Array;
  /** batches over all sites */
  readonly groups: number;
  /** pairs of batch and class without a unit */
  readonly absent: number;
  /** Σ O²/(R·C) over batches and classes */
  readonly squares: number;
  /** units that the majority of the others of their batch labels rightly */
  readonly hits: number;
}
