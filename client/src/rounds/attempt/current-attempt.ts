import { RegulonError } from '@regulon/shared/errors';
import { parseRunName, Purpose, type ScheduledRound } from '@regulon/shared/program';
import { decodeManifest, encodeManifest, warningsOf } from '@regulon/shared/secagg';
import type { WireStage } from '@regulon/shared/wire';
import { verifyAgainstPlan } from '../../policy/index.js';
import { Step } from '../../state/index.js';
import { Attempt } from './attempt.js';
import type { SiteContext } from '../context.js';
import { missedEnds } from './missed-ends.js';
import type { Shown } from '../errors/refusal-evidence.js';
import type { StageNotice } from '../errors/refusals.js';
import { sumOf } from './release.js';
import { reopenedFor } from './reopened.js';
import { rested } from './rest.js';
import type { RunSession } from '../run/run-session.js';

const BEAT_MS = 5_000;

/** The attempt of a run that is under way at this site, if there is one; at most one is at a time. */
export class CurrentAttempt {
  private attempt: Attempt | undefined;
  private offered: Shown | undefined;
  private life = new AbortController();
  /** why the people let the attempt go no further, once they do not */
  private takenBack: RegulonError | undefined;

  constructor(
    private readonly site: SiteContext,
    private readonly run: string,
  ) {}

  /**
   * Do what a stage asks of this site; take up the attempt from the journal, or join it, first.
   *
   * @throws what the step finds; the reason of `isCutOff` when the attempt ends meanwhile
   */
  async perform(session: RunSession, round: ScheduledRound, notice: StageNotice): Promise<void> {
    const attempt = await this.attemptOf(session, round, notice);
    if (attempt) await stepOf(attempt, notice.stage, this.life.signal);
  }

  /** What the coordinator showed of the attempt under way, or of the one that was offered last. */
  get shown(): Shown | undefined {
    const { attempt } = this;
    if (!attempt) return this.offered;
    const { signature, broadcast } = attempt;
    return { manifest: encodeManifest(attempt.manifest), signature, broadcast };
  }

  /** True when another attempt is under way than the one that a notice is about. */
  isOther({ round, attempt }: StageNotice): boolean {
    const current = this.attempt?.manifest;
    return current !== undefined && (current.round !== round || current.attempt !== attempt);
  }

  /** True for the error with which the waits of an attempt end that the coordinator has left, or the daemon. */
  isCutOff(error: unknown): boolean {
    return error === this.life.signal.reason && error !== this.takenBack;
  }

  /** The connection was lost: what was sent may not have arrived. */
  resend(): void {
    this.attempt?.resend();
  }

  /** Nothing is waited for any more. */
  cutOff(): void {
    this.life.abort(new RegulonError('E_STATE', 'the attempt has ended'));
  }

  /**
   * Whether this site's part of an attempt has left, or it has answered for the others: then the attempt is answered to
   * its end, whatever its steward says now.
   */
  hasLeft({ round, attempt }: Pick<StageNotice, 'round' | 'attempt'>): boolean {
    return (this.site.attempts.find(this.run, round, attempt)?.step ?? Step.joined) >= Step.committed;
  }

  /**
   * Consent was taken back: what has not left stays, whatever is waited for.
   *
   * @returns false when this site's part has left: nothing is cut off
   */
  takeBack(reason: RegulonError): boolean {
    const current = this.attempt?.manifest;
    if (current && this.hasLeft(current)) return false;
    this.takenBack = reason;
    this.life.abort(reason);
    return true;
  }

  /** Secrets were wiped because of their age: what is held in memory goes too. */
  dropWiped(): void {
    const { attempt, site, run } = this;
    if (!attempt || site.attempts.find(run, attempt.round.round, attempt.manifest.attempt)?.snapshot) return;
    this.cutOff();
    this.letGo();
  }

  /** The secrets of the attempt in memory are overwritten; those of the journal stay. */
  letGo(): void {
    this.attempt?.client.close();
    this.attempt = undefined;
  }

