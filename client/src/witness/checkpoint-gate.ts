import { RegulonError } from '@regulon/shared/errors';
import type { Checkpoint } from '@regulon/shared/transparency';
import { type Agreement, verifyLoggedAgreement } from '../policy/index.js';
import type { LogFollower } from './log-follower.js';

/** What must be in the log before masked input may leave. */
export interface GateRequest {
  /** `run_…` */
  readonly run: string;
  readonly round: number;
  /** what the run was agreed on; the log must say the same */
  readonly agreement: Pick<Agreement, 'contract' | 'datasets'>;
  /** position of this site's `config.start` entry since the process began, as the verified log shows it */
  readonly startIndex: number | null;
  /** ms since the epoch; nothing is sent after it */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Lets masked input pass only when the log covers the past. */
export interface CheckpointGate {
  /**
   * @returns the checkpoint that opened the gate
   * @throws E_GATE when the deadline passes first; E_POLICY when the log contradicts what was agreed on
   */
  pass(request: GateRequest): Promise<Checkpoint>;
}

/**
 * Mode `signed`: log signature, consistency with everything seen, coverage as `gateLag` demands, and a start of the run
 * that says what the site agreed on.
 *
 * @see docs/protocol.md, The daemon's checks
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
    verifyLoggedAgreement(request.run, request.agreement, this.log);
    return this.log.latest;
  }

  private covered({ run, round, startIndex }: GateRequest): boolean {
    if (startIndex === null || startIndex >= this.log.latest.size || this.log.owesOwnEntry()) return false;
    const closing = round - 1 - this.gateLag;
    if (closing < 0) return this.log.has('run.start', run, null);
    return this.log.has('round.aggregate', run, closing);
  }

  private wanted({ round, startIndex }: GateRequest): string {
    if (startIndex === null || startIndex >= this.log.latest.size) return "the start of this site's daemon";
    if (this.log.owesOwnEntry()) return 'an entry of this site that the coordinator took long ago';
    const closing = round - 1 - this.gateLag;
    return closing < 0 ? 'the start of the run' : `the end of round ${closing}`;
  }
}
