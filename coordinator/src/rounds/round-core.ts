import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { ScheduledRound } from '@regulon/shared/program';
import { decodeManifest } from '@regulon/shared/secagg';
import type { Attachment } from '@regulon/shared/transparency';
import type { WireStage } from '@regulon/shared/wire';
import type { AttemptKey } from '../storage/index.js';
import { Attempt } from './attempt.js';
import { closeRound } from './close-round.js';
import { logAbort, openAttempt } from './attempt-entries.js';
import {
  invited,
  newRound,
  nextDeadline,
  type Phase,
  type RoundEffect,
  type RoundEvent,
  type RoundRules,
  type RoundState,
  stageOfPhase,
  step,
  uploaders,
} from './machine/index.js';
import type { Services } from './ports.js';
import { type RoundListener, type RunContext, rulesOf } from './round-context.js';
import { RoundNotices } from './round-notices.js';

/** Sites that are here, and those gone for longer than the grace period; ascending. */
export interface SitesHere {
  readonly connected: readonly number[];
  readonly departed: readonly number[];
}

/** Carries out what the round machine decides, for one round; every change is a transaction. */
export abstract class RoundCore {
  protected state: RoundState;
  /** proof that ends the attempt, once a site has complained */
  protected complaint: Attachment | null = null;
  protected attempt: Attempt | null = null;
  protected readonly notices: RoundNotices;
  protected readonly rules: RoundRules;
  private cancelTimer: (() => void) | null = null;
  private isStopped = false;

  constructor(
    protected readonly services: Services,
    protected readonly context: RunContext,
    readonly round: ScheduledRound,
    protected readonly listener: RoundListener,
    { connected, departed }: SitesHere,
  ) {
    this.rules = rulesOf(context, round);
    this.notices = new RoundNotices(services, context, round, listener, this.rules.sites);
    const stored = services.rounds.state(this.runId, round.round);
    // what an older version stored lacks members that came later
    this.state = {
      ...newRound(services.clock.now(), connected, departed),
      ...(stored === undefined ? {} : (JSON.parse(stored) as Partial<RoundState>)),
    };
    if (stored !== undefined) this.restoreAttempt();
  }

  get runId(): Uint8Array {
    return this.context.program.contract.runId;
  }

  /** sites of the plan */
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
    if (isRestart && this.isOpen() && this.attempt === null) this.openLater();
    this.dispatch({ type: isRestart ? 'restarted' : 'begin' });
  }

  /** The clock ends nothing any more: the round is over, or the process ends. */
  stop(): void {
    this.isStopped = true;
    this.cancelTimer?.();
  }

  /** Let the machine decide, persist what it decided, then do the rest. @param first written in the same transaction */
  dispatch(event: RoundEvent, first?: () => void): void {
    const { store, rounds, clock } = this.services;
    const before = this.state;
    try {
      const next = step(before, event, clock.now(), this.rules);
      // one more answer of many: a power failure may forget it, the site sends the same bytes again
      const durable = next.state.phase !== before.phase || event.type !== 'answered';
      const save = (): void => {
        first?.();
        this.state = next.state;
        if (next.state !== before) rounds.saveState(this.runId, this.round.round, JSON.stringify(next.state));
        for (const effect of next.effects) this.write(effect, before);
        if (next.state !== before) this.listener.stateChanged(next.state, this.round);
      };
      store.transaction(save, durable);
      for (const effect of next.effects) this.carryOut(effect);
      this.schedule();
    } catch (error) {
      this.services.fatal(error);
      throw error;
    }
  }

  /** Whether a site may join the attempt at hand: it is in no lost dispute, did not refuse for good, dealt no wrong shares. */
  isInvited(site: number): boolean {
    return invited(this.rules, this.state).includes(site);
  }

  /** Whether the upload of a site of U2 is taken: after a Reopen only those of its contributors are. */
  mayUpload(site: number): boolean {
    return uploaders(this.rules, this.state).includes(site);
  }

  /** The attempt that a message names, when it is the open one. @throws E_STATE */
  expectAttempt(attempt: number): Attempt {
    if (this.attempt && this.attempt.key.attempt === attempt && this.isOpen()) return this.attempt;
    throw new RegulonError('E_STATE', `round ${this.round.round} has no open attempt ${attempt}`);
  }

  private isOpen(): boolean {
    return !(['waiting', 'burnt', 'closed', 'failed'] as readonly Phase[]).includes(this.state.phase);
  }

  private key(attempt: number): AttemptKey {
    return { runId: this.runId, round: this.round.round, attempt };
  }

  private restoreAttempt(): void {
    if (!this.isOpen()) return;
    const key = this.key(this.state.attempt);
    const row = this.services.rounds.attempt(key);
    if (!row || decodeManifest(row.manifest).deadlines.join() !== this.state.deadlines.join()) return;
    this.attempt = new Attempt(key, row.manifest, row.signature, this.context.roster, this.context.uncounted);
    this.attempt.replay(this.services.rounds, this.state);
  }

  /** Rows and entries that belong to a decision, inside its transaction. */
  private write(effect: RoundEffect, before: RoundState): void {
    const { rounds, clock } = this.services;
    switch (effect.type) {
      case 'fix':
        this.attempt?.fix(effect.set, effect.members);
        rounds.markStage(this.key(this.state.attempt), effect.set, clock.now());
        return;
      case 'ask-shares':
        rounds.markStage(this.key(this.state.attempt), 'r4', clock.now());
        return;
      case 'fold':
        rounds.markStage(this.key(this.state.attempt), 'unmasked', clock.now());
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
    const stale = (): boolean => this.state.deadlines !== deadlines || !this.isOpen();
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
      const commit = (write: () => void): void => this.dispatch({ type: 'folded' }, write);
      await closeRound({ services, context, round, attempt, state, goesOn: stillFolding, commit });
    } catch (error) {
      if (!isRegulonError(error) || error.code === 'E_INTERNAL') throw error;
      const { code, message, details } = error;
      const dealer =
        code === 'E_DEALER' && typeof details['site'] === 'number' ? { dealer: details['site'] } : {};
      if (stillFolding()) this.dispatch({ type: 'broken', code, message, lasting: true, ...dealer });
      return;
    }
    if (this.phase !== 'closed') return;
    this.services.crashPoint('closed', this.round.round);
    this.announce();
    this.stop();
    this.listener.closed(this.round);
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
