import type { ErrorCode } from '@regulon/shared/errors';
import type { BackendRecord } from './backends/backend.js';
import type { ChainOptions } from './backends/chain.js';
import type { Beat, EvaluateJob, EvaluateResult, TrainJob, TrainResult } from './job.js';

/** Daemon → trainer. */
export type TrainerRequest =
  | { readonly type: 'train'; readonly id: number; readonly job: TrainJob }
  | { readonly type: 'evaluate'; readonly id: number; readonly job: EvaluateJob };

/** Trainer → daemon: beats, sums, names of errors; never data. */
export type TrainerReport =
  | { readonly type: 'ready'; readonly record: BackendRecord }
  | { readonly type: 'beat'; readonly id: number; readonly beat: Beat }
  | { readonly type: 'done'; readonly id: number; readonly result: TrainResult | EvaluateResult }
  | {
      readonly type: 'failed';
      readonly id: number | null;
      readonly code: ErrorCode;
      readonly message: string;
      /** of a defect: kinds and stack frames, no text of another library */
      readonly trace?: readonly string[];
    };

/** Command line of the trainer: one JSON argument. */
export interface TrainerOptions extends ChainOptions {
  /** refuse a job whose estimate is above this */
  readonly memoryLimitMb?: number;
}
