import { explainError, isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import type { Attachment } from '@regulon/shared/transparency';
import type { WireStage } from '@regulon/shared/wire';
import { nameDiskFull } from '../disk/index.js';
import type { AttemptKey } from '../storage/index.js';
import type { Attempt } from './attempt.js';
import { closeRound } from './close-round.js';
import { logAbort, openAttempt } from './attempt-entries.js';
import {
  invited,
  isOpen,
  mayUpload,
  nextDeadline,
  type Phase,
  type RoundEffect,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  stageOfPhase,
  step,
} from './machine/index.js';
import type { Services } from './ports.js';
import { type RoundListener, type RunContext, rulesOf, withGroups } from './round-context.js';
import { RoundNotices } from './round-notices.js';
import { type SitesHere, storedAttempt, storedState } from './stored-round.js';

/** How soon a close is tried again for which the volume had no room. */
const FULL_DISK_MS = 10_000;

/** Carries out what the round machine decides, for one round; every change is a transaction. */
export abstract class RoundCore {
  protected state: RoundState;
  /** proof that ends the attempt, once a site has complained */
  protected complaint: Attachment | null = null;
  protected attempt: Attempt | null = null;
  protected readonly notices: RoundNotices;
  private readonly ofRound: RoundRules;
  private cancelTimer: (() => void) | null = null;
  private isStopped = false;

  constructor(
    protected readonly services: Services,
    protected readonly context: RunContext,
    readonly round: ScheduledRound,
    protected readonly listener: RoundListener,
    here: SitesHere,
  ) {
    this.ofRound = rulesOf(context, round);
    this.notices = new RoundNotices(services, context, round, listener, this.rules.sites);
    this.state = storedState(services, { runId: this.runId, round: round.round }, here);
    if (isOpen(this.state))
      this.attempt = storedAttempt(services, context, this.key(this.state.attempt), this.state);
  }

  /** With sub-cohorts they hold the groups of the attempt at hand, once its U1 is fixed. */
  protected get rules(): RoundRules {
    return withGroups(this.ofRound, this.attempt?.server.groups ?? []);
  }

  get runId(): Uint8Array {
    return this.context.program.contract.runId;
  }

  get sites(): readonly number[] {
    return this.rules.sites;
  }

  get phase(): Phase {
    return this.state.phase;
  }

  /** The attempt that is open, with its key and its machine. */
  get current(): Attempt | null {
    return this.attempt;
  }

  /** What a board shows about the round now. */
  get view(): Readonly<RoundState> {
    return this.state;
  }

  /** Stage for the wire, or null while the round waits. */
  get stage(): WireStage | null {
    if (!this.attempt) return null;
    const { phase } = this.state;
    return phase === 'closed' ? 'closed' : (stageOfPhase[phase] ?? null);
  }

  /** Start a new round, or go on after a restart; `connected` events follow for the sites that are there. */
  begin(isRestart: boolean): void {
    if (isRestart && isOpen(this.state) && this.attempt === null) this.openLater();
    this.dispatch({ type: isRestart ? 'restarted' : 'begin' });
  }

  /** The clock ends nothing any more: the round is over, or the process ends. */
  stop(): void {
    this.isStopped = true;
    this.cancelTimer?.();
  }

  /** Let the machine decide, persist what it decided, then do the rest. @param first written in the same transaction */
  dispatch(event: RoundEvent, first?: () => void): void {
    try {
      this.decide(event, first);
    } catch (error) {
      this.services.fatal(error);
      throw error;
    }
  }

  /** As `dispatch`; a failed write leaves this round where its rows are. */
  private decide(event: RoundEvent, first?: () => void): void {
    const { store, rounds, clock } = this.services;
    const before = this.state;
    const { state, effects } = step(before, event, clock.now(), this.rules);
    // one more answer of many: a power failure may forget it, the site sends the same bytes again
    const durable = state.phase !== before.phase || event.type !== 'answered';
    const save = (): void => {
      first?.();
      if (state !== before) rounds.saveState(this.runId, this.round.round, JSON.stringify(state));
      for (const effect of effects) this.write(effect, before, state.attempt);
      if (state !== before) this.listener.stateChanged(state, this.round);
    };
    store.transaction(save, durable);
    this.state = state;
    for (const effect of effects) this.carryOut(effect);
    if (state.phase === 'burnt' && before.phase !== 'burnt') this.listener.parked();
    this.schedule();
  }

  /** Whether a site may join the attempt at hand: it is in no lost dispute, did not refuse for good, dealt no wrong shares. */
  isInvited(site: number): boolean {
    return invited(this.rules, this.state).includes(site);
  }

  /** Whether the upload of a site of U2 is taken. */
  mayUpload(site: number): boolean {
    return mayUpload(this.rules, this.state, site);
  }

  /** The attempt that a message names, when it is the open one. @throws E_STATE */
  expectAttempt(attempt: number): Attempt {
    if (this.attempt && this.attempt.key.attempt === attempt && isOpen(this.state)) return this.attempt;
    throw new RegulonError('E_STATE', `round ${this.round.round} has no open attempt ${attempt}`);
  }

  private key(attempt: number): AttemptKey {
    return { runId: this.runId, round: this.round.round, attempt };
  }

  /** Rows and entries that belong to a decision, inside its transaction. */
  private write(effect: RoundEffect, before: RoundState, attempt: number): void {
    const { rounds, clock } = this.services;
    switch (effect.type) {
      case 'fix':
        this.attempt?.fix(effect.set, effect.members);
        rounds.markStage(this.key(attempt), effect.set, clock.now());
        return;
      case 'ask-shares':
        rounds.markStage(this.key(attempt), 'r4', clock.now());
        return;
      case 'fold':
        rounds.markStage(this.key(attempt), 'unmasked', clock.now());
        return;
      case 'abort':
        if (this.attempt)
          logAbort(this.services, this.attempt, {
            ...effect,
            phase: before.phase,
            complaint: this.complaint,
          });
        return;
      case 'fail':
        this.listener.failed(effect);
        return;
      case 'open':
        return;
    }
  }

  /** What follows once the decision is durable. */
  private carryOut(effect: RoundEffect): void {
    const { crashPoint } = this.services;
    switch (effect.type) {
      case 'open':
        this.openLater();
        return;
      case 'fix':
        crashPoint(effect.set, this.round.round);
        if (effect.set === 'u3' && this.attempt) this.services.releaseLeases(this.attempt.uploadIds());
        this.announce();
        return;
      case 'ask-shares':
        crashPoint('r4', this.round.round);
        this.announce();
        return;
      case 'fold':
        crashPoint('unmasked', this.round.round);
        this.notices.board(this.state);
        this.later(this.fold());
        return;
      case 'abort':
        this.endAttempt();
        return;
      case 'fail':
        this.stop();
        this.listener.ended();
        return;
    }
  }

  private openLater(): void {
    this.attempt = null;
    this.complaint = null;
    this.later(this.open());
  }

  private async open(): Promise<void> {
    const { deadlines, attempt } = this.state;
    const stale = (): boolean => this.state.deadlines !== deadlines || !isOpen(this.state);
    try {
      const { services, context, round } = this;
      const opened = await openAttempt(services, context, round, { attempt, deadlines, stale });
      if (!opened) return;
      this.attempt = opened;
      this.services.crashPoint('opened', this.round.round);
      this.notices.opened(opened);
    } catch (error) {
      if (!isRegulonError(error, 'E_DISK_FULL')) throw error;
      return this.dispatch({ type: 'broken', code: error.code, message: error.message, lasting: true });
    }
    this.announce();
  }

  private async fold(): Promise<void> {
    const attempt = this.attempt;
    if (!attempt) throw new RegulonError('E_INTERNAL', 'a fold without an attempt');
    const stillFolding = (): boolean => this.attempt === attempt && this.state.phase === 'fold';
    try {
      const { services, context, round, state } = this;
      const commit = (write: () => void): void => this.decide({ type: 'folded' }, write);
      await closeRound({ services, context, round, attempt, state, goesOn: stillFolding, commit });
    } catch (cause) {
      const error = nameDiskFull(cause);
      if (!isRegulonError(error) || error.code === 'E_INTERNAL') throw error;
      if (error.code === 'E_DISK_FULL') return this.foldAgain(error, stillFolding);
      const { code, message, details } = error;
      const dealer =
        code === 'E_DEALER' && typeof details['site'] === 'number' ? { dealer: details['site'] } : {};
      // a sum that was poisoned once may be an honest one when its administrators reopen the round
      const lasting = code !== 'E_CEILING' && code !== 'E_OUTLIER';
      if (stillFolding()) this.dispatch({ type: 'broken', code, message, lasting, ...dealer });
      return;
    }
    if (this.phase !== 'closed') return;
    this.services.crashPoint('closed', this.round.round);
    this.announce();
    this.stop();
    this.listener.closed(this.round);
  }

  /** Nothing of a close that the volume has no room for has happened: the shares are here, and room may come. */
  private foldAgain(error: RegulonError, stillFolding: () => boolean): void {
    const { services, round } = this;
    services.logger.warn({ round: round.round, code: error.code }, explainError(error));
    const again = async (): Promise<void> => {
      if (stillFolding() && !this.isStopped) await this.fold();
    };
    services.clock.after(FULL_DISK_MS, () => this.later(again()));
  }

  private endAttempt(): void {
    const ended = this.attempt;
    if (!ended) return;
    this.attempt = null;
    if (this.phase === 'burnt') this.notices.burnt(this.state);
    this.notices.aborted(ended.key.attempt);
    this.services.releaseLeases(ended.uploadIds());
    this.services.uploads.forget(ended.key);
    this.later(Promise.all([this.services.spool.removeAttempt(ended.key), this.services.log.publish()]));
  }

  private announce(): void {
    const { stage, attempt } = this;
    if (stage && attempt) this.notices.stage(attempt.key.attempt, stage, this.state);
  }

  private schedule(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    const at = nextDeadline(this.state, this.rules);
    if (at === null || this.isStopped) return;
    const { clock } = this.services;
    const onTime = async (): Promise<void> => this.dispatch({ type: 'time' });
    this.cancelTimer = clock.after(at - clock.now(), () => this.later(onTime()));
  }

  protected later(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.services.fatal(error));
  }
}
