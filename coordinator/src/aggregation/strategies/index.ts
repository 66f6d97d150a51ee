import type { ServerStepJob } from '../job.js';
import { fedAvg } from './fed-avg.js';
import type { Strategy } from './strategy.js';

/** Strategies by the name that a plan and a log entry use. */
export const strategies: Readonly<Record<ServerStepJob['strategy'], Strategy>> = { 'fed-avg': fedAvg };
