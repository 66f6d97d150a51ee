import type { Cell } from '@regulon/shared/genomics';
import type { DatasetKind, DatasetScale } from '@regulon/shared/plan';

/** How several records of a patient become one: technical replicates of counts are summed, logarithms averaged. */
export type PerPatient = 'sum' | 'mean';

/** Where a dataset lies and how to read it. */
export interface DatasetSource {
  /** matrix: an imported store, or CSV or TSV; sequences: FASTA; plain or gzip */
  readonly counts: string;
  /** label table, CSV or TSV, plain or gzip; rows are units */
  readonly labels?: string | undefined;
  readonly kind: DatasetKind;
  readonly scale: DatasetScale;
  /** expression only; without it the labels decide, else genes are rows */
  readonly orientation?: 'genes-by-units' | 'units-by-genes' | undefined;
  /** series: read the columns that are this text and a time (`cdc15` reads `cdc15_10`); a list: a channel each */
  readonly columnsPrefix?: string | readonly string[] | undefined;
  /** columns of the matrix to leave out (further id columns, call columns) */
  readonly ignoreColumns?: readonly string[] | undefined;
  /** an imported store with several records a patient: one unit a patient, by their sum or mean */
  readonly perPatient?: PerPatient | undefined;
}

/** The data of one site in memory; nothing here leaves it. */
export interface LocalDataset {
  readonly kind: DatasetKind;
  readonly scale: DatasetScale;
  /** patients, libraries …; for series the rows of the file */
  readonly unitIds: readonly string[];
  /** gene panel; for series the names of the time-step columns, channel after channel, for sequences four a base */
  readonly genes: readonly string[];
  /** row-major [units, genes]; NaN = missing, never in counts */
  readonly values: Float64Array;
  /** columns of the label table, aligned with `unitIds` */
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
  /** digest of the gene panel (for series of SERIES_PANEL, or of their channels), 32 bytes */
  readonly panelDigest: Uint8Array;
  /** identifiers behind `panelDigest` */
  readonly panel: readonly string[];
  /** series: time of each step, as written in the header; NaN behind the end of a channel */
  readonly times?: Float64Array;
  /** patient of each unit, from 1; absent when every unit is a patient of its own */
  readonly patients?: readonly number[];
  /** remarks for the site's own quality report */
  readonly notes: readonly string[];
}
