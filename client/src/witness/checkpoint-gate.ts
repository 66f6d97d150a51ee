import { RegulonError } from '@regulon/shared/errors';
import type { Checkpoint } from '@regulon/shared/transparency';
import { type Agreement, verifyLoggedAgreement, verifyUnexpired } from '../policy/index.js';
import type { LogFollower } from './log-follower.js';

/** What must be in the log before masked input may leave. */
export interface GateRequest {
  /** `run_…` */
  readonly run: string;
  readonly round: number;
  /** what the run was agreed on; the log must say the same */
  readonly agreement: Pick<Agreement, 'contract' | 'datasets' | 'approval' | 'exceptions'>;
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

/** What opens the gate. */
export interface GateRules {
  /** `signed`: any checkpoint that this site has followed; `cosigned`: one with a quorum of fresh cosignatures */
  readonly mode: 'signed' | 'cosigned';
  /** rounds whose end the checkpoint need not cover */
  readonly gateLag: number;
  /** the newest cosignature may be so old, in seconds */
  readonly maxAgeSeconds: number;
}

/**
 * Log signature, consistency with everything seen, coverage as `gateLag` demands, a start of the run that says what the
 * site agreed on; and in mode `cosigned` a quorum of members that saw the same log.
 *
 * @see docs/protocol.md, The daemon's checks
 */
export class LogGate implements CheckpointGate {
  constructor(
    private readonly log: LogFollower,
    private readonly rules: GateRules,
    private readonly now: () => number = Date.now,
  ) {}

  async pass(request: GateRequest): Promise<Checkpoint> {
    const left = Math.max(0, request.deadlineMs - this.now());
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(Math.min(left, 0x7fff_ffff))]);
    let opened: Checkpoint | undefined;
    try {
      await this.log.until(() => (opened = this.covering(request)) !== undefined, signal);
    } catch (cause) {
      request.signal.throwIfAborted();
      throw new RegulonError('E_GATE', `${this.obstacle(request)}; nothing was sent`, { cause });
    }
    verifyLoggedAgreement(request.run, request.agreement, this.log);
    verifyUnexpired(request.run, request.agreement, this.now());
    return opened ?? this.log.latest;
  }

  /** The checkpoint that covers what must be covered; undefined while there is none. */
  private covering(request: GateRequest): Checkpoint | undefined {
    const head = this.head();
    return head !== null && this.missing(request, head.size) === null ? head : undefined;
  }

  private head(): Checkpoint | null {
    if (this.rules.mode === 'signed') return this.log.latest;
    const { quorum } = this.log;
    return quorum !== null && this.now() / 1000 - quorum.newest < this.rules.maxAgeSeconds ? quorum : null;
  }

  /** What the first `size` entries of the log do not show yet. */
  private missing({ run, round, startIndex }: GateRequest, size: number): string | null {
    if (startIndex === null || startIndex >= size) return "the start of this site's daemon";
    if (!this.log.coversRosters(size)) return 'the newest roster that this site has installed';
    if (this.log.owesOwnEntry()) return 'an entry of this site that the coordinator took long ago';
    const closing = round - 1 - this.rules.gateLag;
    if (closing < 0) return this.log.has('run.start', run, null, size) ? null : 'the start of the run';
    return this.log.has('round.aggregate', run, closing, size) ? null : `the end of round ${closing}`;
  }

  /** Why the gate is shut, in words. */
  private obstacle(request: GateRequest): string {
    const { mode, maxAgeSeconds } = this.rules;
    const head = this.head();
    if (head === null && this.log.quorum !== null)
      return `the last quorum of cosignatures is older than ${maxAgeSeconds} s`;
    const checkpoint = mode === 'signed' ? 'checkpoint' : 'cosigned checkpoint';
    return `no ${checkpoint} covers ${this.missing(request, head?.size ?? 0) ?? 'the log in time'} yet`;
  }
}