  /** The attempt is over, and another one may begin. */
  clear(): void {
    this.letGo();
    this.offered = undefined;
    this.life = new AbortController();
  }

  /** The secrets of an attempt are wiped, in the journal and in memory. */
  wipe({ round, attempt }: StageNotice): void {
    this.site.attempts.wipe(this.run, round, attempt);
    this.letGo();
  }

  private async attemptOf(
    session: RunSession,
    round: ScheduledRound,
    notice: StageNotice,
  ): Promise<Attempt | undefined> {
    if (this.attempt && !this.isOther(notice)) return this.attempt;
    this.clear();
    const restored = Attempt.restore(session, round, notice.attempt);
    this.attempt =
      restored ?? (notice.stage === 'r0' ? await this.join(session, round, notice.attempt) : undefined);
    if (this.attempt) session.work.result(round, this.attempt.manifest).catch(() => undefined);
    if (this.attempt && round.purpose === Purpose.train) this.beat(round.round, 'training');
    return this.attempt;
  }

  /** R0: fetch the manifest and check all of it against the own program. */
  private async join(
    session: RunSession,
    round: ScheduledRound,
    number: number,
  ): Promise<Attempt | undefined> {
    const { site, run } = this;
    await rested(site, { run, round: round.round }, this.life.signal);
    const [item] = await site.link.fetch({ type: 'manifest', run: session.runId, round: round.round });
    if (!item || item.attempt !== number) return undefined;
    this.offered = { manifest: item.manifest, signature: item.signature, broadcast: undefined };
    const manifest = decodeManifest(item.manifest);
    this.verifyAttemptsLeft(round.round);
    const joined = site.attempts.lastShared(run);
    const reopened = await reopenedFor({ session, round, attempt: number });
    const last = site.answered.lastRound(run);
    const answered = reopened && last === round.round ? undefined : last;
    await verifyAgainstPlan(manifest, item.signature, {
      ...{ roster: site.federation.rosterView, program: session.program, round },
      ...{ lastTranscript: session.lastTranscript, links: () => missedEnds(session, round, number) },
      ...(joined ? { lastJoined: decodeManifest(joined) } : {}),
      ...(answered === undefined ? {} : { lastAnswered: answered }),
    });
    // what the answer would be refused for is refused now: nothing is trained in vain
    site.answered.verifyFresh(sumOf({ session, round, manifest }), reopened !== undefined);
    const { agreement } = session;
    const place = { run, round: round.round, attempt: number };
    for (const warning of warningsOf(manifest, agreement.contract.thresholds.c))
      site.logger.warn(place, warning);
    return Attempt.join(session, round, manifest, item.signature, agreement.uncounted, reopened);
  }

  private verifyAttemptsLeft(round: number): void {
    const spent = this.site.attempts.spent(this.run, round);
    if (spent < this.site.site.policy.maxAttempts) return;
    throw new RegulonError('E_POLICY', `round ${round}: ${spent} attempts are the most that this site joins`);
  }

  /** Tell the coordinator's operator what this site does; nothing depends on it. */
  private beat(round: number, step: string): void {
    const request = { type: 'beat' as const, run: parseRunName(this.run), round, step, note: '' };
    this.site.link.exchange(request, { timeoutMs: BEAT_MS }).catch(() => undefined);
  }
}

/** What a stage asks of an attempt. A site that did not deal in R1 has nothing to do later. */
async function stepOf(attempt: Attempt, stage: WireStage, signal: AbortSignal): Promise<void> {
  switch (stage) {
    case 'r0':
      return attempt.advertise();
    case 'r1':
      return attempt.share(signal);
    case 'r2':
      if (attempt.reached >= Step.shared) await attempt.contribute(signal);
      return;
    case 'r3':
      if (attempt.reached >= Step.shared) await attempt.confirm(signal);
      return;
    case 'r4':
      if (attempt.reached < Step.shared) return;
      if (attempt.reached < Step.confirmed) await attempt.confirm(signal);
      return attempt.answer(signal);
    case 'closed':
    case 'aborted':
      throw new RegulonError('E_INTERNAL', `${stage} is no step of an attempt`);
  }
}
