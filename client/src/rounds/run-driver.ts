import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { parseRunName, Purpose, type ScheduledRound } from '@regulon/shared/program';
import { decodeManifest } from '@regulon/shared/secagg';
import type { WireStage } from '@regulon/shared/wire';
import { verifyAgainstPlan } from '../policy/index.js';
import { Step } from '../state/index.js';
import { Attempt } from './attempt.js';
import { closeRound } from './closing.js';
import type { SiteContext } from './context.js';
import { consequenceOf } from './failures.js';
import { missedEnds } from './missed-ends.js';
import { Refusals, type StageNotice } from './refusals.js';
import { sumOf } from './release.js';
import { RunSession } from './run-session.js';

export type RunEnd = 'finished' | 'failed' | 'refused' | 'suspended';

const order: readonly WireStage[] = ['r0', 'r1', 'r2', 'r3', 'r4', 'closed', 'aborted'];
const RETRY_MS = 500;
/** How long a coordinator may say nothing of a run whose plan this site does not have. */
const UNKNOWN_IDLE_MS = 600_000;
/** The run has ended: its last sums are in the log and audited within so much time. */
const LAST_ROUNDS_MS = 600_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Follows the stages of one run. A notice is only a hint how far the coordinator is; what is done follows from the own
 * journal, so notices may be lost, repeated or late.
 */
export class RunDriver {
  private session: RunSession | undefined;
  private attempt: Attempt | undefined;
  private latest: StageNotice | undefined;
  private seen: StageNotice | undefined;
  private over: 'finished' | 'failed' | undefined;
  /** since when the last rounds of a finished run are asked for, ms since the epoch */
  private overSince: number | undefined;
  private stopping = false;
  private wake: () => void = () => undefined;
  private attemptLife = new AbortController();
  private readonly life = new AbortController();
  private readonly refusals: Refusals;

  /** @param open takes up the run at this site; specs replace it */
  constructor(
    private readonly site: SiteContext,
    readonly run: string,
    private readonly open: typeof RunSession.open = RunSession.open.bind(RunSession),
    private readonly unknownIdleMs = UNKNOWN_IDLE_MS,
  ) {
    this.refusals = new Refusals(site, run);
  }

  /** Why this site took no further part, once it has refused something. */
  get refusedFor(): ErrorCode | undefined {
    return this.refusals.code;
  }

  /** The coordinator says where a round is. */
  notice(notice: StageNotice): void {
    if (this.seen && compare(notice, this.seen) < 0) return;
    const current = this.attempt?.manifest;
    const other = current && (current.round !== notice.round || current.attempt !== notice.attempt);
    if (other || notice.stage === 'closed' || notice.stage === 'aborted') this.endAttemptLife();
    this.latest = notice;
    this.wake();
  }

  /** The coordinator says that the run has ended. */
  ended(state: 'finished' | 'failed'): void {
    this.over = state;
    if (state === 'failed') this.endAttemptLife();
    this.wake();
  }

  /** The connection was lost and is back: what was sent may not have arrived. */
  reconnected(): void {
    this.attempt?.resend();
    this.latest ??= this.seen;
    this.wake();
  }

  /** Secrets were wiped because of their age: what is held in memory goes too. */
  dropWiped(): void {
    const { attempt } = this;
    if (
      !attempt ||
      this.site.attempts.find(this.run, attempt.round.round, attempt.manifest.attempt)?.snapshot
    )
      return;
    this.endAttemptLife();
    this.letGo();
  }

  /** Stop following; everything stays for the next start. */
  stop(): void {
    this.stopping = true;
    this.life.abort(new RegulonError('E_STATE', 'the daemon stops'));
    this.endAttemptLife();
    this.wake();
  }

