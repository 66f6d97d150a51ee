import { type Logger, pino } from 'pino';
import { explainError, isRegulonError, traceOf } from '@regulon/shared/errors';
import { type Aggregator, WorkerAggregator } from '../aggregation/index.js';
import { type BulkChannel, type BulkOptions, ThreadBulkChannel } from '../bulk/index.js';
import type { Config } from '../config/index.js';
import { nameDiskFull } from '../disk/index.js';
import { type Clock, systemClock } from '../rounds/index.js';

/** What tests replace. */
export interface Environment {
  readonly clock?: Clock;
  readonly aggregator?: Aggregator;
  /** by default a thread of its own */
  readonly newBulk?: (options: BulkOptions) => BulkChannel;
  readonly logger?: Logger;
  /** a failure that no state covers; by default the process ends with 5 */
  readonly fatal?: (error: unknown) => void;
}

/** The outside of a coordinator in service. */
export class Surroundings {
  readonly clock: Clock;
  readonly aggregator: Aggregator;
  readonly logger: Logger;
  readonly newBulk: (options: BulkOptions) => BulkChannel;
  private isClosing = false;
  private readonly end: (error: unknown) => void;

  constructor({ logLevel }: Config, given: Environment) {
    this.clock = given.clock ?? systemClock;
    this.aggregator = given.aggregator ?? new WorkerAggregator();
    this.newBulk = given.newBulk ?? ((options) => new ThreadBulkChannel(options, this.fatal));
    // stdout carries the ready line only
    this.logger =
      given.logger ?? pino({ level: logLevel, base: { process: 'coordinator' } }, pino.destination(2));
    this.end = given.fatal ?? endProcess(this.logger);
  }

  /** What fails because everything is being closed is no failure. */
  readonly fatal = (error: unknown): void => {
    if (!this.isClosing) this.end(error);
  };

  closing(): void {
    this.isClosing = true;
  }
}

/** State on disk is always consistent; what is in memory may not be: end, and let the next process read the disk. */
function endProcess(logger: Logger): (error: unknown) => void {
  return (error) => {
    const named = nameDiskFull(error);
    logger.fatal({ trace: traceOf(named) }, 'the coordinator ends; start it again');
    process.stderr.write(`${explainError(named)}\n`);
    process.exit(isRegulonError(named) ? named.exitCode : 5);
  };
}
