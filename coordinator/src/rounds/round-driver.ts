import { equalBytes } from '@regulon/shared/crypto';
import { type ErrorCode, registry, RegulonError } from '@regulon/shared/errors';
import { runName } from '@regulon/shared/program';
import { decodeMessage } from '@regulon/shared/secagg';
import { MediaType, type ReopenDocument } from '@regulon/shared/transparency';
import { kindOfPhase } from './attempt.js';
import { answerPhases, type AnswerPhase, reopenable } from './machine/index.js';
import { type ReopenTerms, reopenTerms, verifySubmitted } from './reopen.js';
import { RoundCore } from './round-core.js';

const crashStepOfPhase = {
  advertise: 'advertise',
  share: 'share',
  input: 'commit',
  consistency: 'consistency',
  unmask: 'answer',
} as const;

/** Refusals of what was shown in one attempt: the next one may be acceptable, and maxAttempts bounds them. */
const ofOneAttempt: ReadonlySet<string> = new Set(['E_STATE', 'E_DEADLINE', 'E_U3']);

/** One round under way: takes what its sites send, and what its administrators sign. */
export class RoundDriver extends RoundCore {
  /**
   * A message of a site: verified, persisted, then counted.
   *
   * @throws E_STATE when it belongs to another attempt or stage, or differs from the one before; the protocol's errors
   */
  receive(phase: AnswerPhase, site: number, attempt: number, bytes: Uint8Array): void {
    const { key } = this.expectAttempt(attempt);
    const { rounds } = this.services;
    const stored = rounds.message(key, kindOfPhase[phase], site);
    if (stored !== undefined) {
      if (equalBytes(stored, bytes)) return;
      throw new RegulonError('E_STATE', `a second ${phase} message of site ${site} differs from the first`);
    }
    const [now, then] = [answerPhases.indexOf(this.state.phase as AnswerPhase), answerPhases.indexOf(phase)];
    if (then >= 3 && (now > then || this.state.phase === 'fold')) return; // a late confirmation changes nothing any more
    if (now !== then)
      throw new RegulonError(
        'E_STATE',
        `round ${this.round.round} is at ${this.state.phase}, not at ${phase}`,
      );
    if (phase === 'advertise' && !this.isInvited(site))
      throw new RegulonError('E_STATE', `site ${site} is not invited to attempt ${attempt}`);
    if (phase === 'input' && !this.mayUpload(site))
      throw new RegulonError(
        'E_STATE',
        `round ${this.round.round} goes on without an upload of site ${site}`,
      );
    this.current?.take(phase, site, bytes);
    const unmaskable = phase === 'unmask' && (this.attempt?.server.canUnmask() ?? false);
    this.dispatch({ type: 'answered', phase, site, unmaskable }, () => {
      rounds.putMessage(key, kindOfPhase[phase], site, bytes);
    });
    this.services.crashPoint(crashStepOfPhase[phase], this.round.round);
    this.notices.site({ site, attempt, stage: phase, state: 'done' });
  }

  /** Bytes of an upload arrive: from now on the attempt counts as spent. */
  uploading(site: number, bytes: number, of: number): void {
    if (this.state.phase !== 'input' || !this.attempt) return;
    if (!this.state.uploadBegan) this.dispatch({ type: 'upload-began' });
    const { attempt } = this.attempt.key;
    this.notices.site({ site, attempt, stage: 'input', state: 'uploading', bytes, of });
  }

  /** Commits whose rows are durable but that were not counted before a crash. */
  recoverCommits(): void {
    const { attempt } = this;
    if (!attempt) return;
    const { uploads } = this.services;
    for (const { site, message, uploadId } of uploads.committedOf(attempt.key)) {
      if (this.state.phase === 'input') this.receive('input', site, attempt.key.attempt, message);
      else if (!this.state.u3.includes(site)) uploads.clear(uploadId); // too late: it had no receipt
    }
  }

  /**
   * A complaint about a share: kept beside the log, then the attempt ends.
   *
   * @throws E_STATE when its attempt is not open; E_MESSAGE; the protocol's errors
   */
  async complain(site: number, attempt: number, bytes: Uint8Array): Promise<void> {
    const open = this.expectAttempt(attempt);
    const complaint = decodeMessage('complaint', bytes);
    if (complaint.id !== site)
      throw new RegulonError('E_MESSAGE', `site ${site} sent a complaint of site ${complaint.id}`);
    open.server.addComplaint(complaint);
    const kept = await this.services.log.putAttachment(bytes, MediaType.complaint);
    // what ended for another reason meanwhile does not end by this complaint
    if (this.attempt !== open || this.state.phase !== 'input') return;
    this.complaint = kept;
    this.dispatch({ type: 'complained', site, about: complaint.sender });
  }

  /** A site will not take part in this attempt, or never. @param code as the site says; attacker-controlled */
  refuse(site: number, attempt: number, code: string): void {
    if (this.attempt?.key.attempt !== attempt) return;
    const known = isErrorCode(code) ? code : 'E_POLICY';
    const lasting = registry[known].retryable !== true && !ofOneAttempt.has(known);
    const round = this.round.round;
    this.services.logger.warn({ run: runName(this.runId), round, site, code: known }, 'a site refused');
    this.dispatch({ type: 'refused', site, code: known, lasting });
    this.notices.site({ site, attempt, stage: this.state.phase, state: 'refused', code: known });
  }

  /**
   * What the administrators would have to sign now.
   *
   * @throws E_STATE when the round is not burnt and lacks no answers, or was reopened before
   */
  reopenTerms(): ReopenTerms {
    const burnt = reopenable(this.state, this.rules);
    const { round } = this.round;
    if (!burnt)
      throw new RegulonError('E_STATE', `round ${round} has nothing to reopen: it is at ${this.phase}`);
    // a burnt round counts on already; one that still waits for answers ends its attempt with the Reopen
    const next = this.phase === 'burnt' ? this.state.attempt : this.state.attempt + 1;
    return reopenTerms(this.services, this.context, { round, burnt, next });
  }

  /** Go on with a burnt round as its administrators say. @throws E_STATE, E_ROSTER, E_POLICY, E_U3 */
  reopen(document: ReopenDocument): void {
    const place = verifySubmitted(this.context, this.reopenTerms(), document);
    this.dispatch({ type: 'reopened' }, () => {
      this.services.log.appendOwn({ kind: 'round.reopen', ...place, body: document.body });
    });
    this.later(this.services.log.publish());
  }
}

const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(registry, text);
