import type { BackendRecord, TrainJob } from '@regulon/client/training/engine';

/** What a measuring process is asked, as its one argument. */
export interface MeasurementJob {
  readonly id: string;
  readonly job: TrainJob;
  readonly backend: 'blas' | 'wasm';
  readonly threads: number;
  readonly acceleratorFolder?: string;
  /** when the process was started, Unix milliseconds */
  readonly startedAt: number;
}

/** What it answers, as its last line. */
export interface Measurement {
  /** milliseconds of each step but the first */
  readonly steps: readonly number[];
  /** loss of the last step, before its update; mean over targets */
  readonly loss: number;
  /** from the start of the process to the end of the first step, milliseconds */
  readonly firstStep: number;
  readonly peakBytes: number;
  /** PyTorch's version, or the backend's record */
  readonly version?: string;
  readonly record?: BackendRecord;
}
