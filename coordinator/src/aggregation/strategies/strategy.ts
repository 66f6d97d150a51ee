import type { CheckedStep } from '@regulon/shared/program';
import type { ServerStepJob } from '../job.js';

/** A strategy turns a decoded sum into the next model, tile by tile. */
export type Strategy = (job: ServerStepJob) => CheckedStep;
