import type { ErrorCode } from '@regulon/shared/errors';
import type { BackendRecord } from './backends/backend.js';
import type { Candidate } from './backends/candidates.js';
import type { ChainOptions } from './backends/chain.js';
import type {
  AttributeJob,
  AttributeResult,
  Beat,
  EvaluateJob,
  EvaluateResult,
  MeasureJob,
  MeasureResult,
  PredictJob,
  PredictResult,
  TrainJob,
  TrainResult,
} from './job.js';

/** What a trainer does, what for, and what it answers. */
export interface Work {
  readonly train: { readonly job: TrainJob; readonly result: TrainResult };
  readonly evaluate: { readonly job: EvaluateJob; readonly result: EvaluateResult };
  readonly predict: { readonly job: PredictJob; readonly result: PredictResult };
  readonly attribute: { readonly job: AttributeJob; readonly result: AttributeResult };
  readonly measure: { readonly job: MeasureJob; readonly result: MeasureResult };
}

/** Daemon → trainer. */
export type TrainerRequest = {
  [T in keyof Work]: { readonly type: T; readonly id: number; readonly job: Work[T]['job'] };
}[keyof Work];

/** Any answer. */
export type WorkResult = Work[keyof Work]['result'];

/** Trainer → daemon: beats, sums, names of errors; never data. */
export type TrainerReport =
  | { readonly type: 'trying'; readonly name: Candidate }
  | { readonly type: 'ready'; readonly record: BackendRecord }
  | { readonly type: 'beat'; readonly id: number; readonly beat: Beat }
  | { readonly type: 'done'; readonly id: number; readonly result: WorkResult }
  | {
      readonly type: 'failed';
      readonly id: number | null;
      readonly code: ErrorCode;
      readonly message: string;
      /** what to do next, where the error says more than its code does */
      readonly hint?: string;
      /** of a defect: kinds and stack frames, no text of another library */
      readonly trace?: readonly string[];
    };

/** Command line of the trainer: one JSON argument. */
export interface TrainerOptions extends ChainOptions {
  /** refuse a job whose estimate is above this */
  readonly memoryLimitMb?: number;
}
