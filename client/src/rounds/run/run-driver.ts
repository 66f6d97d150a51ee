import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { pause } from '../../transport/index.js';
import { closeRound } from './closing.js';
import type { SiteContext } from '../context.js';
import { CurrentAttempt } from '../attempt/current-attempt.js';
import { removeRunFiles } from '../../state/index.js';
import { namedError } from '../../errors/index.js';
import { consequenceOf } from '../errors/failures.js';
import { keepRefusal } from '../errors/refusal-evidence.js';
import { Refusals, type StageNotice } from '../errors/refusals.js';
import { RunNews } from './run-news.js';
import { RunSession } from './run-session.js';

/** How a run ended at this site; `suspended` runs are taken up again. */
export type RunEnd = 'finished' | 'failed' | 'refused' | 'suspended';

const RETRY_MS = 500;
/** How long a coordinator may say nothing of a run whose plan this site does not have. */
const UNKNOWN_IDLE_MS = 600_000;
/** The run has ended: its last sums are in the log and audited within so much time. */
const LAST_ROUNDS_MS = 600_000;

/**
 * Follows the stages of one run. A notice is only a hint how far the coordinator is; what is done follows from the own
 * journal, so notices may be lost, repeated or late.
 */
export class RunDriver {
  private session: RunSession | undefined;
  /** since when the last rounds of a finished run are asked for, ms since the epoch */
  private overSince: number | undefined;
  private stopping = false;
  /** the coordinator asks for nothing: another run may have its turn */
  private isPaused = false;
  private readonly life = new AbortController();
  private readonly news = new RunNews();
  private readonly attempt: CurrentAttempt;
  private readonly refusals: Refusals;

  /**
   * @param open takes up the run at this site; specs replace it
   * @param unknownIdleMs how long the coordinator may say nothing before the plan of the run is here
   */
  constructor(
    private readonly site: SiteContext,
    readonly run: string,
    private readonly open: typeof RunSession.open = RunSession.open.bind(RunSession),
    private readonly unknownIdleMs = UNKNOWN_IDLE_MS,
  ) {
    this.attempt = new CurrentAttempt(site, run);
    this.refusals = new Refusals(site, run);
  }

  /** Why this site took no further part, once it has refused something. */
  get refusedFor(): ErrorCode | undefined {
    return this.refusals.code;
  }

  /** The coordinator says where a round is. */
  notice(notice: StageNotice): void {
    this.isPaused = false;
    if (!this.news.hear(notice)) return;
    const { stage } = notice;
    if (this.attempt.isOther(notice) || stage === 'closed' || stage === 'aborted') this.attempt.cutOff();
  }

  /** The coordinator says that the run has ended. */
  ended(state: 'finished' | 'failed'): void {
    this.news.hearEnd(state);
    if (state === 'failed') this.attempt.cutOff();
  }

  /** The coordinator says that the run waits for people; its next stage ends the pause. */
  paused(): void {
    this.isPaused = true;
    this.news.interrupt();
  }

  /** The connection was lost and is back: what was sent may not have arrived. */
  reconnected(): void {
    this.attempt.resend();
    this.news.again();
  }

  /** Look again whether the people still let this run use the data: what has not left stays when they do not. */
  lookAtConsent(): void {
    try {
      this.session?.verifyConsent();
    } catch (error) {
      if (this.attempt.takeBack(namedError(error))) this.news.again();
    }
  }

  /** Secrets were wiped because of their age: what is held in memory goes too. */
  dropWiped(): void {
    this.attempt.dropWiped();
  }

  /** Stop following; everything stays for the next start. */
  stop(): void {
    this.stopping = true;
    this.life.abort(new RegulonError('E_STATE', 'the daemon stops'));
    this.attempt.cutOff();
    this.news.interrupt();
  }

  /** Follow the run to its end at this site. @throws what makes the whole daemon stop */
  async follow(): Promise<RunEnd> {
    for (;;) {
      if (this.stopping) {
        await this.suspend();
        return 'suspended';
      }
      const notice = this.news.take();
      if (notice) {
        const end = await this.attend(notice);
        if (end) return this.finish(end);
      } else if (this.news.over) {
        const end = this.news.over === 'finished' ? await this.catchUp() : 'failed';
        if (end) return this.finish(end);
      } else if (this.isPaused || !(await this.news.wait(this.idleMs))) {
        // another run gets its turn; when the coordinator speaks of this one again, it is taken up again
        await this.suspend();
        if (!this.stopping && !this.news.isThere) return 'suspended';
      }
    }
  }