  /** Follow the run to its end at this site. @throws what makes the whole daemon stop */
  async follow(): Promise<RunEnd> {
    for (;;) {
      if (this.stopping) {
        await this.session?.suspend();
        this.letGo();
        return 'suspended';
      }
      const notice = this.latest;
      this.latest = undefined;
      if (notice) {
        this.seen = notice;
        const end = await this.attend(notice);
        if (end) return await this.finish(end);
      } else if (this.over) {
        const end = this.over === 'finished' ? await this.catchUp() : 'failed';
        if (end) return await this.finish(end);
      } else if (!(await this.hearsSomething())) {
        // another run gets its turn; when the coordinator speaks of this one again, it is taken up again
        await this.session?.suspend();
        this.session = undefined;
        this.letGo();
        if (!this.isCalled) return 'suspended';
      }
    }
  }

  /** Wait for news of the run. @returns false when there was none for longer than the run may be idle */
  private async hearsSomething(): Promise<boolean> {
    const { deadlines } = this.session?.agreement.contract.plan ?? {};
    const idleMs = deadlines && 1000 * Math.max(deadlines.idleLimitSeconds, deadlines.roundDeadlineSeconds);
    let timer: NodeJS.Timeout | undefined;
    const news = new Promise<boolean>((resolve) => {
      this.wake = () => resolve(true);
      timer = setTimeout(() => resolve(this.isCalled), Math.min(idleMs ?? this.unknownIdleMs, 0x7fff_ffff));
      timer.unref();
    });
    try {
      return await news;
    } finally {
      clearTimeout(timer);
    }
  }

  private get isCalled(): boolean {
    return this.stopping || this.latest !== undefined || this.over !== undefined;
  }

  private async finish(end: Exclude<RunEnd, 'suspended'>): Promise<RunEnd> {
    this.letGo();
    if (this.session) await this.session.end(end);
    else if (this.site.runs.find(this.run)) this.site.runs.end(this.run, end);
    return end;
  }

  /**
   * The last closes of a finished run, compared with the log and audited; undefined when they must be asked for again.
   *
   * @throws E_FORK when the log says otherwise
   */
  private async catchUp(): Promise<'finished' | 'failed' | undefined> {
    const deadline = (this.overSince ??= Date.now()) + LAST_ROUNDS_MS;
    try {
      const session = await this.opened();
      await this.closeBefore(session, session.program.schedule.length);
      await session.verifyAllLogged(this.life.signal, deadline);
      await session.audits.settled(this.life.signal, deadline);
      return 'finished';
    } catch (error) {
      if (this.stopping) return undefined;
      this.refusals.report(error, 'closed');
      const consequence = consequenceOf(error);
      if (consequence === 'stop') throw error;
      if (consequence !== 'retry' || Date.now() > deadline) return 'failed';
      await pause(RETRY_MS);
      return undefined;
    }
  }

  private async attend(notice: StageNotice): Promise<Exclude<RunEnd, 'suspended'> | undefined> {
    try {
      await this.react(notice);
      return undefined;
    } catch (error) {
      return this.judge(error, notice);
    }
  }

  private async react(notice: StageNotice): Promise<void> {
    const session = await this.opened();
    const { round: number, stage } = notice;
    await this.closeBefore(session, stage === 'closed' ? number + 1 : number);
    session.audits.verify();
    if (stage === 'closed') return;
    if (stage === 'aborted') return this.forget(notice);
    if (await this.refusals.stands(notice)) return;
    const round = session.scheduled(number);
    if (session.program.next()?.round !== number) return;
    const attempt = await this.attemptOf(session, round, notice);
    if (attempt) await this.perform(session, attempt, stage);
  }

  private async perform(session: RunSession, attempt: Attempt, stage: WireStage): Promise<void> {
    const { signal } = this.attemptLife;
    switch (stage) {
      case 'r0':
        await attempt.advertise();
        return;
      case 'r1':
        await attempt.share(signal);
        return;
      case 'r2':
        if (attempt.reached >= Step.shared) await attempt.contribute(signal);
        return;
      case 'r3':
        if (attempt.reached >= Step.shared) await attempt.confirm(signal);
        return;
      case 'r4':
        if (attempt.reached < Step.shared) return;
        if (attempt.reached < Step.confirmed) await attempt.confirm(signal);
        await attempt.answer(signal);
        return;
      case 'closed':
      case 'aborted':
        throw new RegulonError('E_INTERNAL', `${session.run}: ${stage} is no step`);
    }
  }

