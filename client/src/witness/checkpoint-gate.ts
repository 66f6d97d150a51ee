import { RegulonError } from '@regulon/shared/errors';
import type { Checkpoint } from '@regulon/shared/transparency';
import type { LogFollower } from './log-follower.js';

/** What must be in the log before masked input may leave. */
export interface GateRequest {
  /** `run_…` */
  readonly run: string;
  readonly round: number;
  /** number of this site's `config.start` entry since the process began */
  readonly startIndex: number | null;
  /** ms since the epoch; nothing is sent after it */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Lets masked input pass only when the log covers the past. */
export interface CheckpointGate {
  /** @returns the checkpoint that opened the gate @throws E_GATE when the deadline passes first */
  pass(request: GateRequest): Promise<Checkpoint>;
}

/**
 * Mode `signed`: log signature, consistency with everything seen, coverage as `gateLag` demands.
 *
 * @see audit-log.md §9.2, rounds.md §8
 */
export class SignedGate implements CheckpointGate {
  constructor(
    private readonly log: LogFollower,
    private readonly gateLag: number,
    private readonly now: () => number = Date.now,
  ) {}

  async pass(request: GateRequest): Promise<Checkpoint> {
    const left = Math.max(0, request.deadlineMs - this.now());
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(Math.min(left, 0x7fff_ffff))]);
    try {
      await this.log.until(() => this.covered(request), signal);
    } catch (cause) {
      request.signal.throwIfAborted();
      throw new RegulonError('E_GATE', `no checkpoint covers ${this.wanted(request)} yet; nothing was sent`, {
        cause,
      });
    }
    return this.log.latest;
  }

  private covered({ run, round, startIndex }: GateRequest): boolean {
    if (startIndex === null || startIndex >= this.log.latest.size) return false;
    const closing = round - 1 - this.gateLag;
    if (closing < 0) return this.log.has('run.start', run, null);
    return this.log.has('round.aggregate', run, closing);
  }

  private wanted({ round, startIndex }: GateRequest): string {
    if (startIndex === null || startIndex >= this.log.latest.size) return "the start of this site's daemon";
    const closing = round - 1 - this.gateLag;
    return closing < 0 ? 'the start of the run' : `the end of round ${closing}`;
  }
}