  /** How long the coordinator may say nothing of this run, ms. */
  private get idleMs(): number {
    const { deadlines } = this.session?.agreement.contract.plan ?? {};
    if (!deadlines) return this.unknownIdleMs;
    return 1000 * Math.max(deadlines.idleLimitSeconds, deadlines.roundDeadlineSeconds);
  }

  private async suspend(): Promise<void> {
    await this.session?.suspend();
    this.session = undefined;
    this.attempt.letGo();
  }

  private async finish(end: Exclude<RunEnd, 'suspended'>): Promise<RunEnd> {
    this.attempt.letGo();
    if (this.session) await this.session.end(end);
    else {
      if (this.site.runs.find(this.run)) this.site.runs.end(this.run, end);
      removeRunFiles(this.site.state.paths, this.run);
    }
    return end;
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
    const { round, stage } = notice;
    await this.closeBefore(session, stage === 'closed' ? round + 1 : round, round);
    session.audits.verify();
    if (stage === 'aborted') {
      this.attempt.wipe(notice);
      this.attempt.clear();
    }
    const isOver = stage === 'closed' || stage === 'aborted';
    if (isOver || !this.attempt.hasLeft(notice)) session.verifyConsent();
    if (isOver) return;
    if (await this.refusals.stands(notice)) return;
    const scheduled = session.scheduled(round);
    if (session.program.next()?.round === round) await this.attempt.perform(session, scheduled, notice);
  }

  private async opened(): Promise<RunSession> {
    return (this.session ??= await this.open(this.site, this.run));
  }

  /**
   * Take in the sums of all rounds before this one; a site that missed some replays them.
   *
   * @param begun the round that the coordinator has begun: it closed every round of the plan before it
   * @throws E_POLICY when it left one out; E_CONNECTION when the last one is not there yet
   */
  private async closeBefore(session: RunSession, end: number, begun: number): Promise<void> {
    for (let next = session.program.next(); next && next.round < end; next = session.program.next()) {
      if (!(await closeRound(session, next))) {
        // a later round is opened, or the run finished, only after this close was stored
        const code = next.round < begun ? 'E_POLICY' : 'E_CONNECTION';
        const state = code === 'E_POLICY' ? 'left out' : 'not there yet';
        throw new RegulonError(code, `${this.run}: the close of round ${next.round} is ${state}`);
      }
      const { own } = this.site.site;
      this.site.logger.info(
        { run: this.run, round: next.round, site: own.name },
        `round ${next.round} closed`,
      );
      this.attempt.clear();
    }
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
      const { length } = session.program.schedule;
      await this.closeBefore(session, length, length);
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

  /** What an error in a stage means for the run at this site. @throws it when the daemon must stop */
  private async judge(error: unknown, notice: StageNotice): Promise<'failed' | 'refused' | undefined> {
    if (this.stopping || this.attempt.isCutOff(error)) return undefined;
    this.keepShown(error, notice);
    switch (await this.refusals.judge(error, notice)) {
      case 'retry':
        await pause(RETRY_MS);
        this.news.again(notice);
        return undefined;
      case 'left-out':
      case 'sit-out':
        return undefined;
      case 'refuse-attempt':
        this.attempt.wipe(notice);
        return undefined;
      case 'refuse-run':
        return 'refused';
      case 'run-failed':
        return 'failed';
      case 'stop':
        throw error;
    }
  }

  /** What was refused, for the people of this site; where it cannot be written, the refusal stands all the same. */
  private keepShown(error: unknown, notice: StageNotice): void {
    const { shown } = this.attempt;
    if (!shown || !this.session) return;
    const { run, site } = this;
    try {
      keepRefusal({ run, folder: this.session.folder, logger: site.logger }, notice, error, shown);
    } catch (cause) {
      this.refusals.report(cause, notice.stage);
    }
  }
}