  private async opened(): Promise<RunSession> {
    if (!this.session) {
      this.session = await this.open(this.site, this.run);
    }
    return this.session;
  }

  /** Take in the sums of all rounds before this one; a site that missed some replays them. */
  private async closeBefore(session: RunSession, end: number): Promise<void> {
    for (let next = session.program.next(); next && next.round < end; next = session.program.next()) {
      if (!(await closeRound(session, next))) {
        throw new RegulonError(
          'E_CONNECTION',
          `${this.run}: the close of round ${next.round} is not there yet`,
        );
      }
      const { own } = this.site.site;
      this.site.logger.info(
        { run: this.run, round: next.round, site: own.name },
        `round ${next.round} closed`,
      );
      this.letGo();
      this.attemptLife = new AbortController();
    }
  }

  private async attemptOf(
    session: RunSession,
    round: ScheduledRound,
    notice: StageNotice,
  ): Promise<Attempt | undefined> {
    const current = this.attempt;
    if (current?.round.round === notice.round && current.manifest.attempt === notice.attempt) return current;
    this.attemptLife = new AbortController();
    this.letGo();
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
    const [item] = await site.link.fetch({ type: 'manifest', run: session.runId, round: round.round });
    if (!item || item.attempt !== number) return undefined;
    const manifest = decodeManifest(item.manifest);
    const spent = site.attempts.spent(run, round.round);
    if (spent >= site.site.policy.maxAttempts) {
      throw new RegulonError(
        'E_POLICY',
        `round ${round.round}: ${spent} attempts are the most that this site joins`,
      );
    }
    const joined = site.attempts.lastShared(run);
    const answered = site.answered.lastRound(run);
    await verifyAgainstPlan(manifest, item.signature, {
      ...{ roster: site.federation.rosterView, program: session.program, round },
      ...{ lastTranscript: session.lastTranscript, links: () => missedEnds(session, round) },
      ...(joined ? { lastJoined: decodeManifest(joined) } : {}),
      ...(answered === undefined ? {} : { lastAnswered: answered }),
    });
    // what the answer would be refused for is refused now: nothing is trained in vain
    site.answered.verifyFresh(sumOf({ session, round, manifest }));
    return Attempt.join(session, round, manifest, item.signature, session.agreement.uncounted);
  }

  private forget({ round, attempt }: StageNotice): void {
    this.site.attempts.wipe(this.run, round, attempt);
    this.letGo();
    this.attemptLife = new AbortController();
  }

  /** The secrets of the attempt in memory are overwritten; those of the journal are the caller's. */
  private letGo(): void {
    this.attempt?.client.close();
    this.attempt = undefined;
  }

  private async judge(error: unknown, notice: StageNotice): Promise<'failed' | 'refused' | undefined> {
    // the wait that the end of the attempt, or of the daemon, has cut off
    if (this.stopping || error === this.attemptLife.signal.reason) return undefined;
    switch (await this.refusals.judge(error, notice)) {
      case 'retry':
        await pause(RETRY_MS);
        this.latest ??= notice;
        return undefined;
      case 'left-out':
      case 'sit-out':
        return undefined;
      case 'refuse-attempt':
        this.site.attempts.wipe(this.run, notice.round, notice.attempt);
        this.letGo();
        return undefined;
      case 'refuse-run':
        return 'refused';
      case 'run-failed':
        return 'failed';
      case 'stop':
        throw error;
    }
  }

  private beat(round: number, step: string): void {
    const request = { type: 'beat' as const, run: parseRunName(this.run), round, step, note: '' };
    this.site.link.exchange(request, { timeoutMs: 5_000 }).catch(() => undefined);
  }

  private endAttemptLife(): void {
    this.attemptLife.abort(new RegulonError('E_STATE', 'the attempt has ended'));
  }
}

/** Order of notices: round, attempt, stage. */
function compare(a: StageNotice, b: StageNotice): number {
  return a.round - b.round || a.attempt - b.attempt || order.indexOf(a.stage) - order.indexOf(b.stage);
}
